/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read-transcript.c: a recorded conversation with one or more QEMUs: commands, each followed by its
 * reply, as libvirt's tests keep them.
 *
 * Each process begins with qmp_capabilities. libvirt starts one with the host's accelerator and,
 * where that is not TCG, a second one with TCG.
 */
#include "config.h"

#include <string.h>

#include "read/read-qmp.h"

struct turn {
	const char *command;
	const json_t *arguments, *reply;
};

static bool answers(const json_t *reply, const json_t *command)
{
	const json_t *asked = json_object_get(command, "id");

	return (json_object_get(reply, "return") || json_object_get(reply, "error")) &&
	       (!asked || json_equal(asked, json_object_get(reply, "id")));
}

/* Commands and their replies; what was not answered, and events, are left out. */
static GArray *turns_of(const json_t *messages)
{
	GArray *turns = g_array_new(FALSE, TRUE, sizeof(struct turn));
	const json_t *message, *command = NULL;
	size_t i;

	json_array_foreach (messages, i, message) {
		if (json_is_string(json_object_get(message, "execute"))) {
			command = message;
		} else if (command && answers(message, command)) {
			struct turn turn = { json_string_value(json_object_get(command, "execute")),
					     json_object_get(command, "arguments"), message };

			g_array_append_val(turns, turn);
			command = NULL;
		}
	}
	return turns;
}

static bool is_start(const struct turn *turn)
{
	return !strcmp(turn->command, "qmp_capabilities");
}

static guint process_end(const GArray *turns, guint start)
{
	guint end = start + 1;

	while (end < turns->len && !is_start(&g_array_index(turns, struct turn, end)))
		end++;
	return end;
}

static const json_t *reply_to(const GArray *turns, guint start, guint end, const char *command)
{
	for (guint i = start; i < end; i++) {
		const struct turn *t = &g_array_index(turns, struct turn, i);

		if (!strcmp(t->command, command))
			return json_object_get(t->reply, "return");
	}
	return NULL;
}

static bool lists_type(const json_t *types, const char *name)
{
	const json_t *type;
	size_t i;

	json_array_foreach (types, i, type)
		if (!g_strcmp0(json_string_value(json_object_get(type, "name")), name))
			return true;
	return false;
}

/* The second process is TCG's; the first one is, unless it says otherwise. */
static const char *accel_of(const GArray *turns, guint start, guint end)
{
	const json_t *kvm = reply_to(turns, start, end, "query-kvm");

	if (json_is_true(json_object_get(kvm, "enabled")))
		return "kvm";
	return lists_type(reply_to(turns, start, end, "qom-list-types"), "hvf-accel") ? "hvf" : "tcg";
}

static const char *argument(const struct turn *turn, const char *key)
{
	return json_string_value(json_object_get(turn->arguments, key));
}

/* An expansion that was asked for with switches of its own says nothing of what guests get. */
static bool is_plain(const json_t *model)
{
	const json_t *props = json_object_get(model, "props");

	return !json_object_size(props) ||
	       (json_object_size(props) == 1 && json_object_get(props, "migratable"));
}

static bool read_turn(json_t *doc, const struct turn *turn, const struct scope *scope,
		      const struct cpu_models *models, const char *origin, GError **error)
{
	enum read_kind kind = read_qmp_kind(turn->reply);
	const json_t *model = json_object_get(turn->arguments, "model");
	const json_t *migratable = json_object_get(json_object_get(model, "props"), "migratable");
	struct scope own = *scope;
	const char *about = argument(turn, "typename");

	if (json_object_get(turn->reply, "error"))
		return true;
	if (!strcmp(turn->command, "query-cpu-model-expansion")) {
		if (!is_plain(model))
			return true;
		about = json_string_value(json_object_get(model, "name"));
		if (migratable)
			own.migratable = json_is_true(migratable);
	} else if (!strcmp(turn->command, "qom-list-properties")) {
		kind = READ_QMP_DEVICE_PROPERTIES;
	} else if (!strcmp(turn->command, "qom-list-types")) {
		about = argument(turn, "implements");
	}
	return read_qmp(doc, kind == READ_UNKNOWN ? READ_QMP_OTHER : kind, turn->reply, &own, about,
			models, origin, error);
}

bool read_qmp_transcript(json_t *doc, const json_t *messages, const struct scope *asked,
			 const struct cpu_models *models, const char *origin, GError **error)
{
	g_autoptr(GArray) turns = turns_of(messages);
	struct scope scope = *asked;
	guint end;

	if (!turns->len)
		return read_fail(error, origin, "no command in it was answered (is the file complete?)");
	for (guint start = 0; start < turns->len; start = end) {
		end = process_end(turns, start);
		if (!asked->accel)
			scope.accel = accel_of(turns, start, end);
		for (guint i = start; i < end; i++)
			if (!read_turn(doc, &g_array_index(turns, struct turn, i), &scope, models, origin,
				       error))
				return false;
	}
	return true;
}
