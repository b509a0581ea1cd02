/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * argv-cpu.c: -cpu as a <cpu> element; see argv-parts.h.
 *
 * QEMU takes PROPERTY=VALUE first, +FEATURE over that, and -FEATURE over both; it takes _ for - in the
 * first form alone (x86_cpu_parse_featurestr; seen on 7.2.22). 'enforce' refuses a start where anything
 * is lacking (check='full' here); without it what is lacking is left out with a warning that nobody
 * reads (check='none').
 */
#include "config.h"

#include <string.h>

#include "guest/argv-parts.h"
#include "guest/definition-qemu.h"
#include "model/dictionary.h"

#define MAX_FEATURES 2000u

struct cpu {
	struct argv *argv;
	struct argv_cpu_out *out;
	GHashTable *on;    /* libvirt's name → GINT_TO_POINTER(1 on, 2 off) */
	GPtrArray *order;  /* char *: the names as they came */
	bool enforce, host_phys_bits;
	int migratable;    /* -1 not said */
	guint64 phys_bits, phys_limit, tsc_hz;
	bool hidden;
	GString *hyperv;
	bool hyperv_passthrough, hyperv_clock;
};

/* What a definition calls it: libvirt's name, the dictionary's, or QEMU's where none knows it. */
static const char *feature_name(const struct argv *argv, int cap, const char *name)
{
	const char *libvirt = cap >= 0 ? cap_alias_of(NS_LIBVIRT, cap) : NULL, *dot;

	if (cap < 0)
		return name;
	if (libvirt)
		return arch_plain_name(libvirt);
	dot = g_str_has_prefix(cap_table[cap].id, arch_room(argv->family)) ? strchr(cap_table[cap].id, '.') : NULL;
	return dot ? dot + 1 : name;
}

static void set_feature(struct cpu *cpu, const char *name, bool on)
{
	int cap = arch_find_alias(cpu->argv->family, NS_QEMU, name);
	const char *feature = feature_name(cpu->argv, cap, name);

	if (cap >= 0 && cap_table[cap].flags & CAP_QEMU_OPTION)
		return;
	if (!*feature || !definition_is_plain(feature) || cpu->order->len >= MAX_FEATURES) {
		argv_unknown(cpu->argv, g_strdup("feature of the CPU whose name no QEMU takes"));
		return;
	}
	if (!g_hash_table_contains(cpu->on, feature))
		g_ptr_array_add(cpu->order, g_strdup(feature));
	g_hash_table_replace(cpu->on, g_strdup(feature), GINT_TO_POINTER(on ? 1 : 2));
}

/* --- enlightenments ------------------------------------------------------------------------------- */

/* "hv-NAME" as libvirt's element, where it has one. */
static void put_hyperv(struct cpu *cpu, const char *name, const char *value)
{
	static const char *const known[] = { "avic",	"emsr-bitmap", "evmcs",	  "frequencies", "ipi",
					     "reenlightenment", "relaxed", "reset", "runtime", "stimer",
					     "synic",	"tlbflush", "vapic", "vpindex", "xmm-input", NULL };
	g_autofree char *element = g_strdelimit(g_strdup(name), "-", '_');
	guint64 retries = g_ascii_strtoull(value, NULL, 0);
	bool on = argv_truth(value) == 1;

	if (!strcmp(name, "passthrough")) {
		cpu->hyperv_passthrough = on;
	} else if (!strcmp(name, "time")) {
		cpu->hyperv_clock = on;
	} else if (!strcmp(name, "spinlocks")) {
		g_string_append_printf(cpu->hyperv, "<spinlocks state='on' retries='%" G_GUINT64_FORMAT "'/>", retries);
	} else if (!strcmp(name, "vendor-id")) {
		g_string_append(cpu->hyperv, "<vendor_id state='on'");
		argv_put(cpu->hyperv, "value", value);
		g_string_append(cpu->hyperv, "/>");
	} else if (on && g_strv_contains(known, name)) {
		g_string_append_printf(cpu->hyperv, "<%s state='on'/>", element);
	} else if (on && strcmp(name, "stimer-direct") && strcmp(name, "tlbflush-direct") &&
		   strcmp(name, "tlbflush-ext")) {
		argv_unknown(cpu->argv, g_strdup("enlightenment that has no name in libvirt"));
	}
}

/* --- properties ----------------------------------------------------------------------------------- */

static bool number(const char *value, guint64 *out)
{
	guint64 scaled;
	char *end;

	*out = g_ascii_strtoull(value, &end, 0);
	if (!*end)
		return end != value;
	/* a TSC rate may be "2500M", in thousands */
	scaled = *out;
	for (const char *unit = "KMG"; *unit; unit++) {
		scaled *= 1000;
		if (g_ascii_toupper(*end) == *unit && !end[1]) {
			*out = scaled;
			return true;
		}
	}
	return false;
}

/* Properties that say something else than a feature; false: it isn't one of them. */
static bool take_option(struct cpu *cpu, const char *key, const char *value)
{
	guint64 n = 0;
	bool is_number = number(value, &n);

	if (!strcmp(key, "enforce"))
		cpu->enforce = argv_truth(value) == 1;
	else if (!strcmp(key, "migratable"))
		cpu->migratable = argv_truth(value);
	else if (!strcmp(key, "host-phys-bits"))
		cpu->host_phys_bits = argv_truth(value) == 1;
	else if (!strcmp(key, "phys-bits") && is_number)
		cpu->phys_bits = n;
	else if (!strcmp(key, "host-phys-bits-limit") && is_number)
		cpu->phys_limit = n;
	else if ((!strcmp(key, "tsc-frequency") || !strcmp(key, "tsc-freq")) && is_number)
		cpu->tsc_hz = n;
	else if (!strcmp(key, "kvm"))
		cpu->hidden = argv_truth(value) == 0;
	else if (g_str_has_prefix(key, "hv-"))
		put_hyperv(cpu, key + 3, value);
	else
		return false;
	return true;
}

static void take_pair(struct cpu *cpu, const struct argv_pair *pair)
{
	/* what QEMU itself makes of names on this option (x86_cpu_parse_featurestr) */
	g_autofree char *key = g_strdelimit(g_strdup(pair->key), "_", '-');
	int truth = argv_truth(pair->value);

	if (*pair->key == '+' || *pair->key == '-' || take_option(cpu, key, pair->value))
		return;
	if (truth >= 0)
		set_feature(cpu, key, truth);
	else if (arch_find_alias(cpu->argv->family, NS_QEMU, key) < 0 && strcmp(key, "vendor") && strcmp(key, "model-id") &&
		 strcmp(key, "family") && strcmp(key, "model") && strcmp(key, "stepping"))
		argv_unknown(cpu->argv, g_strdup("property of the CPU that isn't known here"));
}

static void take_signs(struct cpu *cpu, const GArray *pairs, char sign)
{
	for (guint i = 0; i < pairs->len; i++) {
		const char *key = g_array_index(pairs, struct argv_pair, i).key;

		if (*key == sign)
			set_feature(cpu, key + 1, sign == '+');
	}
}

/* --- written -------------------------------------------------------------------------------------- */

static void put_phys_bits(GString *out, const struct cpu *cpu)
{
	if (cpu->host_phys_bits) {
		g_string_append(out, "<maxphysaddr mode='passthrough'");
		if (cpu->phys_limit && cpu->phys_limit < 1024)
			g_string_append_printf(out, " limit='%u'", (guint)cpu->phys_limit);
		g_string_append(out, "/>");
	} else if (cpu->phys_bits && cpu->phys_bits < 1024) {
		g_string_append_printf(out, "<maxphysaddr mode='emulate' bits='%u'/>", (guint)cpu->phys_bits);
	}
}

static void put_topology(GString *out, const struct argv *argv)
{
	const guint64 *t = argv->topology;

	if (t[0] && t[3] && t[4])
		g_string_append_printf(out, "<topology sockets='%u' dies='%u' cores='%u' threads='%u'/>", (guint)t[0],
				       (guint)MAX(t[1], 1), (guint)t[3], (guint)t[4]);
}

static void put_element(const struct cpu *cpu, const char *model)
{
	bool host = !strcmp(model, "host"), max = !strcmp(model, "max");
	GString *out = cpu->out->cpu;

	g_string_append_printf(out, "<cpu mode='%s' check='%s'", host ? "host-passthrough" : max ? "maximum" : "custom",
			       cpu->enforce ? "full" : "none");
	if ((host || max) && cpu->migratable >= 0)
		g_string_append_printf(out, " migratable='%s'", cpu->migratable ? "on" : "off");
	g_string_append(out, ">");
	if (!host && !max) {
		g_autofree char *escaped = g_markup_escape_text(model, -1);

		g_string_append_printf(out, "<model fallback='forbid'>%s</model>", escaped);
	}
	put_topology(out, cpu->argv);
	put_phys_bits(out, cpu);
	for (guint i = 0; i < cpu->order->len; i++) {
		const char *name = g_ptr_array_index(cpu->order, i);
		bool on = GPOINTER_TO_INT(g_hash_table_lookup(cpu->on, name)) == 1;

		g_string_append_printf(out, "<feature policy='%s'", on ? "require" : "disable");
		argv_put(out, "name", name);
		g_string_append(out, "/>");
	}
	g_string_append(out, "</cpu>");
}

static void put_elsewhere(const struct cpu *cpu)
{
	if (cpu->hyperv->len || cpu->hyperv_passthrough)
		g_string_append_printf(cpu->out->features, "<hyperv mode='%s'>%s</hyperv>",
				       cpu->hyperv_passthrough ? "passthrough" : "custom", cpu->hyperv->str);
	if (cpu->hidden)
		g_string_append(cpu->out->features, "<kvm><hidden state='on'/></kvm>");
	if (cpu->tsc_hz)
		g_string_append_printf(cpu->out->clock, "<timer name='tsc' frequency='%" G_GUINT64_FORMAT "'/>",
				       cpu->tsc_hz);
	if (cpu->hyperv_clock)
		g_string_append(cpu->out->clock, "<timer name='hypervclock' present='yes'/>");
}

void argv_put_cpu(struct argv *argv, struct argv_cpu_out *out)
{
	g_autoptr(GArray) pairs = argv_pairs(argv->cpu, "model name");
	const char *model = argv_value(pairs, "model name");
	struct cpu cpu = { .argv = argv, .out = out, .migratable = -1 };

	if (!model || !*model || strlen(model) > 100 || strpbrk(model, "\r\n")) {
		argv_unknown(argv, g_strdup("CPU model without a name"));
		return;
	}
	cpu.on = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	cpu.order = g_ptr_array_new_with_free_func(g_free);
	cpu.hyperv = g_string_new(NULL);
	for (guint i = 1; i < pairs->len; i++)
		take_pair(&cpu, &g_array_index(pairs, struct argv_pair, i));
	take_signs(&cpu, pairs, '+');
	take_signs(&cpu, pairs, '-');
	put_element(&cpu, model);
	put_elsewhere(&cpu);
	g_string_free(cpu.hyperv, TRUE);
	g_ptr_array_unref(cpu.order);
	g_hash_table_unref(cpu.on);
}
