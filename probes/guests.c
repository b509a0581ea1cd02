/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * guests.c: the host's guests, as the projection of guest/needs.h and nothing more.
 *
 * Running guests by their live definition in its migratable form, others by the inactive one, or
 * by that of their saved state where they have one: it is what they start with next. Of snapshots
 * the machine type is told. Never with their secrets. A recording keeps the projection, not the
 * definitions. QEMUs that run without libvirt are told by their processes (processes.h).
 */
#include "config.h"

#include <string.h>
#ifdef HAVE_LIBVIRT
#include <libvirt/libvirt.h>
#endif

#include "guest/needs.h"
#include "guest/xml.h"
#include "libvirt.h"
#include "processes.h"

#define MAX_GUESTS 100000u
#define MAX_SNAPSHOTS 64u
#define ANSWER "libvirt/guests.json"

#ifdef HAVE_LIBVIRT

struct listing {
	struct libvirt_link link;
	json_t *guests;
	unsigned int unreadable, not_migratable;
	char *why;
};

static void note(struct listing *l, const char *name, const GError *error)
{
	l->unreadable++;
	g_free(l->why);
	l->why = g_strdup_printf("%s: %s", name, error->message);
}

/*
 * Which QEMU a running guest has: that of its process, which an upgrade may have taken from under
 * it. libvirt tells the process by a file that only root reads; without it there is no member.
 */
static void add_qemu(struct source *source, const char *name, json_t *guest)
{
	g_autofree char *pid_path = g_strdup_printf("/run/libvirt/qemu/%s.pid", name);
	g_autofree char *pid = NULL;
	int err;

	if (strchr(name, '/'))
		return;
	pid = source_text(source, pid_path, &err);
	if (!pid || !*pid || strspn(pid, "0123456789") != strlen(pid))
		return;
	processes_add_qemu(source, pid, guest);
}

static char *definition(struct listing *l, virDomainPtr domain, bool running)
{
	unsigned int flags = running ? 0 : VIR_DOMAIN_XML_INACTIVE;
	char *xml = NULL;

	if (!running && virDomainHasManagedSaveImage(domain, 0) == 1)
		return virDomainManagedSaveGetXMLDesc(domain, 0);
	if (running && l->link.can_write)
		xml = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_MIGRATABLE);
	if (!xml) {
		xml = virDomainGetXMLDesc(domain, flags);
		l->not_migratable += running && xml;
	}
	return xml;
}

/* {"name", "machine", "memory"}: it can be gone back to with the machine type that it was made with. */
static void add_snapshot(json_t *list, virDomainSnapshotPtr snapshot)
{
	char *text = virDomainSnapshotGetXMLDesc(snapshot, 0);
	g_autoptr(XmlDocument) xml = text ? xml_parse(text, strlen(text), "snapshot", NULL) : NULL;
	const struct xml_node *root = xml ? xml_root(xml) : NULL;
	const char *machine = xml_attr(xml_at(root, "domain/os/type"), "machine");
	const char *memory = xml_attr(xml_child(root, "memory"), "snapshot");

	free(text);
	if (machine)
		json_array_append_new(list, json_pack("{s:s, s:s, s:b}", "name",
						      virDomainSnapshotGetName(snapshot), "machine", machine,
						      "memory", memory && strcmp(memory, "no")));
}

static void add_snapshots(json_t *guest, virDomainPtr domain)
{
	virDomainSnapshotPtr *snapshots;
	int n = virDomainListAllSnapshots(domain, &snapshots, 0);
	json_t *list;

	if (n < 0)
		return;
	list = json_array();
	for (int i = 0; i < n; i++) {
		if (i < (int)MAX_SNAPSHOTS)
			add_snapshot(list, snapshots[i]);
		virDomainSnapshotFree(snapshots[i]);
	}
	free(snapshots);
	if (json_array_size(list))
		json_object_set(guest, "snapshots", list);
	json_decref(list);
}

static void read_domain(struct listing *l, virDomainPtr domain)
{
	bool running = virDomainIsActive(domain) == 1;
	const char *name = virDomainGetName(domain);
	g_autoptr(GError) error = NULL;
	g_autoptr(XmlDocument) xml = NULL;
	g_autoptr(Needs) needs = NULL;
	char *text = definition(l, domain, running);
	json_t *guest;

	if (text)
		xml = xml_parse(text, strlen(text), name, &error);
	else
		libvirt_failed("virDomainGetXMLDesc", &error);
	free(text);
	needs = xml ? needs_from_xml(xml, &error) : NULL;
	if (!needs) {
		note(l, name, error);
		return;
	}
	guest = needs_to_json(needs);
	json_object_set_new(guest, "running", json_boolean(running));
	if (!running && virDomainHasManagedSaveImage(domain, 0) == 1)
		json_object_set_new(guest, "saved", json_true());
	add_snapshots(guest, domain);
	if (running && !l->link.context->options->remote)
		add_qemu(l->link.context->source, name, guest);
	json_array_append_new(l->guests, guest);
}

/* {"guests": […], "unreadable", "not_migratable", "why"?} */
static char *ask_guests(void *data, GError **error)
{
	struct listing *l = data;
	virConnectPtr connection = libvirt_open(&l->link, error);
	virDomainPtr *domains;
	json_t *answer;
	char *text;
	int n;

	if (!connection)
		return NULL;
	n = virConnectListAllDomains(connection, &domains, 0);
	if (n < 0)
		return libvirt_failed("virConnectListAllDomains", error);
	l->guests = json_array();
	for (int i = 0; i < n; i++) {
		if (i < (int)MAX_GUESTS)
			read_domain(l, domains[i]);
		virDomainFree(domains[i]);
	}
	free(domains);
	answer = json_pack("{s:o, s:i, s:i, s:s*}", "guests", l->guests, "unreadable",
			   (int)l->unreadable, "not_migratable", (int)l->not_migratable, "why", l->why);
	text = json_dumps(answer, JSON_INDENT(1) | JSON_SORT_KEYS);
	json_decref(answer);
	g_free(l->why);
	return text;
}

#else

struct listing {
	struct libvirt_link link;
};

static char *ask_guests(void *data, GError **error)
{
	struct listing *l = data;

	return libvirt_open(&l->link, error);
}

#endif

/* Machine types and emulators in use: what libvirt and QEMU are asked for first. */
static void share_use(struct context *context, const json_t *guests)
{
	json_t *machines = json_array(), *emulators = json_array();
	const json_t *guest;
	size_t i;

	json_array_foreach (guests, i, guest) {
		json_t *machine = json_object_get(json_object_get(guest, "os"), "machine");
		json_t *qemu = json_object_get(json_object_get(guest, "qemu"), "path");
		json_t *emulator = qemu ? qemu : json_object_get(guest, "emulator");

		if (json_is_string(machine))
			json_array_append(machines, machine);
		if (json_is_string(emulator))
			json_array_append(emulators, emulator);
	}
	json_object_set_new(context->found, "machines", machines);
	json_object_set_new(context->found, "emulators", emulators);
}

/* What was told, and what of it is left out. */
static void take_guests(struct context *context, const json_t *answer, json_t *guests)
{
	json_int_t unreadable = json_integer_value(json_object_get(answer, "unreadable"));
	json_int_t plain = json_integer_value(json_object_get(answer, "not_migratable"));
	const char *why = json_string_value(json_object_get(answer, "why"));
	g_autofree char *reason = NULL, *hidden = NULL;

	processes_add(context, guests, &hidden);
	share_use(context, guests);
	json_object_set(context->found, "guests", guests);
	if (unreadable)
		reason = g_strdup_printf("%d guests left out, last %s", (int)unreadable,
					 why ? why : "for no reason known");
	else if (hidden)
		reason = g_steal_pointer(&hidden);
	else if (plain)
		reason = g_strdup_printf(
			"%d running guests not in their migratable form (run as root)", (int)plain);
	probe_report(context, &guests_probe, reason ? "partial" : "ok", !unreadable, reason);
}

static void take_answer(struct context *context, const char *text)
{
	json_t *answer = json_loads(text, 0, NULL);
	json_t *guests = json_object_get(answer, "guests");

	if (!json_is_array(guests))
		probe_report(context, &guests_probe, "failed", false,
			     ANSWER ": no list of guests in it (record again)");
	else
		take_guests(context, answer, guests);
	json_decref(answer);
}

/* Without libvirt: those that run. Where none does, all that is known is that libvirt didn't tell. */
static void take_processes(struct context *context, const GError *error)
{
	json_t *guests = json_array();
	g_autofree char *hidden = NULL;

	if (processes_add(context, guests, &hidden) || hidden) {
		share_use(context, guests);
		json_object_set(context->found, "guests", guests);
		probe_report(context, &guests_probe, "partial", false,
			     hidden ? hidden : "running QEMUs alone: no libvirt tells of guests that are off");
	} else {
		probe_report(context, &guests_probe, source_error_state(error), false, error->message);
	}
	json_decref(guests);
}

static void collect(struct context *context)
{
	struct listing listing = { .link = { .context = context, .want_write = true } };
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;

	if (libvirt_there(context, &error))
		text = source_ask(context->source, ANSWER, ask_guests, &listing, &error);
	if (text)
		take_answer(context, text);
	else
		take_processes(context, error);
	libvirt_close(&listing.link);
}

const struct probe guests_probe = {
	.name = "guests",
	.help = "the host's guests: what their definitions ask for, nothing else of them",
	.view = VIEWS,
	.percent = 20,
	.collect = collect,
};
