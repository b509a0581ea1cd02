/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* qemu-devices.c: see qemu-devices.h. */
#include "config.h"

#include <glib.h>
#include <string.h>

#include "qemu-devices.h"
#include "read/read.h"
#include "source.h"

#define TABLE "qemu-devices.tsv"
#define MAX_TYPES 500u

/* What qom-list-types is asked for: what it must implement, as the key of its reply. */
static const char *const type_kinds[] = { "device", "user-creatable" };

/* The first column of the rows below the table's head. */
static char **read_types(void)
{
	g_autoptr(GPtrArray) types = g_ptr_array_new();
	g_autofree char *text = NULL;
	bool head = true;
	size_t length;
	char *rest, *line;

	text = source_data_file(TABLE, &length);
	rest = text;
	while (types->len < MAX_TYPES && rest && (line = strsep(&rest, "\n"))) {
		if (*line == '#' || !*line)
			continue;
		if (!head)
			g_ptr_array_add(types, g_strndup(line, strcspn(line, "\t\r")));
		head = false;
	}
	g_ptr_array_add(types, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&types), FALSE);
}

/* The types that our data names, ended by NULL; none where it isn't found. */
static const char *const *device_types(void)
{
	static char **types;

	if (g_once_init_enter(&types))
		g_once_init_leave(&types, read_types());
	return (const char *const *)types;
}

struct qmp_job *qemu_devices_job(const char *emulator, const char *accel)
{
	struct qmp_job *job = qmp_job_new(emulator, accel, "none");

	job->part = "devices";
	qmp_job_ask(job, "status", "query-status", NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(type_kinds); i++)
		qmp_job_ask(job, type_kinds[i], "qom-list-types",
			    json_pack("{s:s, s:b}", "implements", type_kinds[i], "abstract", false));
	for (const char *const *type = device_types(); *type; type++)
		qmp_job_ask(job, *type, "device-list-properties", json_pack("{s:s}", "typename", *type));
	return job;
}

/* An error is an answer too (no such device): then there is nothing to tell. */
static void read_reply(json_t *doc, const struct qmp_job *job, const char *key, enum read_kind kind)
{
	const struct scope scope = { VIEW_QEMU, job->emulator, job->accel, job->machine, true };
	const json_t *reply = json_object_get(job->replies, key);

	if (reply && json_object_get(reply, "return"))
		read_qmp(doc, kind, reply, &scope, key, NULL,
			 kind == READ_QMP_TYPES ? "QMP qom-list-types" : "QMP device-list-properties", NULL);
}

void qemu_devices_read(json_t *doc, const struct qmp_job *job)
{
	for (size_t i = 0; i < G_N_ELEMENTS(type_kinds); i++)
		read_reply(doc, job, type_kinds[i], READ_QMP_TYPES);
	for (const char *const *type = device_types(); *type; type++)
		read_reply(doc, job, *type, READ_QMP_DEVICE_PROPERTIES);
}
