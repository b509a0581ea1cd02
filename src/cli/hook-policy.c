/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hook-policy.c: hook.conf, a key file of one group [hook]; see capbroker-hook(8). */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "hook.h"

#define GROUP "hook"
#define LIMIT_MIN 50
#define LIMIT_MAX 60000

static bool wrong(const char *key, const char *value, const char *expected, GError **error)
{
	g_set_error(error, CLI_ERROR, CLI_ERROR_IO, "%s: '%s' is not understood (%s is expected)", key,
		    value, expected);
	return false;
}

/* One of two words; false keeps the default where the key isn't there. */
static bool read_word(GKeyFile *file, const char *key, const char *no, const char *yes, bool *value,
		      GError **error)
{
	g_autofree char *text = g_key_file_get_string(file, GROUP, key, NULL);
	g_autofree char *expected = g_strdup_printf("%s or %s", no, yes);

	if (!text)
		return true;
	if (strcmp(g_strstrip(text), no) && strcmp(text, yes))
		return wrong(key, text, expected, error);
	*value = !strcmp(text, yes);
	return true;
}

static bool read_effects(GKeyFile *file, unsigned int *effects, GError **error)
{
	g_auto(GStrv) names = g_key_file_get_string_list(file, GROUP, "enforce", NULL, NULL);

	if (names)
		*effects = 0;
	for (size_t i = 0; names && names[i]; i++) {
		unsigned int e = 0;

		while (e < EFFECTS && strcmp(g_strstrip(names[i]), effect_name(e)))
			e++;
		if (e == EFFECTS)
			return wrong("enforce", names[i],
				     "hazard, fails-safely, trapped or security-loss", error);
		*effects |= 1u << e;
	}
	return true;
}

static bool read_limit(GKeyFile *file, unsigned int *limit, GError **error)
{
	g_autofree char *text = g_key_file_get_string(file, GROUP, "limit-ms", NULL);
	guint64 n;

	if (!text)
		return true;
	if (!g_ascii_string_to_unsigned(g_strstrip(text), 10, LIMIT_MIN, LIMIT_MAX, &n, NULL))
		return wrong("limit-ms", text, "a number from 50 to 60000", error);
	*limit = (unsigned int)n;
	return true;
}

static bool read_path(GKeyFile *file, const char *key, char **path, GError **error)
{
	g_autofree char *text = g_key_file_get_string(file, GROUP, key, NULL);

	if (!text)
		return true;
	if (!g_path_is_absolute(g_strstrip(text)))
		return wrong(key, text, "an absolute path", error);
	g_free(*path);
	*path = g_steal_pointer(&text);
	return true;
}

/* A key that is spelled wrong would go unnoticed otherwise. */
static bool check_keys(GKeyFile *file, GError **error)
{
	static const char *const known[] = { "mode", "enforce", "unknown", "failure", "changed",
					     "reprobe", "limit-ms", "database", "host", "kill-switch",
					     "libvirt-state", NULL };
	g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);
	g_auto(GStrv) keys = g_key_file_get_keys(file, GROUP, NULL, NULL);

	for (size_t i = 0; groups[i]; i++)
		if (strcmp(groups[i], GROUP))
			return wrong("group", groups[i], "[" GROUP "] alone", error);
	for (size_t i = 0; keys && keys[i]; i++)
		if (!g_strv_contains(known, keys[i])) {
			g_set_error(error, CLI_ERROR, CLI_ERROR_IO,
				    "%s: no such key (see capbroker-hook(8))", keys[i]);
			return false;
		}
	return true;
}

static bool read_all(GKeyFile *file, struct hook_policy *p, GError **error)
{
	char *host = g_key_file_get_string(file, GROUP, "host", NULL);

	g_free(p->host);
	p->unknown_said = g_key_file_has_key(file, GROUP, "unknown", NULL);
	p->host = host && *g_strstrip(host) ? g_strdup(host) : NULL;
	g_free(host);
	return check_keys(file, error) && read_word(file, "mode", "report", "enforce", &p->enforce, error) &&
	       read_effects(file, &p->effects, error) &&
	       read_word(file, "unknown", "allow", "refuse", &p->refuse_unknown, error) &&
	       read_word(file, "failure", "allow", "refuse", &p->refuse_failure, error) &&
	       read_word(file, "changed", "unknown", "trust", &p->trust_changed, error) &&
	       read_word(file, "reprobe", "no", "yes", &p->reprobe, error) &&
	       read_limit(file, &p->limit_ms, error) && read_path(file, "database", &p->database, error) &&
	       read_path(file, "kill-switch", &p->kill_switch, error) &&
	       read_path(file, "libvirt-state", &p->libvirt_state, error);
}

bool hook_policy_read(const char *path, struct hook_policy *p, GError **error)
{
	static const struct hook_policy usual = { .effects = 1u << EFFECT_HAZARD,
						  .reprobe = true, .limit_ms = 2000 };
	g_autoptr(GKeyFile) file = g_key_file_new();
	const char *name = path ? path : HOOK_CONFIG;
	bool ok = true;

	*p = usual;
	p->kill_switch = g_strdup("/run/capbroker/hook-off");
	p->libvirt_state = g_strdup("/run/libvirt/qemu");
	if (path || access(name, F_OK) == 0)
		ok = g_key_file_load_from_file(file, name, G_KEY_FILE_NONE, error) && read_all(file, p, error);
	if (!ok) {
		g_prefix_error(error, "%s: ", name);
		p->enforce = p->refuse_unknown = p->refuse_failure = false;
		p->unknown_said = true;
	}
	p->off = access(p->kill_switch, F_OK) == 0;
	return ok;
}

void hook_policy_clear(struct hook_policy *p)
{
	g_free(p->database);
	g_free(p->host);
	g_free(p->kill_switch);
	g_free(p->libvirt_state);
}

const char *hook_mode(const struct hook_policy *policy)
{
	return policy->off ? "off" : policy->enforce ? "enforce" : "report";
}
