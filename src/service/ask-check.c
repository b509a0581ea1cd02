/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ask-check.c: may a guest start there, or migrate there; may a device be plugged into it? */
#include "config.h"

#include <string.h>

#include "ask.h"
#include "guest/argv.h"
#include "guest/plug.h"
#include "read/read.h"

struct asked {
	struct guest *guest;   /* @own or one of the session's */
	struct guest *own;
	const struct host *from;
	enum question ask;
	GPtrArray *targets;
	struct needs *plugged; /* the guest with the device */
};

/* The name of a file without its folder and what is behind its last dot. */
static char *stem(const char *label)
{
	char *base = g_path_get_basename(label);

	if (strrchr(base, '.') > base)
		*strrchr(base, '.') = 0;
	return base;
}

static bool is_guest(const char *bytes, gsize length, const char *label, GError **error)
{
	enum read_kind kind = read_kind(bytes, length);

	if (kind != READ_CAPABILITIES && kind != READ_DOMCAPABILITIES && kind != READ_PROFILE)
		return true;
	g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_IO,
		    "%s: describes a host, not a guest (give it to 'capbroker import')", label);
	return false;
}

static struct guest *guest_of(struct needs *needs, const char *label)
{
	bool input = !strcmp(label, "standard input");
	g_autofree char *base = stem(label);
	struct guest *guest = g_new0(struct guest, 1);

	guest->name = g_strdup(needs->name ? needs->name : input ? "guest" : base);
	guest->uuid = g_strdup(needs->uuid);
	guest->running = needs->live;
	if (needs->live)
		guest->live = needs;
	else
		guest->defined = needs;
	return guest;
}

static struct guest *guest_from_file(const json_t *file, GError **error)
{
	const char *label;
	gsize length;
	g_autofree char *bytes = asked_file(file, &label, &length, error);
	struct needs *needs;

	if (!bytes || !is_guest(bytes, length, label, error))
		return NULL;
	needs = needs_read(bytes, length, label, error);
	return needs ? guest_of(needs, label) : NULL;
}

/* A known guest's name comes before a file of that name. */
static bool find_guest(struct session *s, struct asked *q, const json_t *question, GError **error)
{
	const char *name = asked_text(question, "guest");
	const json_t *file = json_object_get(question, "document");

	if (name && (!file || session_knows_guest(s, name))) {
		q->guest = session_guest(s, name, error);
		return q->guest != NULL;
	}
	if (!file) {
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_USAGE,
			    "check: neither 'guest' nor 'document' is given (see capbrokerd(8))");
		return false;
	}
	q->guest = q->own = guest_from_file(file, error);
	if (q->own)
		guest_expand(q->own, &s->judge);
	return q->own != NULL;
}

static bool find_from(const struct session *s, struct asked *q, const char *from, GError **error)
{
	const char *host = from ? from : q->own ? NULL : q->guest->host;

	q->ask = from || (!q->own && q->guest->running) ? ASK_MIGRATE : ASK_START;
	if (!host)
		return true;
	q->from = from ? session_host(s, host, error) : fleet_find(s->fleet, host);
	return q->from || !from;
}

/* The guest's cluster, else all; not the host it is to leave. */
static bool default_targets(const struct session *s, struct asked *q, GError **error)
{
	g_autofree char *cluster =
		q->from && q->from->cluster ? g_strconcat("cluster=", q->from->cluster, NULL) : NULL;
	char *selectors[] = { cluster, NULL };

	q->targets = session_select(s, selectors, error);
	if (!q->targets)
		return false;
	if (q->ask == ASK_MIGRATE && q->from && q->targets->len > 1)
		g_ptr_array_remove(q->targets, (void *)q->from);
	return true;
}

static bool find_targets(const struct session *s, struct asked *q, const json_t *question, GError **error)
{
	if (!json_array_size(json_object_get(question, "to")))
		return default_targets(s, q, error);
	q->targets = asked_hosts(s, question, "to", error);
	return q->targets != NULL;
}

/* The guest with the device that the file describes. */
static bool read_device(struct asked *q, const json_t *file, GError **error)
{
	g_autofree char *bytes = NULL;
	g_autoptr(XmlDocument) xml = NULL;
	const char *label;
	gsize length;

	if (!q->from) {
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_USAGE,
			    "check: on which host '%s' runs is not known (say --from HOST)", q->guest->name);
		return false;
	}
	bytes = asked_file(file, &label, &length, error);
	xml = bytes ? xml_parse(bytes, length, label, error) : NULL;
	if (!xml)
		return false;
	q->plugged = needs_plug(guest_needs(q->guest), xml, error);
	if (!q->plugged)
		g_prefix_error(error, "%s: ", label);
	return q->plugged != NULL;
}

static json_t *answer_of(struct session *s, struct asked *q, const json_t *question, GError **error)
{
	const json_t *device = json_object_get(question, "device");

	if (!find_guest(s, q, question, error) ||
	    !find_from(s, q, asked_text(question, "from"), error))
		return NULL;
	if (device)
		return read_device(q, device, error) ?
			       answer_hotplug(&s->answering, q->guest, q->plugged, q->from) : NULL;
	if (!find_targets(s, q, question, error))
		return NULL;
	return answer_check(&s->answering, q->guest, q->ask, q->from, q->targets);
}

static json_t *answer(struct session *s, const json_t *question, int *status, GError **error)
{
	struct asked q = { 0 };
	json_t *json = answer_of(s, &q, question, error);

	if (json)
		*status = answer_check_status(json);
	g_clear_pointer(&q.targets, g_ptr_array_unref);
	needs_free(q.plugged);
	guest_free(q.own);
	return json;
}

static const struct question_member members[] = {
	{ "guest", MEMBER_TEXT, false },
	{ "document", MEMBER_OBJECT, false },
	{ "from", MEMBER_TEXT, false },
	{ "to", MEMBER_TEXTS, false },
	{ "device", MEMBER_OBJECT, false },
	{ 0 },
};

const struct asking asking_check = { "check", SESSION_READ, members, answer };
