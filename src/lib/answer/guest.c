/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* guest.c: known guests and how they are judged; see answer.h. */
#include "config.h"

#include <string.h>

#include "answer/answer.h"

void guest_free(struct guest *guest)
{
	if (!guest)
		return;
	if (!guest->borrowed) {
		g_clear_pointer(&guest->defined_cpu, cpu_need_free);
		g_clear_pointer(&guest->live_cpu, cpu_need_free);
		needs_free(guest->defined);
		needs_free(guest->live);
	}
	json_decref(guest->snapshots);
	g_free(guest->name);
	g_free(guest->uuid);
	g_free(guest->host);
	g_free(guest);
}

static struct cpu_need *expand(const struct needs *needs, const struct judge *judge)
{
	return needs && needs->cpu ? cpu_need_new(needs->cpu, needs->arch, judge->models, judge->universe)
				   : NULL;
}

void guest_expand(struct guest *guest, const struct judge *judge)
{
	if (!guest->defined_cpu)
		guest->defined_cpu = expand(guest->defined, judge);
	if (!guest->live_cpu)
		guest->live_cpu = expand(guest->live, judge);
}

const struct needs *guest_needs(const struct guest *guest)
{
	return guest->live ? guest->live : guest->defined;
}

static bool has_finding(const GPtrArray *findings, const char *check)
{
	for (guint i = 0; i < findings->len; i++) {
		const struct finding *f = g_ptr_array_index(findings, i);

		if (!strcmp(f->check, check))
			return true;
	}
	return false;
}

static int by_verdict(const void *a, const void *b)
{
	const struct finding *one = *(struct finding *const *)a;
	const struct finding *other = *(struct finding *const *)b;

	if (one->verdict != other->verdict)
		return (int)other->verdict - (int)one->verdict;
	return strcmp(one->check, other->check);
}

/* Puts what the inactive definition says of a start into the verdicts on the live one. */
static void merge_start(struct verdicts *into, struct verdicts *start)
{
	into->start = start->start;
	into->qemu_starts = start->qemu_starts;
	for (guint i = into->findings->len; i-- > 0;) {
		struct finding *f = g_ptr_array_index(into->findings, i);

		if (!(f->on & ON_MIGRATE))
			g_ptr_array_remove_index(into->findings, i);
	}
	for (guint i = start->findings->len; i-- > 0;) {
		struct finding *f = g_ptr_array_index(start->findings, i);

		if (f->on & ON_START && !has_finding(into->findings, f->check))
			g_ptr_array_add(into->findings,
					g_ptr_array_steal_index(start->findings, i));
	}
	g_ptr_array_sort(into->findings, by_verdict);
}

struct verdicts *guest_judge(const struct judge *judge, const struct guest *guest,
			     const struct profile *source, const struct profile *target)
{
	struct verdicts *verdicts, *start;

	if (!guest->live)
		return judge_guest(judge, guest->defined, guest->defined_cpu, source, target);
	verdicts = judge_guest(judge, guest->live, guest->live_cpu, source, target);
	if (!guest->defined)
		return verdicts;
	start = judge_guest(judge, guest->defined, guest->defined_cpu, source, target);
	merge_start(verdicts, start);
	verdicts_free(start);
	return verdicts;
}
