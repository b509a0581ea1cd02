/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* import-kubernetes.c: nodes and guests of a Kubernetes cluster; see import.h. */
#include "config.h"

#include <string.h>

#include "errors.h"
#include "guest/needs.h"
#include "import.h"
#include "model/dictionary.h"
#include "model/document.h"
#include "model/error.h"
#include "read/read-kubernetes.h"

/* Says when and of what the profile was made. */
static void sign(json_t *doc, const json_t *node)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *time = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
	g_autofree char *text = document_text(node), *sum = NULL;
	json_t *probe = json_object_get(doc, "probe");

	sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
	json_object_set_new(probe, "version", json_string(PACKAGE_VERSION));
	json_object_set_new(probe, "dictionary", json_string(cap_dictionary_version));
	json_object_set_new(probe, "time", json_string(time));
	json_object_set_new(json_object_get(doc, "fingerprint"), "imported", json_sprintf("sha256:%s", sum));
}

static bool add_node(struct import *import, const char *label, const json_t *node, GError **error)
{
	json_t *doc = kubernetes_profile(node, import->models, error);

	if (!doc)
		return false;
	sign(doc, node);
	return import_add_profile(import, label, doc, error);
}

/* Adds an entry to the document of its node's guests, made when it is the first. */
static void file_guest(json_t *by_node, const char *node, json_t *entry)
{
	const char *key = node ? node : "";
	json_t *doc = json_object_get(by_node, key);

	if (!doc) {
		/* of how many namespaces the list is isn't told */
		doc = json_pack("{s:s, s:b, s:[]}", "format", GUESTS_FORMAT, "complete", 0, "guests");
		if (node)
			json_object_set_new(doc, "host", json_string(node));
		json_object_set_new(by_node, key, doc);
	}
	json_array_append_new(json_object_get(doc, "guests"), entry);
}

static bool add_guest(json_t *by_node, const json_t *guest, GError **error)
{
	const char *node;
	g_autofree char *text = kubernetes_definition(guest, &node, error);
	g_autoptr(XmlDocument) xml = text ? xml_parse(text, strlen(text), "definition", error) : NULL;
	g_autoptr(Needs) needs = xml ? needs_from_xml(xml, error) : NULL;

	if (needs)
		file_guest(by_node, needs->live ? node : NULL, needs_to_json(needs));
	return needs != NULL;
}

static bool add_items(struct import *import, const char *label, const json_t *items, json_t *by_node, GError **error)
{
	const json_t *item;
	bool ok = true;
	size_t i;

	json_array_foreach (items, i, item) {
		if (i >= KUBERNETES_MAX_ITEMS) {
			g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "%s: more than %u items (import them in parts)",
				    label, KUBERNETES_MAX_ITEMS);
			return false;
		}
		if (kubernetes_is_node(item))
			ok = add_node(import, label, item, error);
		else if (kubernetes_is_guest(item))
			ok = add_guest(by_node, item, error);
		if (!ok) {
			g_prefix_error(error, "%s: items[%zu]: ", label, i);
			return false;
		}
	}
	return true;
}

bool import_add_kubernetes(struct import *import, const char *label, const json_t *doc, GError **error)
{
	json_t *items = kubernetes_items(doc), *by_node = json_object(), *guests;
	bool ok = add_items(import, label, items, by_node, error);
	const char *node;

	json_object_foreach (by_node, node, guests)
		ok = ok && import_add_guests(import, label, guests, error);
	json_decref(items);
	json_decref(by_node);
	return ok;
}
