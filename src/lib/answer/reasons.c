/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reasons.c: see reasons.h. Only what is to be explained is judged with its reasons. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "answer/reasons.h"
#include "judge/target.h"

struct reason {
	size_t depth;     /* place of its check: what comes late was reached past all before */
	bool first;       /* somewhere it is the first that stands in the way */
	guint hosts;
	json_t *json, *classes;
	char *key;
};

struct reasons {
	const struct answering *a;
	const struct guest_group *group;
	enum verdict wanted;
	GPtrArray *all;   /* struct reason */
};

static void reason_free(void *data)
{
	struct reason *r = data;

	json_decref(r->json);
	json_decref(r->classes);
	g_free(r->key);
	g_free(r);
}

static size_t depth_of(const char *check)
{
	for (size_t i = 0; i < check_count; i++)
		if (!strcmp(check_at(i)->name, check))
			return i;
	return 0;
}

json_t *removed_machine(const struct tables *tables, const char *name)
{
	struct machine_life life;

	if (!name || !tables_machine(tables, name, &life) || !life.removed || !life.removed_in)
		return json_null();
	return json_pack("{s:s, s:s?, s:s, s:s}", "name", name, "released", life.released, "removed",
			 life.removed, "removed_in", life.removed_in);
}

/* Of a machine type that the target's QEMU is too new for: since when upstream hasn't it. */
static json_t *removal(const struct reasons *r, const struct finding *f, const struct profile *target)
{
	const struct guest *guest = r->group->first;
	const struct needs *needs = r->group->question == ASK_START && guest->defined ? guest->defined :
										   guest_needs(guest);
	json_t *machine;
	struct target t;
	const char *qemu;

	if (strcmp(f->check, "machine-present") || f->verdict != V_BLOCK)
		return json_null();
	machine = removed_machine(r->a->judge->tables, needs->machine);
	target_resolve_machine(needs, target, &t);
	qemu = target_qemu_version(&t);
	if (json_is_null(machine) ||
	    (qemu && version_compare(qemu, json_string_value(json_object_get(machine, "removed_in"))) >= 0))
		return machine;
	json_decref(machine);
	return json_null();
}

/* "machine type pc-i440fx-2.3 was removed from QEMU in 9.1 (2024)" */
static json_t *text_of(const struct finding *f, const json_t *machine)
{
	const char *removed = json_string_value(json_object_get(machine, "removed"));

	if (!removed)
		return json_string(f->text);
	return json_sprintf("machine type %s was removed from QEMU in %s (%.4s)",
			    json_string_value(json_object_get(machine, "name")),
			    json_string_value(json_object_get(machine, "removed_in")), removed);
}

static json_t *fix_of(const struct reasons *r, const struct finding *f, const json_t *machine)
{
	if (json_is_null(machine))
		return f->fix ? json_string(f->fix) : json_null();
	if (r->group->first->saved)
		return json_string("start it on a host with an older QEMU and shut it down there, or drop what was saved (virsh managedsave-remove); then define it with a newer machine type");
	return json_string("define it with a newer machine type while it is powered off, or keep a host with an older QEMU");
}

static struct reason *reason_of(struct reasons *r, const struct finding *f, const struct profile *target)
{
	json_t *machine = removal(r, f, target);
	json_t *text = text_of(f, machine);
	g_autofree char *key = g_strconcat(f->check, " ", json_string_value(text), NULL);
	struct reason *reason;

	for (guint i = 0; i < r->all->len; i++) {
		reason = g_ptr_array_index(r->all, i);
		if (strcmp(reason->key, key))
			continue;
		json_decref(machine);
		json_decref(text);
		return reason;
	}
	reason = g_new0(struct reason, 1);
	reason->key = g_steal_pointer(&key);
	reason->depth = depth_of(f->check);
	reason->classes = json_array();
	reason->json = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "check", f->check, "verdict",
				 verdict_name(f->verdict), "effect", effect_name(f->effect), "text", text,
				 "fix", fix_of(r, f, machine), "machine", machine);
	g_ptr_array_add(r->all, reason);
	return reason;
}

/* Adds what keeps the group from a target; @hosts of class @id. */
static void explain(struct reasons *r, const struct profile *target, guint hosts, const char *id)
{
	const struct profile *source = r->group->from ? r->group->from->profile : NULL;
	unsigned int on = r->group->question == ASK_START ? ON_START : ON_MIGRATE;
	struct verdicts *v = guest_judge(r->a->judge, r->group->first, source, target);
	struct reason *first = NULL;

	for (guint i = 0; i < v->findings->len && verdicts_answer(v, r->group->question) == r->wanted; i++) {
		const struct finding *f = g_ptr_array_index(v->findings, i);
		struct reason *reason;

		if (f->verdict != r->wanted || !(f->on & on))
			continue;
		reason = reason_of(r, f, target);
		reason->hosts += hosts;
		json_array_append_new(reason->classes, json_string(id));
		if (!first || reason->depth < first->depth)
			first = reason;
	}
	if (first)
		first->first = true;
	verdicts_free(v);
}

/* What is reached last comes first, then what most hosts say. */
static int by_nearness(const void *a, const void *b)
{
	const struct reason *x = *(struct reason *const *)a, *y = *(struct reason *const *)b;

	if (x->first != y->first)
		return x->first ? -1 : 1;
	if (x->first && x->depth != y->depth)
		return x->depth > y->depth ? -1 : 1;
	if (x->hosts != y->hosts)
		return x->hosts > y->hosts ? -1 : 1;
	return strcmp(x->key, y->key);
}

static json_t *end(struct reasons *r)
{
	json_t *array = json_array();

	g_ptr_array_sort(r->all, by_nearness);
	for (guint i = 0; i < r->all->len; i++) {
		struct reason *reason = g_ptr_array_index(r->all, i);

		json_object_set_new(reason->json, "hosts_n", json_integer(reason->hosts));
		json_object_set(reason->json, "classes", reason->classes);
		json_array_append(array, reason->json);
	}
	g_ptr_array_unref(r->all);
	return array;
}

json_t *reasons_json(const struct answering *a, const struct guest_group *group, enum verdict wanted,
		     const guint *within)
{
	const struct host_class *own = group->from ? group->from->class : NULL;
	struct reasons r = { a, group, wanted, g_ptr_array_new_with_free_func(reason_free) };

	for (guint i = 0; i < a->fleet->classes->len; i++) {
		const struct host_class *class = g_ptr_array_index(a->fleet->classes, i);
		guint hosts = within ? within[i] : class->hosts->len - (class == own ? 1 : 0);

		if (hosts)
			explain(&r, class->profile, hosts, class->id);
	}
	return end(&r);
}

json_t *reasons_on(const struct answering *a, const struct guest_group *group, enum verdict wanted,
		   const struct profile *target)
{
	struct reasons r = { a, group, wanted, g_ptr_array_new_with_free_func(reason_free) };

	explain(&r, target, 1, "");
	return end(&r);
}

json_t *reach_json(const struct reach *reach)
{
	json_t *json = json_object();

	for (int v = V_OK; v < VERDICTS; v++)
		json_object_set_new(json, verdict_name((enum verdict)v), json_integer(reach->hosts[v]));
	return json;
}

enum verdict reach_best(const struct reach *reach)
{
	for (int v = V_OK; v < VERDICTS; v++)
		if (reach->hosts[v])
			return (enum verdict)v;
	return V_BLOCK;
}
