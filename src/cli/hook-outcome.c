/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hook-outcome.c: what became of a guest that was let in, by the hook's later calls.
 *
 * libvirt says "started" as soon as the QEMU that waits for the guest runs, and "stopped" both where
 * the move failed and where the guest ended a year later. Which of them it was, libvirt's own record
 * of the guest tells while it is still there (<domstatus state= reason=>, read as a file); where it
 * can't be read, a guest that stops soon after its start is taken for a failed move (a guess).
 */
#include "config.h"

#include <string.h>

#include "decisions.h"
#include "files.h"
#include "guest/xml.h"
#include "here.h"
#include "hook.h"

#define SOON 120 /* seconds */
#define WAIT_MS 500u

/* The guest's UUID by the definition on standard input, or NULL. */
static char *read_uuid(const struct hook_call *call)
{
	g_autofree char *bytes = NULL;
	g_autoptr(XmlDocument) xml = NULL;
	const struct xml_node *root, *uuid;
	gsize length;

	if (call->xml && file_read(call->xml, HOOK_MAX_XML, &bytes, &length, NULL))
		xml = xml_parse(bytes, length, "definition", NULL);
	root = xml ? xml_root(xml) : NULL;
	if (root && !strcmp(root->name, "domstatus"))
		root = xml_child(root, "domain");
	uuid = xml_child(root, "uuid");
	return uuid ? g_strdup(uuid->text) : NULL;
}

/* 1: it had arrived; 0: it was still coming; -1: nobody can tell. */
static int had_arrived(const struct hook_run *run)
{
	g_autofree char *name = g_strconcat(run->call->guest, ".xml", NULL);
	g_autofree char *path = g_build_filename(run->policy->libvirt_state, name, NULL);
	g_autofree char *bytes = NULL;
	g_autoptr(XmlDocument) xml = NULL;
	const char *state, *reason;
	gsize length;

	if (strchr(name, '/') || !file_read(path, HOOK_MAX_XML, &bytes, &length, NULL))
		return -1;
	xml = xml_parse(bytes, length, "status", NULL);
	state = xml ? xml_attr(xml_root(xml), "state") : NULL;
	reason = xml ? xml_attr(xml_root(xml), "reason") : NULL;
	if (!state)
		return -1;
	return strcmp(state, "paused") || (g_strcmp0(reason, "migration") && g_strcmp0(reason, "starting up"));
}

static bool stopped(struct store *store, const struct hook_run *run, const struct store_decision *move,
		    int64_t now, GError **error)
{
	const char *reason = run->call->reason;
	int arrived = had_arrived(run);

	if (!g_strcmp0(move->outcome, "arrived"))
		return move->left_time ||
		       store_set_outcome(store, move->id, NULL, NULL, now, now, error);
	if (!move->outcome)
		return store_set_outcome(store, move->id, "failed",
					 reason ? reason : "its QEMU never ran here", now, 0, error);
	if (arrived < 0)
		arrived = now - move->outcome_time > SOON;
	if (arrived)
		return store_set_outcome(store, move->id, "arrived", reason, now, now, error);
	return store_set_outcome(store, move->id, "failed",
				 reason ? reason : "its QEMU ended before the guest ran here", now, 0, error);
}

static bool note(struct store *store, const struct hook_run *run, const char *uuid, GError **error)
{
	g_autoptr(GPtrArray) rows = store_hosts(store, error);
	const struct store_host *own = rows ? here_find(rows, run->policy->host, error) : NULL;
	struct store_decision *move = NULL;
	int64_t now = g_get_real_time() / G_USEC_PER_SEC;
	int found = own ? store_last_move(store, own->name, uuid, run->call->guest, &move, error) : -1;
	bool ok = found >= 0;

	if (found == 1 && run->call->event == HOOK_STARTED && !move->outcome)
		ok = store_set_outcome(store, move->id, "started", NULL, now, 0, error);
	else if (found == 1 && run->call->event != HOOK_STARTED && g_strcmp0(move->outcome, "failed"))
		ok = stopped(store, run, move, now, error);
	store_decision_free(move);
	return ok;
}

bool hook_outcome(const struct hook_run *run, GError **error)
{
	g_autofree char *uuid = read_uuid(run->call);
	g_autoptr(Store) store = NULL;

	/* Without a database nothing was decided that could have come to anything. */
	if (!g_file_test(run->database, G_FILE_TEST_EXISTS))
		return true;
	store = store_open_within(run->database, false, MIN(WAIT_MS, run->policy->limit_ms / 2), error);
	return store && note(store, run, uuid, error);
}
