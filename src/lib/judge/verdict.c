/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verdict.c: names and lives of verdicts; see verdict.h. */
#include "config.h"

#include <string.h>

#include "judge/verdict.h"

void finding_free(struct finding *f)
{
	json_decref(f->need);
	json_decref(f->have);
	g_free(f->where);
	g_free(f->origin);
	g_free(f->text);
	g_free(f->fix);
	g_free(f);
}

void verdicts_free(struct verdicts *v)
{
	if (!v)
		return;
	g_ptr_array_foreach(v->findings, (GFunc)(void (*)(void))finding_free, NULL);
	g_ptr_array_unref(v->findings);
	g_clear_pointer(&v->missing, g_ptr_array_unref);
	g_clear_pointer(&v->extra, g_ptr_array_unref);
	g_free(v->states);
	g_free(v->reason);
	g_free(v);
}

static int worst_first(const void *a, const void *b)
{
	const struct finding *x = *(struct finding *const *)a, *y = *(struct finding *const *)b;

	if (x->verdict != y->verdict)
		return x->verdict > y->verdict ? -1 : 1;
	return strcmp(x->check, y->check);
}

void verdicts_sort(struct verdicts *verdicts)
{
	g_ptr_array_sort(verdicts->findings, worst_first);
}

enum verdict verdicts_answer(const struct verdicts *verdicts, enum question question)
{
	return question == ASK_HOTPLUG ? verdicts->hotplug :
	       question == ASK_START   ? verdicts->start :
					 verdicts->migrate;
}

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = { "ok", "warn", "unknown", "block" };

	_Static_assert(G_N_ELEMENTS(names) == VERDICTS, "a verdict without a name");
	return names[verdict];
}

const char *effect_name(enum effect effect)
{
	static const char *const names[] = { "fails-safely", "hazard", "trapped", "security-loss" };

	_Static_assert(G_N_ELEMENTS(names) == EFFECTS, "an effect without a name");
	return names[effect];
}

static enum check_state *state_of(const struct verdicts *v, const char *check)
{
	for (size_t i = 0; v->states && i < check_count; i++)
		if (!strcmp(check_at(i)->name, check))
			return &v->states[i];
	return NULL;
}

enum check_state verdicts_state(const struct verdicts *v, const char *check)
{
	const enum check_state *state = state_of(v, check);

	return state ? *state : CHECK_UNCHECKED;
}

void verdicts_set_state(struct verdicts *v, const char *check, enum check_state state)
{
	enum check_state *place = state_of(v, check);

	if (place)
		*place = state;
}

const char *question_name(enum question question)
{
	static const char *const names[] = { "start", "migrate", "hotplug" };

	_Static_assert(G_N_ELEMENTS(names) == QUESTIONS, "a question without a name");
	return names[question];
}
