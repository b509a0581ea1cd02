/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd-drift.c: what has changed on the hosts since a time, and which guests does that hurt? */
#include "config.h"

#include <string.h>

#include "assumed-price.h"
#include "commands.h"
#include "load.h"

#define SINCE "7d"
#define DAY (24 * 3600)
#define MAX_AGE (INT64_C(1000000) * DAY)

static char *since;
static gboolean expand;

static const GOptionEntry entries[] = {
	{ "since", 0, 0, G_OPTION_ARG_STRING, &since, "A date, a time or an age: 2026-11-01, 2026-11-01T12:00, 36h (default " SINCE ")", "T" },
	{ "expand", 0, 0, G_OPTION_ARG_NONE, &expand, "Name all guests and hosts", NULL },
	{ 0 },
};

/* "7d": how long ago, in seconds; false where it is no age. */
static bool parse_age(const char *text, int64_t *seconds)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', DAY }, { 'w', 7 * DAY } };
	char *end;
	gint64 n = g_ascii_strtoll(text, &end, 10);

	if (!g_ascii_isdigit(*text) || !*end || end[1])
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
		if (*end == units[i].letter && n <= MAX_AGE / units[i].seconds) {
			*seconds = n * units[i].seconds;
			return true;
		}
	return false;
}

/* A date or a time as ISO 8601 has it, in local time where it doesn't say. */
static bool parse_time(const char *text, int64_t *time)
{
	static const char *const rest[] = { "", "T00:00:00", ":00" };
	g_autoptr(GTimeZone) zone = g_time_zone_new_local();

	for (size_t i = 0; i < G_N_ELEMENTS(rest); i++) {
		g_autofree char *whole = g_strconcat(text, rest[i], NULL);
		g_autoptr(GDateTime) parsed = NULL;

		g_strdelimit(whole, " ", 'T');
		parsed = g_date_time_new_from_iso8601(whole, zone);
		if (!parsed)
			continue;
		*time = g_date_time_to_unix(parsed);
		return true;
	}
	return false;
}

static bool parse_since(int64_t now, int64_t *time, GError **error)
{
	const char *text = since ? since : SINCE;
	int64_t age;

	if (parse_age(text, &age))
		*time = now - age;
	else if (!parse_time(text, time))
		g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
			    "drift: --since %s: neither a date nor a time nor an age (say 2026-11-01, 2026-11-01T12:00 or 7d)",
			    text);
	if (!*error && *time > now)
		g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
			    "drift: --since %s: has yet to come (give a time that is past)", text);
	return !*error;
}

static json_t *ask(struct session *s, GError **error)
{
	int64_t time = 0;

	if (!parse_since(s->answering.now, &time, error) || !session_since(s, time, error))
		return NULL;
	return answer_drift(&s->answering, s->guests, s->changes, time);
}

static int run(struct cli *cli, char **args)
{
	struct session session;
	GError *error = NULL;
	json_t *answer = NULL;
	int status;

	if (*args)
		return cli_usage(cli, "'%s' is not expected", *args);
	if (session_open(&session, cli, SESSION_FLEET, &error))
		answer = ask(&session, &error);
	if (answer)
		assumed_price(cli, &session, answer);
	status = answer ? cli_answer(cli, answer, answer_verdict_status(answer), expand) :
			  cli_fail(cli, error);
	session_close(&session);
	return status;
}

const struct command cmd_drift = {
	.name = "drift",
	.arguments = "",
	.help = "Say what has changed on the hosts, what it means, and which guests it hurts",
	.description =
		"T: a date or a time, local where no zone is given, or how long ago: 90m, 36h, 7d, 2w. With "
		"--assume\nthat too is a change; --since 0s asks about it alone.\n\n"
		"Exit status: 0 every guest still has somewhere to go, 1 some haven't any more, 3 of some it "
		"isn't known.",
	.entries = entries,
	.run = run,
};
