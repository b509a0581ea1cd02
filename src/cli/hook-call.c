/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hook-call.c: what each dialect's arguments and environment mean.
 *
 * libvirt: GUEST OPERATION SUB-OPERATION EXTRA, the definition on standard input; seen with 9.0,
 * 11.3 and 12.8. VDSM: the definition in the file that $_hook_domxml names (read in its sources'
 * documentation, not tried). Ganeti: a phase in $GANETI_HOOKS_PHASE, no definition of any kind (a
 * guess as to what is worth asking: the name alone).
 */
#include "config.h"

#include <string.h>

#include "hook.h"

static bool is(const char *a, const char *b)
{
	return !g_strcmp0(a, b);
}

static bool read_libvirt(char **args, struct hook_call *call)
{
	const char *operation = args[0] ? args[1] : NULL, *sub = operation ? args[2] : NULL;
	const char *extra = sub ? args[3] : NULL;

	if (!sub)
		return false;
	call->guest = args[0];
	call->xml = "-";
	if ((is(operation, "migrate") || is(operation, "restore")) && is(sub, "begin"))
		call->event = HOOK_ARRIVES;
	else if (is(operation, "started") && is(sub, "begin"))
		call->event = HOOK_STARTED;
	else if (is(operation, "stopped") && is(sub, "end"))
		call->event = HOOK_STOPPED;
	else if (is(operation, "release") && is(sub, "end"))
		call->event = HOOK_RELEASED;
	if (extra && *extra && strcmp(extra, "-"))
		call->reason = extra;
	return true;
}

static bool read_vdsm(char **args, struct hook_call *call)
{
	static const struct {
		const char *point;
		enum hook_event event;
	} points[] = {
		{ "before_vm_migrate_destination", HOOK_ARRIVES },
		{ "after_vm_migrate_destination", HOOK_STARTED },
		{ "after_vm_destroy", HOOK_STOPPED },
	};

	if (!args[0])
		return false;
	call->xml = g_getenv("_hook_domxml");
	call->guest = g_getenv("vmName") ? g_getenv("vmName") : "guest";
	for (size_t i = 0; i < G_N_ELEMENTS(points); i++)
		if (is(args[0], points[i].point))
			call->event = points[i].event;
	return call->event == HOOK_NOTHING || call->xml;
}

static bool read_ganeti(char **args, struct hook_call *call)
{
	const char *phase = g_getenv("GANETI_HOOKS_PHASE"), *path = g_getenv("GANETI_HOOKS_PATH");

	(void)args;
	call->guest = g_getenv("GANETI_INSTANCE_NAME");
	if (is(path, "instance-migrate") && is(phase, "pre"))
		call->event = HOOK_ARRIVES;
	return call->guest && path && phase;
}

bool hook_call_read(const char *dialect, char **args, struct hook_call *call)
{
	*call = (struct hook_call){ .event = HOOK_NOTHING };
	if (is(dialect, "libvirt"))
		return read_libvirt(args, call);
	if (is(dialect, "vdsm"))
		return read_vdsm(args, call);
	return is(dialect, "ganeti") && read_ganeti(args, call);
}
