/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* validity.c: see validity.h. Only a host that may be this one is asked, by a quick probe. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "files.h"
#include "import-probe.h"
#include "model/document.h"
#include "validity.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

static json_t *answer(const char *state, json_t *changed, const char *reason)
{
	return json_pack("{s:s, s:o, s:s*}", "state", state, "changed",
			 changed ? changed : json_array(), "reason", reason);
}

/* Another host's name and boot are another's. */
static bool may_be_here(const struct host *host, const json_t *fingerprint)
{
	g_autofree char *boot = NULL;

	if (!strcmp(host->name, g_get_host_name()))
		return true;
	return g_file_get_contents(BOOT_ID, &boot, NULL, NULL) &&
	       !g_strcmp0(g_strchomp(boot), member_text(fingerprint, "boot_id"));
}

/* What the kernel's probe says now, or NULL. */
static json_t *ask_here(void)
{
	const char *const arguments[] = { "--only", "kernel", NULL };
	struct probe_run *run = probe_run_start("this host", arguments, NULL);
	g_autofree char *bytes = NULL;
	json_t *doc = NULL;
	int status = -1;
	gsize length;

	if (!run)
		return NULL;
	while (waitpid(run->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status == 0 && file_read(run->profile, PROFILE_MAX_BYTES, &bytes, &length, NULL))
		doc = json_loadb(bytes, length, 0, NULL);
	probe_run_free(run);
	return doc;
}

/* The same machine: by its boot or UUID; by its name where UUIDs are of different kinds. */
static bool is_same(const json_t *then, const json_t *now)
{
	const json_t *host = json_object_get(then, "host"), *here = json_object_get(now, "host");
	const char *boot = member_text(json_object_get(then, "fingerprint"), "boot_id");

	if (boot && !g_strcmp0(boot, member_text(json_object_get(now, "fingerprint"), "boot_id")))
		return true;
	if (!g_strcmp0(member_text(host, "uuid_from"), member_text(here, "uuid_from")))
		return !g_strcmp0(member_text(host, "uuid"), member_text(here, "uuid"));
	return !g_strcmp0(member_text(host, "name"), member_text(here, "name"));
}

static bool emulator_changed(const json_t *emulator)
{
	const char *path = member_text(emulator, "path");
	struct stat st;

	if (!path)
		return false;
	return stat(path, &st) < 0 ||
	       st.st_size != json_integer_value(json_object_get(emulator, "size")) ||
	       st.st_mtime != json_integer_value(json_object_get(emulator, "mtime")) ||
	       (json_int_t)st.st_ino != json_integer_value(json_object_get(emulator, "inode"));
}

/* What is told both then and now, and differs; emulators by their files. */
static json_t *differences(const json_t *then, const json_t *now)
{
	static const char *const members[] = { "kernel", "cmdline", "microcode", "modules", "boot_id" };
	json_t *changed = json_array();
	const json_t *emulator;
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(members); i++) {
		const json_t *was = json_object_get(then, members[i]);
		const json_t *is = json_object_get(now, members[i]);

		if (was && is && !json_equal(was, is))
			json_array_append_new(changed, json_string(members[i]));
	}
	json_array_foreach (json_object_get(then, "emulators"), i, emulator)
		if (emulator_changed(emulator))
			json_array_append(changed, json_object_get(emulator, "path"));
	return changed;
}

json_t *validity_of(const struct host *host, const struct profile *own)
{
	const json_t *fingerprint = json_object_get(own->doc, "fingerprint");
	json_t *now, *changed, *result;

	if (json_object_get(fingerprint, "imported") || !json_object_get(fingerprint, "kernel"))
		return answer("unknown", NULL, "it was imported");
	now = may_be_here(host, fingerprint) ? ask_here() : NULL;
	if (!now || !is_same(own->doc, now)) {
		json_decref(now);
		return answer("unknown", NULL, "it isn't this host");
	}
	changed = differences(fingerprint, json_object_get(now, "fingerprint"));
	result = answer(json_array_size(changed) ? "changed" : "same", changed, NULL);
	json_decref(now);
	return result;
}

/* --- without a probe -------------------------------------------------------------------------- */

static char *first_line(const char *path)
{
	char *text = NULL;

	return g_file_get_contents(path, &text, NULL, NULL) ? g_strchomp(text) : NULL;
}

/* What is told then and can be read now, and differs. A parameter that is gone went with its module. */
static void compare_parameters(const json_t *then, json_t *changed)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)then, key, value) {
		const char *dot = strchr(key, '.');
		g_autofree char *module = dot ? g_strndup(key, (gsize)(dot - key)) : NULL;
		g_autofree char *path = dot ? g_build_filename("/sys/module", module, "parameters", dot + 1,
							       NULL) : NULL;
		g_autofree char *now = path && !strchr(key, '/') ? first_line(path) : NULL;

		if (g_strcmp0(now, json_string_value(value))) {
			json_array_append_new(changed, json_string(key));
			return;
		}
	}
}

/* Of the first processor. */
static char *microcode_now(void)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[4096], *found = NULL;

	while (file && !found && fgets(line, sizeof(line), file) && *line != '\n')
		if (g_str_has_prefix(line, "microcode") && strchr(line, ':'))
			found = g_strstrip(g_strdup(strchr(line, ':') + 1));
	if (file)
		fclose(file);
	return found;
}

static void compare_text(const json_t *then, const char *member, const char *now, json_t *changed)
{
	const char *was = member_text(then, member);

	if (was && now && strcmp(was, now))
		json_array_append_new(changed, json_string(member));
}

json_t *validity_quick(const char *fingerprint)
{
	json_t *then = json_loads(fingerprint, 0, NULL), *changed = json_array(), *emulator;
	g_autofree char *boot = first_line(BOOT_ID), *line = first_line("/proc/cmdline");
	g_autofree char *microcode = microcode_now();
	struct utsname name;
	size_t i;

	if (!then || json_object_get(then, "imported") || !json_object_get(then, "kernel")) {
		json_decref(then);
		json_decref(changed);
		return NULL;
	}
	compare_text(then, "boot_id", boot, changed);
	compare_text(then, "kernel", uname(&name) == 0 ? name.release : NULL, changed);
	compare_text(then, "cmdline", line, changed);
	compare_text(then, "microcode", microcode, changed);
	compare_parameters(json_object_get(then, "modules"), changed);
	json_array_foreach (json_object_get(then, "emulators"), i, emulator)
		if (emulator_changed(emulator))
			json_array_append(changed, json_object_get(emulator, "path"));
	json_decref(then);
	return changed;
}
