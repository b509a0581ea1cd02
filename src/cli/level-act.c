/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* level-act.c: who does something to levels, and what they are told of it; see level-parts.h. */
#include "config.h"

#include "answer/override.h"
#include "author.h"
#include "level-parts.h"

bool level_act_now(struct store_act *act, const char *reason, int64_t now, GError **error)
{
	*act = (struct store_act){ .time = now };
	if (reason && !is_reason(reason)) {
		g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
			    "level: --reason: one line of at most %d bytes is expected (see capbroker level --help)",
			    REASON_MAX);
		return false;
	}
	act->author = author_name(&act->uid);
	act->reason = g_strdup(reason ? reason : "");
	return true;
}

void level_act_clear(struct store_act *act)
{
	g_clear_pointer(&act->author, g_free);
	g_clear_pointer(&act->reason, g_free);
}

bool level_option_date(const char *option, const char *text, GError **error)
{
	if (!text || level_date_valid(text))
		return true;
	g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
		    "level: --%s %s: is no day (write it as 2026-12-24)", option, text);
	return false;
}

json_t *level_changed(const char *action, const char *level, const struct store_act *act)
{
	g_autofree char *at = time_text(act->time);
	json_t *answer = answer_new("level-change");

	json_object_update_new(answer, json_pack("{s:s, s:s, s:s, s:I, s:s, s:s}", "action", action, "level", level,
						 "by", act->author, "uid", (json_int_t)act->uid, "at", at, "reason",
						 act->reason));
	return answer;
}
