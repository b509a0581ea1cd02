/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* read-kind.c: telling files apart, by what they hold and by what a recording calls them. */
#include "config.h"

#include <string.h>

#include "model/profile.h"
#include "guest/argv.h"
#include "guest/needs.h"
#include "read/read-kubernetes.h"
#include "read/read-parts.h"

#define LOOK_AT_MOST 65536u /* bytes, for an XML document's first element and a text's first line */

static const char *find(const char *at, const char *end, const char *what)
{
	return memmem(at, (size_t)(end - at), what, strlen(what));
}

/* Where the first element starts: past declarations and comments; NULL where there is none. */
static const char *first_element(const char *at, const char *end)
{
	while (at < end) {
		if (g_ascii_isspace(*at)) {
			at++;
			continue;
		}
		if (*at != '<')
			return NULL;
		if (end - at > 4 && !memcmp(at, "<!--", 4))
			at = find(at, end, "-->");
		else if (end - at > 2 && (at[1] == '?' || at[1] == '!'))
			at = find(at, end, ">");
		else
			return at + 1;
		at = at ? find(at, end, ">") : NULL;
		if (!at)
			return NULL;
		at++;
	}
	return NULL;
}

static enum read_kind xml_kind(const char *bytes, const char *end)
{
	static const struct {
		const char *root;
		enum read_kind kind;
	} roots[] = {
		{ "capabilities", READ_CAPABILITIES }, { "cpu", READ_CPU },
		{ "cpudata", READ_CPUID_XML },	       { "domain", READ_DOMAIN },
		{ "domainCapabilities", READ_DOMCAPABILITIES }, { "qemuCaps", READ_QEMUCAPS },
		{ "domainsnapshot", READ_DOMAIN },     { "domstatus", READ_DOMAIN },
	};
	const char *name = first_element(bytes, end);
	size_t length = 0;

	while (name && name + length < end && g_ascii_isalnum(name[length]))
		length++;
	for (size_t i = 0; i < G_N_ELEMENTS(roots); i++)
		if (length == strlen(roots[i].root) && !memcmp(name, roots[i].root, length))
			return roots[i].kind;
	return READ_UNKNOWN;
}

static enum read_kind json_kind(const char *bytes, size_t length)
{
	json_t *json;
	const char *format;
	enum read_kind kind = READ_UNKNOWN;

	if (length > PROFILE_MAX_BYTES)
		return READ_UNKNOWN;
	json = json_loadb(bytes, length, JSON_DISABLE_EOF_CHECK | JSON_DECODE_INT_AS_REAL, NULL);
	format = json_string_value(json_object_get(json, "format"));
	if (format && g_str_has_prefix(format, "capbroker.profile/"))
		kind = READ_PROFILE;
	else if (format && g_str_has_prefix(format, "capbroker.guests/"))
		kind = READ_GUESTS;
	else if (kubernetes_is(json))
		kind = READ_KUBERNETES;
	else if (json)
		kind = read_qmp_kind(json);
	json_decref(json);
	return kind;
}

/* A first line of six hexadecimal words, after comments. */
static bool is_cpuid(const char *text)
{
	g_autoptr(GArray) rows = NULL;

	while (*text == '#' || *text == '\n' || *text == '\r' || g_str_has_prefix(text, "CPU")) {
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	rows = read_cpuid_lines(text, strcspn(text, "\n"), "", NULL);
	return rows != NULL;
}

static bool is_identical(const char *text)
{
	size_t line = strcspn(text, "\n");
	const char *tab = memchr(text, '\t', line);

	return tab && tab > text && !memchr(tab + 1, '\t', line - (size_t)(tab + 1 - text)) &&
	       !memchr(text, ' ', line) && !memchr(text, '/', line);
}

static enum read_kind text_kind(const char *bytes, const char *end)
{
	static const char *const errors[] = { "ERROR:", "error:", "qemu-system-", "qemu-kvm:" };
	g_autofree char *text = g_strndup(bytes, MIN((size_t)(end - bytes), LOOK_AT_MOST));
	const char *valid = text;

	/* noise may begin with anything; a character may be cut in two where the look ends */
	if (strlen(text) < MIN((size_t)(end - bytes), LOOK_AT_MOST) ||
	    (!g_utf8_validate(text, -1, &valid) && strlen(valid) > 3))
		return READ_UNKNOWN;
	for (size_t i = 0; i < G_N_ELEMENTS(errors); i++)
		if (g_str_has_prefix(text, errors[i]))
			return READ_ERROR_TEXT;
	if (g_str_has_prefix(text, "Compiled against library:") ||
	    g_str_has_prefix(text, "Using library:") || strstr(text, "\nRunning hypervisor:"))
		return READ_VIRSH_VERSION;
	if (is_cpuid(text))
		return READ_CPUID_LINES;
	return is_identical(text) ? READ_IDENTICAL : READ_UNKNOWN;
}

enum read_kind read_kind(const char *bytes, size_t length)
{
	const char *end = bytes + length;

	if (length >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3))
		bytes += 3;
	while (bytes < end && g_ascii_isspace(*bytes))
		bytes++;
	if (bytes == end)
		return READ_UNKNOWN;
	if (*bytes == '<')
		return xml_kind(bytes, MIN(end, bytes + LOOK_AT_MOST));
	if (*bytes == '{' || *bytes == '[')
		return json_kind(bytes, (size_t)(end - bytes));
	if (argv_is(bytes, (size_t)(end - bytes)))
		return READ_ARGV;
	return text_kind(bytes, end);
}

static char *between(const char *from, const char *to)
{
	return to > from ? g_strndup(from, (size_t)(to - from)) : NULL;
}

/* The command starts at the first of these; what is before it is the machine type. */
static const char *find_command(const char *text)
{
	static const char *const starts[] = { "-query-", "-device-list-", "-qom-list-" };
	const char *first = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(starts); i++) {
		const char *at = strstr(text, starts[i]);

		if (at && (!first || at < first))
			first = at;
	}
	return first;
}

bool read_scope_from_name(const char *name, char **accel, char **machine, char **model)
{
	static const char *const arguments[] = { "-expansion-full-", "-expansion-static-",
						 "-device-list-properties-", "-qom-list-types-" };
	g_autofree char *base = g_path_get_basename(name);
	char *suffix = strrchr(base, '.');
	const char *start, *dash, *command;

	*accel = *machine = *model = NULL;
	if (!g_str_has_prefix(base, "qmp-"))
		return false;
	if (suffix && !strcmp(suffix, ".json"))
		*suffix = 0;
	start = base + strlen("qmp-");
	dash = strchr(start, '-');
	command = dash ? find_command(dash) : NULL;
	if (!command || command == dash)
		return false;
	*accel = between(start, dash);
	*machine = between(dash + 1, command);
	for (size_t i = 0; i < G_N_ELEMENTS(arguments) && !*model; i++) {
		const char *at = strstr(command, arguments[i]);

		if (at)
			*model = between(at + strlen(arguments[i]), base + strlen(base));
	}
	return true;
}

GPtrArray *read_identical(const char *bytes, size_t length)
{
	GPtrArray *pairs = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *text = g_strndup(bytes, MIN(length, XML_MAX_BYTES));
	char *rest = text, *line;

	while ((line = strsep(&rest, "\n"))) {
		char *tab = strchr(line, '\t');

		line[strcspn(line, "\r")] = 0;
		if (!tab || tab == line || !tab[1] || strchr(line, '/') || strchr(tab + 1, '\t'))
			continue;
		*tab = 0;
		g_ptr_array_add(pairs, g_strdup(line));
		g_ptr_array_add(pairs, g_strdup(tab + 1));
	}
	return pairs;
}
