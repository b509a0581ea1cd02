/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvirt.c: what libvirt says of this host or of a remote one: capabilities, domain capabilities
 * of each emulator, domain type and the machine types that matter, and the names that the
 * installed CPU map knows.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#ifdef HAVE_LIBVIRT
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#endif

#include "libvirt.h"
#include "read/read.h"

/* Domain capabilities asked of one libvirt, at most. */
#define MAX_QUESTIONS 256u

static const struct scope view = { .view = VIEW_LIBVIRT, .migratable = -1 };

static const char *const sockets[] = {
	"/run/libvirt/libvirt-sock",
	"/run/libvirt/virtqemud-sock",
};
static const char *const daemons[] = {
	"/usr/sbin/libvirtd",
	"/usr/sbin/virtqemud",
};

/* --- the connection --------------------------------------------------------------------------- */

bool libvirt_there(const struct context *context, GError **error)
{
	struct source_file file;
	int err, denied = 0;

	if (context->options->connect)
		return true;
	if (source_mode(context->source) == SOURCE_REPLAY &&
	    (source_holds(context->source, "libvirt/info.json") ||
	     source_holds(context->source, "libvirt/guests.json")))
		return true;
	for (size_t i = 0; i < G_N_ELEMENTS(sockets); i++) {
		if (source_stat(context->source, sockets[i], &file, &err) && file.socket)
			return true;
		denied |= err == EACCES;
	}
	if (denied) {
		g_set_error_literal(error, SOURCE_ERROR, SOURCE_UNREADABLE,
				    "/run/libvirt: Permission denied (run as root)");
		return false;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(daemons); i++)
		if (source_stat(context->source, daemons[i], &file, &err)) {
			g_set_error(error, SOURCE_ERROR, SOURCE_MISSING,
				    "%s is installed and has no socket in /run/libvirt (start it, or its socket unit)",
				    daemons[i]);
			return false;
		}
	g_set_error_literal(error, SOURCE_ERROR, SOURCE_MISSING,
			    "libvirt is not installed (nothing to do where guests run without it)");
	return false;
}

#ifdef HAVE_LIBVIRT

static void quiet(void *data, virErrorPtr error)
{
	(void)data;
	(void)error;
}

void *libvirt_failed(const char *where, GError **error)
{
	const virError *last = virGetLastError();
	g_autofree char *message = g_strdup(last && last->message ? last->message : "no reason given");
	int code = last ? last->code : VIR_ERR_OK;
	const char *remedy = "look at libvirt's log";

	g_strdelimit(message, "\n", ' ');
	if (code == VIR_ERR_AUTH_FAILED || code == VIR_ERR_ACCESS_DENIED ||
	    code == VIR_ERR_AUTH_CANCELLED || code == VIR_ERR_OPERATION_DENIED) {
		g_set_error(error, SOURCE_ERROR, SOURCE_UNREADABLE,
			    "%s: %s (run as root, or as a member of the group libvirt)", where, message);
		return NULL;
	}
	if (code == VIR_ERR_SYSTEM_ERROR || code == VIR_ERR_NO_CONNECT)
		remedy = "is the daemon running?";
	g_set_error(error, SOURCE_ERROR, SOURCE_FAILED, "%s: %s (%s)", where, message, remedy);
	return NULL;
}

static gpointer run_events(gpointer data)
{
	while (virEventRunDefaultImpl() >= 0)
		;
	return data;
}

/*
 * A driver that runs inside this process (qemu:///embed?root=…) gets its guests' monitors and its
 * own timers from an event loop, and waits for it forever where nobody runs one. The loop ends with
 * the process, which each probe has for itself.
 */
static bool serve_events(const char *uri, GError **error)
{
	const char *path = strstr(uri, "://");

	if (!path || !g_str_has_prefix(path + strlen("://"), "/embed"))
		return true;
	/* it logs to standard error as a daemon would */
	g_setenv("LIBVIRT_LOG_OUTPUTS", "4:file:/dev/null", FALSE);
	if (virEventRegisterDefaultImpl() < 0)
		return libvirt_failed(uri, error);
	g_thread_unref(g_thread_new("events", run_events, NULL));
	return true;
}

void *libvirt_open(struct libvirt_link *link, GError **error)
{
	const char *uri = link->context->options->connect;

	if (link->connection)
		return link->connection;
	uri = uri ? uri : "qemu:///system";
	virSetErrorFunc(NULL, quiet);
	if (!serve_events(uri, error))
		return NULL;
	if (link->want_write)
		link->connection = virConnectOpen(uri);
	link->can_write = link->connection != NULL;
	if (!link->connection)
		link->connection = virConnectOpenReadOnly(uri);
	return link->connection ? link->connection : libvirt_failed(uri, error);
}

void libvirt_close(struct libvirt_link *link)
{
	if (link->connection)
		virConnectClose(link->connection);
	link->connection = NULL;
}

static char *version_text(unsigned long version)
{
	return g_strdup_printf("%lu.%lu.%lu", version / 1000000, version / 1000 % 1000, version % 1000);
}

/* {"hostname", "version", "hypervisor", "hypervisor_version"} */
static char *ask_info(void *data, GError **error)
{
	struct libvirt_link *link = data;
	virConnectPtr connection = libvirt_open(link, error);
	g_autofree char *library = NULL, *hypervisor = NULL;
	char *hostname, *text;
	unsigned long version;
	json_t *info;

	if (!connection)
		return NULL;
	if (virConnectGetLibVersion(connection, &version) < 0)
		return libvirt_failed("virConnectGetLibVersion", error);
	library = version_text(version);
	/* That may start QEMUs; the local ones are asked by the QEMU probe. */
	if (link->context->options->remote && virConnectGetVersion(connection, &version) == 0 && version)
		hypervisor = version_text(version);
	hostname = virConnectGetHostname(connection);
	info = json_pack("{s:s, s:s*, s:s*, s:s*}", "version", library, "hostname", hostname,
			 "hypervisor", virConnectGetType(connection), "hypervisor_version", hypervisor);
	text = json_dumps(info, JSON_INDENT(1) | JSON_SORT_KEYS);
	json_decref(info);
	free(hostname);
	return text;
}

static char *ask_capabilities(void *data, GError **error)
{
	virConnectPtr connection = libvirt_open(data, error);
	char *xml = connection ? virConnectGetCapabilities(connection) : NULL;

	return xml || !connection ? xml : libvirt_failed("virConnectGetCapabilities", error);
}

#else

void *libvirt_failed(const char *where, GError **error)
{
	g_set_error(error, SOURCE_ERROR, SOURCE_MISSING,
		    "%s: built without libvirt (install libvirt's development files and build again)",
		    where);
	return NULL;
}

void *libvirt_open(struct libvirt_link *link, GError **error)
{
	return libvirt_failed(link->context->options->connect, error);
}

void libvirt_close(struct libvirt_link *link)
{
	(void)link;
}

static char *ask_info(void *data, GError **error)
{
	return libvirt_open(data, error);
}

static char *ask_capabilities(void *data, GError **error)
{
	return libvirt_open(data, error);
}

#endif

/* --- domain capabilities ---------------------------------------------------------------------- */

struct question {
	struct libvirt_link *link;
	const char *emulator, *arch, *machine, *type;
};

#ifdef HAVE_LIBVIRT

static char *ask_domcapabilities(void *data, GError **error)
{
	const struct question *q = data;
	virConnectPtr connection = libvirt_open(q->link, error);
	char *xml;

	if (!connection)
		return NULL;
	xml = virConnectGetDomainCapabilities(connection, q->emulator, q->arch, q->machine, q->type, 0);
	return xml ? xml : libvirt_failed("virConnectGetDomainCapabilities", error);
}

#else

static char *ask_domcapabilities(void *data, GError **error)
{
	const struct question *q = data;

	return libvirt_open(q->link, error);
}

#endif

struct reading {
	struct context *context;
	struct libvirt_link link;
	struct cpu_models *models;
	unsigned int asked, left, failed;
	gint64 slowest; /* question so far, µs */
	char *why; /* the last failure */
};

static void note(struct reading *r, GError *error)
{
	r->failed++;
	g_free(r->why);
	r->why = g_strdup(error->message);
}

/* Time for one more that is as slow as the slowest; a replay has none to lose. */
static bool has_time(const struct reading *r)
{
	return r->asked < MAX_QUESTIONS && (source_mode(r->context->source) == SOURCE_REPLAY ||
					    probe_time_left(r->context) > r->slowest / 1000);
}

static void read_question(struct reading *r, struct question *q)
{
	g_autofree char *emulator = g_strdup(q->emulator);
	g_autofree char *machine = g_strdup(q->machine);
	g_autofree char *name = NULL, *text = NULL;
	g_autoptr(XmlDocument) xml = NULL;
	g_autoptr(GError) error = NULL;
	gint64 start = g_get_monotonic_time();

	g_strdelimit(emulator, "/", '-');
	g_strdelimit(machine, "/", '-');
	name = g_strdup_printf("libvirt/domcapabilities%s%s-%s-%s.xml", *emulator == '-' ? "" : "-",
			       emulator, q->type, machine);
	if (!has_time(r)) {
		r->left++;
		return;
	}
	text = source_ask(r->context->source, name, ask_domcapabilities, q, &error);
	r->slowest = MAX(r->slowest, g_get_monotonic_time() - start);
	if (!text && source_mode(r->context->source) == SOURCE_REPLAY &&
	    !source_failed(r->context->source, name)) {
		r->left++;
		return;
	}
	r->asked++;
	xml = text ? xml_parse(text, strlen(text), name, &error) : NULL;
	if (xml)
		read_domcapabilities(r->context->doc, xml, r->models, &error);
	if (error)
		note(r, error);
	probe_flush(r->context);
}

static bool listed(const GPtrArray *names, const char *name)
{
	for (guint i = 0; i < names->len; i++)
		if (!strcmp(g_ptr_array_index(names, i), name))
			return true;
	return false;
}

static bool in_use(const struct context *context, const char *machine)
{
	const json_t *used = json_object_get(context->shared, "machines");
	const json_t *name;
	size_t i;

	json_array_foreach (used, i, name)
		if (!strcmp(json_string_value(name), machine))
			return true;
	return false;
}

/* The machine types worth asking for: what guests here use, then what an alias stands for. */
static GPtrArray *worth_asking(const struct context *context, const struct xml_node *arch)
{
	GPtrArray *names = g_ptr_array_new();

	for (int used = 1; used >= 0; used--) {
		const struct xml_node *machine;

		for (machine = xml_child(arch, "machine"); machine; machine = xml_same(machine)) {
			const char *canonical = xml_attr(machine, "canonical");
			const char *name = canonical ? canonical : machine->text;

			if ((used ? in_use(context, name) : canonical != NULL) && !listed(names, name))
				g_ptr_array_add(names, (gpointer)name);
		}
	}
	return names;
}

/* One <guest>: its emulator, or a domain type's own, with each machine type worth it; KVM first. */
static void read_guest_type(struct reading *r, const struct xml_node *arch)
{
	g_autoptr(GPtrArray) machines = worth_asking(r->context, arch);
	const struct xml_node *common = xml_child(arch, "emulator");

	for (int kvm = 1; kvm >= 0; kvm--) {
		const struct xml_node *domain;

		for (domain = xml_child(arch, "domain"); domain; domain = xml_same(domain)) {
			const struct xml_node *own = xml_child(domain, "emulator");
			const char *emulator = own ? own->text : common ? common->text : NULL;
			const char *type = xml_attr(domain, "type");

			if (!emulator || !type || (strcmp(type, "kvm") == 0) != kvm)
				continue;
			for (guint i = 0; i < machines->len; i++) {
				struct question q = { &r->link, emulator, xml_attr(arch, "name"),
						      g_ptr_array_index(machines, i), type };

				read_question(r, &q);
			}
		}
	}
}

/* Emulators for the QEMU probe, and domain capabilities where guests are of the host's arch. */
static void read_guest_types(struct reading *r, const struct xml_node *root)
{
	const struct xml_node *host_arch = xml_at(root, "host/cpu/arch");
	const char *wanted = host_arch ? host_arch->text : "x86_64";
	json_t *emulators = json_array();
	const struct xml_node *guest;

	for (guest = xml_child(root, "guest"); guest; guest = xml_same(guest)) {
		const struct xml_node *arch = xml_child(guest, "arch");
		const struct xml_node *emulator = xml_child(arch, "emulator");
		const char *name = xml_attr(arch, "name");

		if (!name || strcmp(name, wanted))
			continue;
		if (emulator && *emulator->text)
			json_array_append_new(emulators, json_string(emulator->text));
		read_guest_type(r, arch);
	}
	json_object_set_new(r->context->found, "emulators", emulators);
}

/* --- the probe -------------------------------------------------------------------------------- */

static void read_info(struct context *context, const char *text)
{
	json_t *info = json_loads(text, 0, NULL);
	const char *version = json_string_value(json_object_get(info, "version"));
	const char *hostname = json_string_value(json_object_get(info, "hostname"));
	json_t *fingerprint = json_object_get(context->doc, "fingerprint");
	json_t *aliases = json_object_get(json_object_get(context->doc, "host"), "aliases");

	if (version) {
		json_object_set_new(fingerprint, "libvirt", json_string(version));
		probe_fact_text(context, "libvirt.version", version, &view, "virConnectGetLibVersion");
	}
	if (hostname) {
		json_object_set_new(aliases, "libvirt", json_string(hostname));
		/* The first to say a name is believed: this one's own, but for a remote host. */
		json_object_set_new(context->found, "hostname", json_string(hostname));
	}
	json_decref(info);
}

/* Returns false where there was nothing to ask or nothing came back. */
static bool read_all(struct reading *r, GError **error)
{
	struct context *context = r->context;
	g_autofree char *info = NULL, *text = NULL;
	g_autoptr(XmlDocument) xml = NULL;

	if (!libvirt_there(context, error))
		return false;
	r->models = probe_models(error);
	if (!r->models)
		return false;
	info = source_ask(context->source, "libvirt/info.json", ask_info, &r->link, error);
	if (!info)
		return false;
	read_info(context, info);
	probe_flush(context);
	text = source_ask(context->source, "libvirt/capabilities.xml", ask_capabilities, &r->link, error);
	xml = text ? xml_parse(text, strlen(text), "libvirt/capabilities.xml", error) : NULL;
	if (!xml || !read_capabilities(context->doc, xml, r->models, error))
		return false;
	probe_flush(context);
	read_guest_types(r, xml_root(xml));
	return true;
}

static void collect(struct context *context)
{
	/* Capabilities are for all to read, domain capabilities for writers only. */
	struct reading r = { .context = context,
			     .link = { .context = context, .want_write = true } };
	g_autoptr(GError) error = NULL;
	g_autofree char *reason = NULL;

	if (!context->options->remote)
		libvirt_read_cpu_map(context);
	probe_flush(context);
	if (!read_all(&r, &error)) {
		probe_report(context, &libvirt_probe, source_error_state(error), false, error->message);
	} else if (r.failed || r.left) {
		reason = g_strdup_printf("%u of %u domain capabilities missing: %s", r.failed + r.left,
					 r.asked + r.left,
					 r.why ? r.why : "no time for more (give more by --timeout)");
		probe_report(context, &libvirt_probe, "partial", false, reason);
	} else {
		probe_report(context, &libvirt_probe, "ok", false, NULL);
	}
	libvirt_close(&r.link);
	if (r.models)
		cpu_models_free(r.models);
	g_free(r.why);
}

const struct probe libvirt_probe = {
	.name = "libvirt",
	.help = "libvirt's capabilities, domain capabilities, and the CPU names it knows",
	.view = VIEWS,
	.percent = 60,
	.collect = collect,
};
