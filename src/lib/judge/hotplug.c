/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hotplug.c: see hotplug.h. */
#include "config.h"

#include <string.h>

#include "guest/dma.h"
#include "judge/hotplug.h"
#include "judge/verdict-policy.h"

#define ON_PLUG (ON_START | ON_QEMU | ON_DMA)

static bool same(const struct finding *a, const struct finding *b)
{
	return !strcmp(a->check, b->check) && a->verdict == b->verdict && a->on == b->on &&
	       !g_strcmp0(a->text, b->text);
}

/* Takes from @after what @before has too, each as often; what is left of equal ones is the last. */
static void drop_old(GPtrArray *after, const GPtrArray *before)
{
	for (guint i = 0; i < before->len; i++) {
		for (guint k = 0; k < after->len; k++) {
			struct finding *f = g_ptr_array_index(after, k);

			if (!same(f, g_ptr_array_index(before, i)))
				continue;
			g_ptr_array_remove_index(after, k);
			finding_free(f);
			break;
		}
	}
}

static void replace_text(struct finding *f, char *text)
{
	g_free(f->text);
	f->text = text;
}

/* It doesn't keep the device out; but then the guest stays where it is. */
static void trap(struct finding *f)
{
	replace_text(f, g_strdup_printf("with it the guest %s: %s",
					f->verdict == V_BLOCK ? "can't be moved" : "may not be movable", f->text));
	f->verdict = V_WARN;
	f->effect = EFFECT_TRAPPED;
}

static bool only_moves(const struct finding *f)
{
	return !(f->on & ON_PLUG) && f->verdict >= V_UNKNOWN;
}

/* Where it is known that the guest stays, what isn't known of that adds nothing. */
static void drop_doubts(GPtrArray *findings)
{
	bool stays = false;

	for (guint i = 0; i < findings->len; i++) {
		const struct finding *f = g_ptr_array_index(findings, i);

		stays |= only_moves(f) && f->verdict == V_BLOCK;
	}
	for (guint i = findings->len; stays && i-- > 0;) {
		struct finding *f = g_ptr_array_index(findings, i);

		if (!only_moves(f) || f->verdict == V_BLOCK)
			continue;
		g_ptr_array_remove_index(findings, i);
		finding_free(f);
	}
}

/* A virtual IOMMU can't be changed under a guest. */
static void start_anew(struct finding *f)
{
	char *fix = g_strdup_printf("start the guest anew: %s", f->fix);

	g_free(f->fix);
	f->fix = fix;
}

static const struct dma_dimm *plugged_dimm(const struct needs *plugged)
{
	const struct dma *dma = dma_of(plugged);
	const struct dma_dimm *last = dma && dma->dimms->len ? dma->dimms->pdata[dma->dimms->len - 1] : NULL;

	return last && last->plugged ? last : NULL;
}

/*
 * Memory that is plugged in is mapped for the devices that are there; where that fails QEMU ends
 * (7.2, 10.0 and 11.1, hw/vfio/listener.c or common.c: "unable to continue"; read, not tried).
 */
static void kills(struct finding *f)
{
	replace_text(f, g_strdup_printf("%s; QEMU ends when that fails in a running guest", f->text));
	f->effect = EFFECT_HAZARD;
}

static void weigh(struct verdicts *v, const struct needs *plugged)
{
	for (guint i = 0; i < v->findings->len; i++) {
		struct finding *f = g_ptr_array_index(v->findings, i);

		if (only_moves(f))
			trap(f);
		else if (g_str_has_prefix(f->check, "viommu-") && f->verdict == V_BLOCK && f->fix)
			start_anew(f);
		else if (f->verdict == V_BLOCK && !strcmp(f->check, "host-device-mappable") &&
			 plugged_dimm(plugged))
			kills(f);
		f->on |= ON_HOTPLUG;
		v->hotplug = MAX(v->hotplug, f->verdict);
	}
}

/* Does a check ask something of a device that is plugged in? */
static bool matters(const char *check, const struct needs *plugged)
{
	const struct dma *dma = dma_of(plugged);
	bool through_host = dma && dma->devices->len;

	return g_str_has_prefix(check, "hotplug-") || g_str_has_prefix(check, "device-") ||
	       !strcmp(check, "part-judged") || !strcmp(check, "definition-valid") ||
	       (through_host && (g_str_has_prefix(check, "host-device-") || g_str_has_prefix(check, "viommu-")));
}

static struct finding *add(struct verdicts *v, const char *check, enum verdict verdict, enum effect effect,
			   char *text, const char *fix)
{
	struct finding *f = g_new0(struct finding, 1);

	*f = (struct finding){ .check = check, .verdict = verdict, .effect = effect, .on = ON_HOTPLUG,
			       .need = json_array(), .have = json_array(), .text = text,
			       .fix = g_strdup(fix) };
	g_ptr_array_insert(v->findings, 0, f);
	v->hotplug = MAX(v->hotplug, verdict);
	return f;
}

/* The first finding that may have kept checks from being run. */
static const struct finding *culprit(const struct verdicts *v)
{
	for (guint i = 0; i < v->findings->len; i++) {
		const struct finding *f = g_ptr_array_index(v->findings, i);

		if (f->verdict >= V_UNKNOWN && f->on & ON_PLUG)
			return f;
	}
	return NULL;
}

/* What was not asked, for what is wrong with the guest already, isn't known of the device either. */
static void tell_silenced(struct verdicts *v, const struct verdicts *before, const struct needs *plugged)
{
	const struct finding *f = culprit(before);
	g_autoptr(GString) names = g_string_new(NULL);

	for (size_t i = 0; i < check_count; i++)
		if (v->states[i] == CHECK_PREREQ && matters(check_at(i)->name, plugged))
			g_string_append_printf(names, "%s%s", names->len ? ", " : "", check_at(i)->name);
	if (!names->len || v->hotplug >= V_UNKNOWN)
		return;
	add(v, "hotplug-supported", V_UNKNOWN, EFFECT_FAILS_SAFELY,
	    g_strdup_printf("not judged: %s, as the guest without the device has this against it: %s (%s)",
			    names->str, f ? f->text : "nothing that is told", f ? f->check : "-"),
	    f && f->fix ? f->fix : "run 'capbroker probe' on the host");
}

/* What a site makes of what was found. */
static void settle(struct verdicts *v, const struct verdict_policy *policy)
{
	v->hotplug = V_OK;
	for (guint i = 0; i < v->findings->len; i++) {
		struct finding *f = g_ptr_array_index(v->findings, i);

		verdict_policy_apply(policy, f);
		v->hotplug = MAX(v->hotplug, f->verdict);
	}
	verdicts_sort(v);
}

struct verdicts *judge_hotplug(const struct judge *judge, const struct needs *needs,
			       const struct needs *plugged, const struct cpu_need *cpu,
			       const struct profile *host)
{
	struct judge raw = *judge;
	struct verdicts *before, *after;

	/* the site's own verdicts come last: what is found is compared first */
	raw.policy = NULL;
	before = judge_guest(&raw, needs, cpu, host, host);
	after = judge_guest(&raw, plugged, cpu, host, host);

	drop_old(after->findings, before->findings);
	drop_doubts(after->findings);
	weigh(after, plugged);
	tell_silenced(after, before, plugged);
	settle(after, judge->policy);
	verdicts_free(before);
	return after;
}

void hotplug_onward(struct verdicts *v, const struct judge *judge, guint before, guint after)
{
	verdicts_set_state(v, "hotplug-onward", CHECK_PASSED);
	if (!before || after)
		return;
	for (guint i = 0; i < v->findings->len; i++) {
		const struct finding *f = g_ptr_array_index(v->findings, i);

		if (f->effect == EFFECT_TRAPPED || f->verdict == V_BLOCK)
			return;
	}
	verdicts_set_state(v, "hotplug-onward", CHECK_FAILED);
	add(v, "hotplug-onward", V_WARN, EFFECT_TRAPPED,
	    g_strdup_printf("with it no other host would take the guest (%u would now)",
			    before),
	    "unplug it before the guest has to leave");
	settle(v, judge->policy);
}
