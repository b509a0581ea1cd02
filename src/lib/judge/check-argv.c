/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-argv.c: guests of QEMU's own arguments (argv.h): are the devices, objects and machine
 * options there that they name, and would the guest see another CPU after a move?
 *
 * A device's type is held against the list that QEMU gives of its own, which is complete, or that
 * of its version; unknown where there is neither. Properties and options of the machine that came
 * with a version are known by it.
 */
#include "config.h"

#include <string.h>

#include "judge/lack.h"
#include "judge/rule-host.h"
#include "model/downstream.h"
#include "model/qemu-properties.h"

#define TOLD 8u /* names in one message */

struct names {
	GString *text;
	guint n;
	json_t *need, *have;
};

static void names_init(struct names *names)
{
	*names = (struct names){ .text = g_string_new(NULL), .need = json_array(), .have = json_array() };
}

static void names_add(struct names *names, const char *id, const char *name, json_t *have)
{
	if (names->n++ < TOLD)
		g_string_append_printf(names->text, "%s%s", names->n > 1 ? " " : "", name);
	else if (names->n == TOLD + 1)
		g_string_append(names->text, " …");
	finding_item(names->need, id, json_string(name));
	finding_item(names->have, id, have);
}

/* One finding of all the names, which are freed. */
static void names_tell(struct judgement *j, struct names *names, enum verdict verdict, const char *what,
		       const char *fix)
{
	struct finding *f;

	if (names->n) {
		f = finding_add(j, verdict, EFFECT_FAILS_SAFELY, ON_ALL, g_strdup("/domain/argv/has"),
				g_strdup_printf("%s: %s", what, names->text->str), g_strdup(fix));
		json_array_extend(f->need, names->need);
		json_array_extend(f->have, names->have);
	}
	g_string_free(names->text, TRUE);
	json_decref(names->need);
	json_decref(names->have);
}

/* The property of pc's or q35's machine types, by version; those of other types aren't in the table. */
static int machine_option(const struct judgement *j, const char *option)
{
	const char *machine = j->target.machine ? j->target.machine : "";
	const char *table = g_str_has_prefix(machine, "pc-q35") || !strcmp(machine, "q35") ? "machine:q35" :
			    g_str_has_prefix(machine, "pc-i440fx") || !strcmp(machine, "pc")  ? "machine:pc" : NULL;
	const char *vendor = qemu_vendor(j->judge->tables, target_qemu_package(&j->target));
	const char *version = target_qemu_version(&j->target);
	g_autofree char *name = g_strndup(option, strcspn(option, "."));
	int has = table && version ? tables_qemu_property(j->judge->tables, table, name, version) : -1;

	/* who builds on a release keeps what it has, and may have brought in more */
	if (!has && g_strcmp0(vendor, "debian") && g_strcmp0(vendor, "upstream"))
		return -1;
	return has;
}

/* 1, 0, -1: is what a <has> names there? */
static int has_there(const struct judgement *j, const struct xml_node *has, char **name, const char **id)
{
	const char *device = xml_attr(has, "device"), *property = xml_attr(has, "property");
	const char *object = xml_attr(has, "object"), *machine = xml_attr(has, "machine");
	g_autofree char *term = NULL;

	if (device && property) {
		*name = g_strdup_printf("%s.%s", device, property);
		*id = "qemu.property";
		term = g_strconcat("lacks:", *name, NULL);
		return strchr(device, '.') ? 1 : !rule_host_term(j, term);
	}
	*name = g_strdup(device ? device : object ? object : machine);
	*id = device ? "qemu.device" : object ? "qemu.object" : "qemu.machine-option";
	if (machine)
		return machine_option(j, machine);
	if (!device && !object)
		return 1;
	term = g_strconcat(device ? "device:" : "object:", *name, NULL);
	return rule_host_term(j, term);
}

static void argv_devices(struct judgement *j, const struct xml_node *argv)
{
	struct names lacking, unknown;

	names_init(&lacking);
	names_init(&unknown);
	for (const struct xml_node *has = xml_child(argv, "has"); has; has = xml_same(has)) {
		g_autofree char *name = NULL;
		const char *id;
		int there = has_there(j, has, &name, &id);

		if (!there)
			names_add(&lacking, id, name, json_false());
		else if (there < 0)
			names_add(&unknown, id, name, json_null());
	}
	names_tell(j, &lacking, V_BLOCK, "host's QEMU doesn't have", "leave them out, or choose a host whose QEMU has them");
	names_tell(j, &unknown, V_UNKNOWN, "whether the host's QEMU has these is not known",
		   "run 'capbroker probe' on the host");
}

void check_devices(struct judgement *j)
{
	check_rules(j);
	if (j->needs->argv)
		argv_devices(j, xml_child(xml_root(j->needs->definition), "argv"));
}

/* --- moves ---------------------------------------------------------------------------------------- */

struct moved {
	GArray *lost, *gained, *unknown; /* int places */
};

static void move_bit(struct judgement *j, const struct target *here, int bit, struct moved *moved)
{
	int has = lack_gives(j, here, bit), there = lack_gives(j, &j->target, bit);

	if (has < 0 || there < 0)
		places_add(moved->unknown, bit);
	else if (has != there)
		places_add(has ? moved->lost : moved->gained, bit);
}

static void tell_moved(struct judgement *j, const struct moved *moved)
{
	g_autofree char *lost = places_text(j, moved->lost), *gained = places_text(j, moved->gained);
	g_autofree char *unknown = places_text(j, moved->unknown);
	bool differs = moved->lost->len || moved->gained->len;
	const GArray *told[] = { moved->lost, moved->gained, differs ? NULL : moved->unknown };
	struct finding *f;

	if (!differs && !moved->unknown->len)
		return;
	f = finding_add(j, differs ? V_BLOCK : V_UNKNOWN, EFFECT_HAZARD, ON_MIGRATE, g_strdup(j->cpu->def->path),
			differs ? g_strdup_printf("the guest would see another CPU in silence:%s%s%s%s",
						  *lost ? " without " : "", lost, *gained ? " with " : "", gained) :
				  g_strdup_printf("whether the guest keeps its CPU is not known: %s", unknown),
			g_strdup(differs ? "start it anew with a smaller model and 'enforce' (capbroker baseline --format qemu)" :
					   "say where it runs (--from HOST), or run 'capbroker probe' on both hosts"));
	for (size_t i = 0; i < G_N_ELEMENTS(told); i++) {
		for (guint k = 0; told[i] && k < told[i]->len; k++) {
			const char *id = universe_id(j->judge->universe, g_array_index(told[i], int, k));

			finding_item(f->need, id, i == 2 ? json_null() : json_boolean(i == 0));
			finding_item(f->have, id, i == 2 ? json_null() : json_boolean(i == 1));
		}
	}
}

/*
 * Without 'enforce' QEMU on either side drops what it can't give, and nothing of that is in the
 * stream: the guest goes on with the CPU of the target (QEMU 10.0: vmstate_x86_cpu has no CPUID leaves).
 */
void argv_cpu_moves(struct judgement *j)
{
	struct moved moved = { g_array_new(FALSE, FALSE, sizeof(int)), g_array_new(FALSE, FALSE, sizeof(int)),
			       g_array_new(FALSE, FALSE, sizeof(int)) };
	struct target here;

	if (j->source) {
		target_resolve(j->needs, j->source, j->judge->universe, &here);
		BITS_FOREACH (bit, j->cpu->require, j->cpu->words)
			move_bit(j, &here, (int)bit, &moved);
		target_clear(&here);
	} else {
		BITS_FOREACH (bit, j->cpu->require, j->cpu->words)
			if (lack_gives(j, &j->target, (int)bit) != 1)
				places_add(moved.unknown, (int)bit);
	}
	tell_moved(j, &moved);
	g_array_unref(moved.lost);
	g_array_unref(moved.gained);
	g_array_unref(moved.unknown);
}
