/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* twins.c: see twins.h. One walk over the text; only what begins with '"' or '<' is looked at. */
#include "config.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

#include "guest/twins.h"

#define MAX_PLAIN_NAME 128u
#define MAC_LENGTH 17u

/* What may be left out, and what mustn't follow it. */
struct own {
	char *text;
	size_t length;
	const char *unless; /* or NULL */
};

static bool is_plain_name(const char *name)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

	return name && *name && *name != '.' && strlen(name) <= MAX_PLAIN_NAME &&
	       !name[strspn(name, plain)];
}

static void own_init(struct own *own, const char *before, const char *value, const char *after,
		     const char *unless)
{
	own->text = g_strconcat(before, value, after, NULL);
	own->length = strlen(own->text);
	own->unless = unless;
}

/* Of an ordinary card: the bit that makes an address one of a group is clear, and it isn't zero. */
static bool is_card_address(const char *text)
{
	bool zero = true;

	for (size_t i = 0; i < MAC_LENGTH; i++) {
		if (i % 3 == 2 ? text[i] != ':' : !g_ascii_isxdigit(text[i]))
			return false;
		zero = zero && (text[i] == '0' || text[i] == ':');
	}
	return !zero && !(g_ascii_xdigit_value(text[1]) & 1);
}

/* How much of the text at @at is what may be left out. */
static size_t own_at(const char *at, const struct own *own, size_t n)
{
	static const char mac[] = "<mac address='";
	size_t start = sizeof(mac) - 1;

	for (size_t i = 0; i < n; i++)
		if (!strncmp(at, own[i].text, own[i].length) &&
		    (!own[i].unless || !g_str_has_prefix(at + own[i].length, own[i].unless)))
			return own[i].length;
	return !strncmp(at, mac, start) && is_card_address(at + start) ? start + MAC_LENGTH : 0;
}

/* Copies the start of <domain …>, but for the number that a running one has; where that ends. */
static const char *copy_domain(const char *at, GString *out)
{
	static const char id[] = " id='";
	const char *end = at + strcspn(at, ">"), *number = strstr(at, id);
	size_t digits = number ? strspn(number + sizeof(id) - 1, "0123456789") : 0;

	if (!digits || number > end || number[sizeof(id) - 1 + digits] != '\'')
		number = end;
	g_string_append_len(out, at, number - at);
	if (number == end)
		return end;
	g_string_append(out, " id='~");
	return number + sizeof(id) - 1 + digits;
}

char *twins_text(const char *text, const char *name, const char *uuid)
{
	GString *out = g_string_sized_new(strlen(text));
	struct own own[4];
	size_t n = 0;

	if (is_plain_name(name)) {
		/* a feature of the CPU may be called as the guest is */
		own_init(&own[n++], "\"name\":\"", name, "\"", ",\"policy\"");
		own_init(&own[n++], "<name>", name, "</name>", NULL);
	}
	if (uuid && g_uuid_string_is_valid(uuid) && !g_str_has_prefix(uuid, "00000000-0000-0000-")) {
		own_init(&own[n++], "\"uuid\":\"", uuid, "\"", NULL);
		own_init(&own[n++], "<uuid>", uuid, "</uuid>", NULL);
	}
	while (*text) {
		size_t plain = strcspn(text, "\"<"), skipped;

		g_string_append_len(out, text, (gssize)plain);
		text += plain;
		if (g_str_has_prefix(text, "<domain ")) {
			text = copy_domain(text, out);
			continue;
		}
		skipped = *text ? own_at(text, own, n) : 0;
		if (skipped)
			g_string_append_c(out, '~');
		else if (*text)
			g_string_append_c(out, *text++);
		text += skipped;
	}
	while (n > 0)
		g_free(own[--n].text);
	return g_string_free(out, FALSE);
}
