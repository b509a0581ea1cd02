/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* check-machine.c: machine types: is it there, has it a future, is it the same there? */
#include "config.h"

#include <string.h>

#include "judge/judgement.h"
#include "model/downstream.h"

static bool newer_than_qemu(const struct judgement *j, const char *machine)
{
	const char *dash = strrchr(machine, '-');
	const char *qemu = target_qemu_version(&j->target);

	return qemu && dash && g_ascii_isdigit(dash[1]) && version_compare(dash + 1, qemu) > 0;
}

static char *machine_fix(const struct judgement *j, const char *machine)
{
	struct machine_life life;

	if (newer_than_qemu(j, machine))
		return g_strdup("upgrade QEMU there, or define the guest with an older machine type");
	if (tables_machine(j->judge->tables, machine, &life) && life.removed)
		return g_strdup_printf("upstream removes %s from %s on: power the guest off and define a newer machine type",
				       machine, life.removed);
	return g_strdup("define the guest with a machine type both hosts have (capbroker baseline)");
}

void check_machine(struct judgement *j)
{
	const struct target *t = &j->target;
	const char *asked = j->needs->machine;
	const char *name = asked ? asked : "(default)";
	struct finding *f;

	if (t->info)
		return;
	if (!t->machines_known)
		f = finding_add(j, V_UNKNOWN, EFFECT_FAILS_SAFELY, ON_ALL,
				g_strdup("/domain/os/type/@machine"),
				g_strdup_printf("whether the host has machine type %s is not known", name),
				g_strdup("run 'capbroker probe' on the host, or import its capabilities"));
	else
		f = finding_add(j, V_BLOCK, EFFECT_FAILS_SAFELY, ON_ALL,
				g_strdup("/domain/os/type/@machine"),
				g_strdup_printf("host's QEMU has no machine type %s", name),
				machine_fix(j, name));
	f->capability = "qemu.machine";
	finding_item(f->need, "qemu.machine", json_string(name));
	finding_item(f->have, "qemu.machine", t->machines_known ? json_false() : json_null());
}

/* By upstream's clock, where QEMU says nothing of it: from the first version that deprecates it. */
static bool old_by_clock(const struct judgement *j, const char *name)
{
	const char *qemu = target_qemu_version(&j->target);
	struct machine_life life;

	return qemu && tables_machine(j->judge->tables, name, &life) && life.deprecated_in &&
	       version_compare(qemu, life.deprecated_in) >= 0;
}

void check_machine_age(struct judgement *j)
{
	const struct machine *m = j->target.info;
	struct finding *f;
	bool says;

	if (!m)
		return;
	says = m->deprecated == 1;
	if (!says && (m->deprecated == 0 || !old_by_clock(j, m->name)))
		return;
	f = finding_add(j, V_WARN, EFFECT_FAILS_SAFELY, ON_BOTH,
			g_strdup("/domain/os/type/@machine"),
			g_strdup_printf("machine type %s is deprecated by %s", m->name,
					says ? "this host's QEMU" : "upstream's clock"),
			g_strdup("plan a restart with a newer machine type (capbroker baseline)"));
	f->capability = "qemu.machine";
	finding_item(f->need, "qemu.machine", json_string(m->name));
	finding_item(f->have, "qemu.machine", json_string("deprecated"));
}

static struct qemu_build build_of(const struct judgement *j, const struct target *t)
{
	return (struct qemu_build){
		.vendor = qemu_vendor(j->judge->tables, target_qemu_package(t)),
		.version = target_qemu_version(t),
	};
}

/* Has the target's QEMU a machine type of that very name? */
static bool has_machine(const struct judgement *j, const char *name)
{
	const struct needs needs = { .machine = (char *)name, .accel = j->needs->accel,
				     .arch = j->needs->arch, .emulator = j->needs->emulator };
	struct target t;

	target_resolve_machine(&needs, j->target.profile, &t);
	return t.info && !strcmp(t.info->name, name);
}

/* An alias means what the source's QEMU made of it when the guest was defined. */
static void add_lacks(struct judgement *j, const char *machine)
{
	struct finding *f = finding_add(
		j, V_BLOCK, EFFECT_FAILS_SAFELY, ON_MIGRATE, g_strdup("/domain/os/type/@machine"),
		g_strdup_printf("%s is %s at the source, which this host's QEMU hasn't",
				j->needs->machine ? j->needs->machine : "the default machine type", machine),
		machine_fix(j, machine));

	f->capability = "qemu.machine";
	finding_item(f->need, "qemu.machine", json_string(machine));
	finding_item(f->have, "qemu.machine", json_false());
}

/* @what: is known to differ, or NULL: that nothing does isn't known */
static void add_differs(struct judgement *j, const char *machine, const struct qemu_build *source,
			const struct qemu_build *target, const char *what)
{
	struct finding *f = finding_add(
		j, V_WARN, EFFECT_HAZARD, ON_MIGRATE, g_strdup("/domain/os/type/@machine"),
		g_strdup_printf("%s is %s's (QEMU %s) at the source and %s's (QEMU %s) here; %s", machine,
				source->vendor, source->version ? source->version : "-", target->vendor,
				target->version ? target->version : "-",
				what ? what : "that both give a guest the same isn't known"),
		g_strdup(strcmp(source->vendor, target->vendor) ?
				 "move it among hosts whose QEMU is of one vendor" :
				 "restart it with a newer machine type (capbroker baseline)"));

	f->capability = "qemu.machine";
	finding_item(f->need, "qemu.machine", json_string(source->vendor));
	finding_item(f->have, "qemu.machine", json_string(target->vendor));
}

void check_machine_same(struct judgement *j)
{
	struct qemu_build source, target;
	struct target there;
	const char *why;
	int same;

	if (!j->source || !j->target.info || j->source == j->target.profile)
		return;
	target_resolve_machine(j->needs, j->source, &there);
	if (there.info && strcmp(there.info->name, j->target.info->name) &&
	    !has_machine(j, there.info->name)) {
		add_lacks(j, there.info->name);
	} else if (there.info) {
		source = build_of(j, &there);
		target = build_of(j, &j->target);
		same = machine_same(j->judge->tables, there.info->name, &source, &target, &why);
		if (same != 1)
			add_differs(j, there.info->name, &source, &target, same == 0 ? why : NULL);
	}
}
