/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* argv-words.c: a command taken apart into words; see argv.h. */
#include "config.h"

#include <string.h>

#include "guest/argv.h"
#include "guest/argv-parts.h"
#include "model/error.h"

#define LOOK_AT 4096u  /* bytes in which the program's name must stand */
#define FIRST_WORDS 16u /* what may stand before it: taskset, numactl, variables */

static bool fail(GError **error, const char *where, const char *what, const char *fix)
{
	g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "%s: %s (%s)", where, what, fix);
	return false;
}

bool argv_is_program(const char *word)
{
	const char *base = strrchr(word, '/');
	const char *name = base ? base + 1 : word;

	if (!strcmp(name, "kvm") || !strcmp(name, "qemu-kvm"))
		return true;
	if (!g_str_has_prefix(name, "qemu-system-"))
		return false;
	name += strlen("qemu-system-");
	return *name && !name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-")];
}

/* What is being read of a shell's line. */
struct reading {
	const char *at, *end;
	GString *word;
	bool begun; /* a word was begun, if only by empty quotes */
	unsigned int line;
};

static bool shell_fail(const struct reading *r, const char *what, const char *fix, GError **error)
{
	g_autofree char *where = g_strdup_printf("line %u", r->line);

	return fail(error, where, what, fix);
}

static bool read_single(struct reading *r, GError **error)
{
	for (r->at++; r->at < r->end && *r->at != '\''; r->at++) {
		r->line += *r->at == '\n';
		g_string_append_c(r->word, *r->at);
	}
	return r->at < r->end || shell_fail(r, "a quote is not closed", "close it", error);
}

static bool read_double(struct reading *r, GError **error)
{
	for (r->at++; r->at < r->end && *r->at != '"'; r->at++) {
		if (*r->at == '$' || *r->at == '`')
			return shell_fail(r, "something is left for a shell to work out",
					  "give the command as it is run", error);
		if (*r->at == '\\' && r->at + 1 < r->end && strchr("\"\\$`\n", r->at[1])) {
			r->at++;
			if (*r->at == '\n') {
				r->line++;
				continue;
			}
		}
		r->line += *r->at == '\n';
		g_string_append_c(r->word, *r->at);
	}
	return r->at < r->end || shell_fail(r, "a quote is not closed", "close it", error);
}

/* A backslash: a line goes on, or the next character is meant as it is. */
static void read_escaped(struct reading *r)
{
	if (r->at + 1 >= r->end)
		return;
	r->at++;
	if (*r->at == '\r' && r->at + 1 < r->end && r->at[1] == '\n')
		r->at++;
	if (*r->at == '\n') {
		r->line++;
		return;
	}
	r->begun = true;
	g_string_append_c(r->word, *r->at);
}

static bool add_word(GPtrArray *words, const char *word, GError **error)
{
	if (words->len >= ARGV_MAX_WORDS)
		return fail(error, "command", "more than 16384 words", "is it one guest's?");
	if (!g_utf8_validate(word, -1, NULL))
		return fail(error, "command", "a word that is no UTF-8", "give QEMU's arguments alone");
	g_ptr_array_add(words, g_strdup(word));
	return true;
}

static bool end_word(struct reading *r, GPtrArray *words, GError **error)
{
	bool ok = !r->begun || add_word(words, r->word->str, error);

	r->begun = false;
	g_string_truncate(r->word, 0);
	return ok;
}

static bool read_one(struct reading *r, GPtrArray *words, GError **error)
{
	char c = *r->at;

	if (g_ascii_isspace(c)) {
		r->line += c == '\n';
		return end_word(r, words, error);
	}
	if (c == '\'' || c == '"') {
		r->begun = true;
		return c == '"' ? read_double(r, error) : read_single(r, error);
	}
	if (c == '\\') {
		read_escaped(r);
		return true;
	}
	if (strchr("$`;|&<>()", c))
		return shell_fail(r, "something is left for a shell to work out",
				  "quote it, or give the command as it is run", error);
	r->begun = true;
	g_string_append_c(r->word, c);
	return true;
}

static bool split_shell(const char *bytes, size_t length, GPtrArray *words, GError **error)
{
	struct reading r = { bytes, bytes + length, g_string_new(NULL), false, 1 };
	bool ok = true;

	for (; ok && r.at < r.end; r.at++)
		ok = read_one(&r, words, error);
	ok = ok && end_word(&r, words, error);
	g_string_free(r.word, TRUE);
	return ok;
}

static bool split_nul(const char *bytes, size_t length, GPtrArray *words, GError **error)
{
	for (const char *at = bytes, *end = bytes + length; at < end;) {
		g_autofree char *word = g_strndup(at, (size_t)(end - at));

		if (!add_word(words, word, error))
			return false;
		at += strlen(word) + 1;
	}
	return true;
}

/* The word that is the program; -1: none of the first is. */
static int find_program(const GPtrArray *words)
{
	for (guint i = 0; i < words->len && i < FIRST_WORDS; i++)
		if (argv_is_program(g_ptr_array_index(words, i)))
			return (int)i;
	return -1;
}

bool argv_is(const char *bytes, size_t length)
{
	size_t looked = MIN(length, LOOK_AT);
	bool nul = memchr(bytes, 0, looked) != NULL;
	unsigned int words = 0;
	bool program = false;

	for (size_t at = 0; at < looked && words < FIRST_WORDS + 1; words++) {
		g_autofree char *word = NULL;
		size_t start;

		while (at < looked && !nul && (g_ascii_isspace(bytes[at]) || strchr("\\'\"", bytes[at])))
			at++;
		start = at;
		while (at < looked && bytes[at] && (nul || !(g_ascii_isspace(bytes[at]) || strchr("'\"", bytes[at]))))
			at++;
		word = g_strndup(bytes + start, at - start);
		at++;
		if (program)
			return *word == '-';
		program = argv_is_program(word);
	}
	return false;
}

char **argv_words(const char *bytes, size_t length, GError **error)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
	int program;

	if (length > ARGV_MAX_BYTES) {
		fail(error, "command", "longer than 1 MiB", "is it one guest's?");
		return NULL;
	}
	if (!(memchr(bytes, 0, length) ? split_nul : split_shell)(bytes, length, words, error))
		return NULL;
	program = find_program(words);
	if (program < 0) {
		fail(error, "command", "none of its first words is a program called kvm or qemu-system-NAME",
		     "give QEMU's command, as 'qm showcmd VMID' prints it");
		return NULL;
	}
	if (program)
		g_ptr_array_remove_range(words, 0, (guint)program);
	g_ptr_array_add(words, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&words), FALSE);
}
