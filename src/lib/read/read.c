/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* read.c: a file of any kind into a host's document. */
#include "config.h"

#include <string.h>

#include "read/read-qmp.h"

static const struct scope raw_view = { .view = VIEW_RAW, .migratable = -1 };

static bool read_xml(json_t *doc, enum read_kind kind, const char *bytes, size_t length,
		     const struct read_hints *hints, GError **error)
{
	g_autoptr(XmlDocument) xml = xml_parse(bytes, length, hints->name, error);
	bool ok;

	if (!xml)
		return false;
	if (kind == READ_CAPABILITIES)
		ok = read_capabilities(doc, xml, hints->models, error);
	else if (kind == READ_DOMCAPABILITIES)
		ok = read_domcapabilities(doc, xml, hints->models, error);
	else if (kind == READ_QEMUCAPS)
		ok = read_qemucaps(doc, xml, hints->models, error);
	else if (kind == READ_CPU)
		ok = read_bare_cpu(doc, xml, hints->models, error);
	else
		ok = read_cpuid_xml(doc, xml, &raw_view, hints->name, error);
	if (!ok)
		g_prefix_error(error, "%s: ", hints->name);
	return ok;
}

/* An error to one of these, asked under KVM, is an answer. */
static bool put_security_error(json_t *doc, const json_t *reply, const struct scope *scope,
			       const char *name)
{
	bool sev = strstr(name, "-query-sev-capabilities") != NULL;

	if (!sev && !strstr(name, "-query-sgx-capabilities"))
		return false;
	if (!g_strcmp0(scope->accel, "kvm"))
		read_qmp_security_error(doc, sev ? "sev.enabled" : "sgx.enabled", reply, scope, name);
	return true;
}

/* @scope has the strings of the caller, the file's name, or none. */
static bool read_replies(json_t *doc, const json_t *replies, const struct scope *scope,
			 const char *model, const struct cpu_models *models, const char *name,
			 GError **error)
{
	const json_t *reply;
	size_t i;

	json_array_foreach (replies, i, reply) {
		enum read_kind kind = read_qmp_kind(reply);

		if (kind == READ_ERROR_TEXT && put_security_error(doc, reply, scope, name))
			continue;
		if (kind == READ_ERROR_TEXT) {
			const char *desc = json_string_value(
				json_object_get(json_object_get(reply, "error"), "desc"));

			document_source(doc, name, "failed", false, VIEWS,
					read_name_ok(desc) ? desc : "QEMU answered with an error", -1);
		} else if (!read_qmp(doc, kind, reply, scope, model, models, name, error)) {
			return false;
		}
	}
	return true;
}

/* The emulator that replies are of, where nobody says: the document's, or one by what it emulates. */
static const char *emulator_of(const json_t *doc, const json_t *replies)
{
	const json_t *reply;
	size_t i;

	if (json_array_size(json_object_get(doc, "emulators")))
		return read_default_emulator(doc);
	json_array_foreach (replies, i, reply)
		if (read_qmp_kind(reply) == READ_QMP_TARGET)
			return arch_usual_emulator(read_qmp_arch(read_qmp_value(reply)));
	return read_default_emulator(doc);
}

/* A conversation begins with a command, or with QEMU's greeting and a command. */
static bool is_transcript(const json_t *messages)
{
	bool greeted = json_object_get(json_array_get(messages, 0), "QMP") != NULL;

	return read_qmp_kind(json_array_get(messages, greeted)) == READ_QMP_TRANSCRIPT;
}

static bool read_json(json_t *doc, const char *bytes, size_t length,
		      const struct read_hints *hints, GError **error)
{
	g_autofree char *accel = NULL, *machine = NULL, *model = NULL, *emulator = NULL;
	struct scope scope = { .view = VIEW_QEMU, .migratable = hints->migratable };
	json_t *replies = read_qmp_parse(bytes, length, hints->name, error);
	bool ok;

	if (!replies)
		return false;
	read_scope_from_name(hints->name, &accel, &machine, &model);
	emulator = g_strdup(hints->emulator ? hints->emulator : emulator_of(doc, replies));
	scope.emulator = emulator;
	scope.accel = hints->accel ? hints->accel : accel;
	scope.machine = hints->machine ? hints->machine : machine;
	if (is_transcript(replies))
		ok = read_qmp_transcript(doc, replies, &scope, hints->models, hints->name, error);
	else
		ok = read_replies(doc, replies, &scope, hints->model ? hints->model : model,
				  hints->models, hints->name, error);
	json_decref(replies);
	return ok;
}

static bool read_lines(json_t *doc, const char *bytes, size_t length, const char *name,
		       GError **error)
{
	g_autoptr(GArray) rows = read_cpuid_lines(bytes, length, name, error);

	if (!rows)
		return false;
	read_cpuid(doc, (const struct cpuid_row *)(void *)rows->data, rows->len, true, &raw_view,
		   name);
	return true;
}

/* The rest of the line that starts with @label, or NULL; free with g_free(). */
static char *line_after(const char *text, const char *label)
{
	const char *at = strstr(text, label);
	char *rest;

	if (!at)
		return NULL;
	at += strlen(label);
	rest = g_strstrip(g_strndup(at, strcspn(at, "\r\n")));
	if (*rest && strlen(rest) <= READ_MAX_NAME && g_utf8_validate(rest, -1, NULL))
		return rest;
	g_free(rest);
	return NULL;
}

/* "Running against daemon: 11.3.0", and "Running hypervisor: QEMU 10.0.13". */
static void read_virsh_version(json_t *doc, const char *bytes, size_t length, const char *origin)
{
	g_autofree char *text = g_strndup(bytes, MIN(length, 65536));
	g_autofree char *daemon = line_after(text, "Running against daemon:");
	g_autofree char *library = line_after(text, "Using library: libvirt");
	g_autofree char *qemu = line_after(text, "Running hypervisor: QEMU");
	const struct scope scope = { .view = VIEW_LIBVIRT, .migratable = -1 };
	const char *libvirt = daemon ? daemon : library;
	g_autofree char *path = g_strdup(read_default_emulator(doc));

	if (libvirt) {
		json_object_set_new(json_object_get(doc, "fingerprint"), "libvirt",
				    json_string(libvirt));
		document_fact(read_facts(doc), "libvirt.version", json_string(libvirt), &scope,
			      origin);
	}
	if (qemu)
		read_set_version(doc, path, qemu);
}

static void read_error_text(json_t *doc, const char *bytes, size_t length, const char *name)
{
	g_autofree char *text = g_utf8_make_valid(bytes, (gssize)MIN(length, 300));

	text[strcspn(text, "\r\n")] = 0;
	document_source(doc, name, "failed", false, VIEWS, text, -1);
}

/* XML that is no XML gets its own message. */
static bool not_recognised(const char *bytes, size_t length, const char *name, GError **error)
{
	g_autoptr(XmlDocument) xml = NULL;

	if (length && *bytes == '<') {
		xml = xml_parse(bytes, length, name, error);
		if (!xml)
			return false;
	}
	return read_fail(error, name,
			 "not recognised (libvirt's XML, QEMU's JSON replies and CPUID lines are read)");
}

bool read_file(json_t *doc, const char *bytes, size_t length, const struct read_hints *hints,
	       GError **error)
{
	enum read_kind kind = read_kind(bytes, length);

	switch (kind) {
	case READ_CAPABILITIES:
	case READ_DOMCAPABILITIES:
	case READ_QEMUCAPS:
	case READ_CPU:
	case READ_CPUID_XML:
		return read_xml(doc, kind, bytes, length, hints, error);
	case READ_QMP_VERSION:
	case READ_QMP_MACHINES:
	case READ_QMP_CPU_DEFINITIONS:
	case READ_QMP_EXPANSION:
	case READ_QMP_KVM:
	case READ_QMP_DEVICE_PROPERTIES:
	case READ_QMP_TYPES:
	case READ_QMP_MIGRATE_CAPABILITIES:
	case READ_QMP_MIGRATE_PARAMETERS:
	case READ_QMP_SCHEMA:
	case READ_QMP_SEV:
	case READ_QMP_SGX:
	case READ_QMP_TARGET:
	case READ_QMP_GIC:
	case READ_QMP_TRANSCRIPT:
	case READ_QMP_OTHER:
		return read_json(doc, bytes, length, hints, error);
	case READ_CPUID_LINES:
		return read_lines(doc, bytes, length, hints->name, error);
	case READ_VIRSH_VERSION:
		read_virsh_version(doc, bytes, length, hints->name);
		return true;
	case READ_ERROR_TEXT:
		if (*bytes == '{')
			return read_json(doc, bytes, length, hints, error);
		read_error_text(doc, bytes, length, hints->name);
		return true;
	case READ_PROFILE:
	case READ_GUESTS:
	case READ_DOMAIN:
	case READ_ARGV:
	case READ_KUBERNETES:
	case READ_IDENTICAL:
		return read_fail(error, hints->name, "says nothing of a host by itself");
	case READ_UNKNOWN:
		break;
	}
	return not_recognised(bytes, length, hints->name, error);
}
