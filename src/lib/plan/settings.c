/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* settings.c: settings made and read, and what their writers share; see settings.h. */
#include "config.h"

#include <string.h>

#include "model/error.h"
#include "plan/settings-parts.h"

#define COLUMNS 78u

static const struct {
	const char *name;
	bool xml;
	void (*write)(struct setting_out *out);
} consumers[] = {
	[SETTING_LIBVIRT] = { "libvirt", true, setting_libvirt },
	[SETTING_LIBVIRT_DOMAIN] = { "libvirt-domain", true, setting_libvirt },
	[SETTING_QEMU] = { "qemu", false, setting_qemu },
	[SETTING_NOVA] = { "nova", false, setting_nova },
	[SETTING_OVIRT] = { "ovirt", true, setting_ovirt },
	[SETTING_KUBEVIRT] = { "kubevirt", false, setting_kubevirt },
	[SETTING_PROXMOX] = { "proxmox", false, setting_proxmox },
};
_Static_assert(G_N_ELEMENTS(consumers) == SETTING_CONSUMERS, "a consumer without a writer");

bool setting_consumer_find(const char *name, enum setting_consumer *consumer)
{
	for (size_t i = 0; i < SETTING_CONSUMERS; i++)
		if (!strcmp(consumers[i].name, name)) {
			*consumer = (enum setting_consumer)i;
			return true;
		}
	return false;
}

const char *setting_consumer_name(enum setting_consumer consumer)
{
	return consumers[consumer].name;
}

bool setting_is_xml(enum setting_consumer consumer)
{
	return consumers[consumer].xml;
}

/* --- made and read ---------------------------------------------------------------------------- */

static struct setting *setting_new(const char *arch, const char *vendor)
{
	struct setting *s = g_new0(struct setting, 1);

	s->arch = g_strdup(arch);
	s->vendor = g_strdup(vendor);
	s->family = strcmp(arch, "unknown") ? arch_family(arch) : ARCH_X86; /* as baselines have it */
	s->delta = g_array_new(FALSE, FALSE, sizeof(struct feature_policy));
	s->features = g_ptr_array_new();
	s->machines = g_ptr_array_new();
	s->hosts = g_ptr_array_new();
	s->strings = g_ptr_array_new_with_free_func(g_free);
	return s;
}

void setting_free(struct setting *s)
{
	if (!s)
		return;
	g_free(s->arch);
	g_free(s->vendor);
	g_array_unref(s->delta);
	g_ptr_array_unref(s->features);
	g_ptr_array_unref(s->machines);
	g_ptr_array_unref(s->hosts);
	g_ptr_array_unref(s->strings);
	json_decref(s->capabilities);
	json_decref(s->viommu_properties);
	g_free(s);
}

/* A copy that lives as long as the setting; NULL of NULL. */
static const char *keep(struct setting *s, const char *text)
{
	char *copy = g_strdup(text);

	if (copy)
		g_ptr_array_add(s->strings, copy);
	return copy;
}

static void keep_all(struct setting *s, GPtrArray *to, const GPtrArray *from)
{
	for (guint i = 0; from && i < from->len; i++)
		g_ptr_array_add(to, (void *)keep(s, from->pdata[i]));
}

static void keep_policy(struct setting *s, const char *name, bool require, bool nameless)
{
	struct feature_policy p = { keep(s, name), require, nameless };

	g_array_append_val(s->delta, p);
}

struct setting *setting_of_baseline(const struct baseline *b)
{
	struct setting *s = setting_new(b->arch, b->vendor);

	s->family = b->family;
	s->accel = keep(s, b->accel);
	s->mode = keep(s, b->cpu.mode);
	s->model = keep(s, b->cpu.model);
	for (guint i = 0; b->cpu.delta && i < b->cpu.delta->len; i++) {
		const struct feature_policy *p = &g_array_index(b->cpu.delta, struct feature_policy, i);

		keep_policy(s, p->name, p->require, p->nameless);
	}
	keep_all(s, s->features, b->features);
	keep_all(s, s->machines, b->machines);
	for (guint i = 0; i < b->hosts->len; i++)
		g_ptr_array_add(s->hosts, (void *)keep(s, ((struct host *)b->hosts->pdata[i])->name));
	s->capabilities = json_incref(b->capabilities);
	return s;
}

static bool wrong(GError **error, const char *member)
{
	g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "'%s' is missing, or of the wrong type", member);
	return false;
}

/* An array of strings, or nothing. */
static bool read_strings(struct setting *s, const json_t *object, const char *member, GPtrArray *to,
			 GError **error)
{
	const json_t *array = json_object_get(object, member), *one;
	size_t i;

	if (array && !json_is_array(array))
		return wrong(error, member);
	json_array_foreach (array, i, one) {
		if (!json_is_string(one))
			return wrong(error, member);
		g_ptr_array_add(to, (void *)keep(s, json_string_value(one)));
	}
	return true;
}

static bool read_delta(struct setting *s, const json_t *cpu, GError **error)
{
	const json_t *array = json_object_get(cpu, "delta"), *one;
	size_t i;

	if (array && !json_is_array(array))
		return wrong(error, "delta");
	json_array_foreach (array, i, one) {
		const char *name = json_string_value(json_object_get(one, "name"));
		const char *policy = json_string_value(json_object_get(one, "policy"));

		if (!name || !policy || (strcmp(policy, "require") && strcmp(policy, "disable")))
			return wrong(error, "delta");
		keep_policy(s, name, !strcmp(policy, "require"),
			    json_is_true(json_object_get(one, "nameless")));
	}
	return true;
}

/* A string, null, or nothing. */
static bool read_text(struct setting *s, const json_t *object, const char *member, const char **to,
		      GError **error)
{
	const json_t *value = json_object_get(object, member);

	if (value && !json_is_string(value) && !json_is_null(value))
		return wrong(error, member);
	*to = keep(s, json_string_value(value));
	return true;
}

/* An object, or nothing; the reference is the setting's own. */
static bool read_object(const json_t *object, const char *member, json_t **to, GError **error)
{
	json_t *value = json_object_get(object, member);

	if (value && !json_is_object(value) && !json_is_null(value))
		return wrong(error, member);
	*to = json_is_object(value) ? json_incref(value) : NULL;
	return true;
}

static bool read_group(struct setting *s, const json_t *group, GError **error)
{
	const json_t *cpu = json_object_get(group, "cpu"), *viommu = json_object_get(group, "viommu");

	if (viommu && !json_is_object(viommu) && !json_is_null(viommu))
		return wrong(error, "viommu");
	return read_text(s, cpu, "mode", &s->mode, error) && read_text(s, cpu, "model", &s->model, error) &&
	       read_text(s, cpu, "accel", &s->accel, error) && read_text(s, group, "check", &s->check, error) &&
	       read_delta(s, cpu, error) &&
	       read_strings(s, cpu, "features", s->features, error) &&
	       read_strings(s, group, "machines", s->machines, error) &&
	       read_strings(s, group, "hosts", s->hosts, error) &&
	       read_object(group, "capabilities", &s->capabilities, error) &&
	       read_text(s, viommu, "model", &s->viommu, error) &&
	       read_object(viommu, "properties", &s->viommu_properties, error);
}

struct setting *setting_of_json(const json_t *group, GError **error)
{
	const char *arch = json_string_value(json_object_get(group, "arch"));
	const char *vendor = json_string_value(json_object_get(group, "vendor"));
	struct setting *s;

	if (!arch || !json_is_object(json_object_get(group, "cpu"))) {
		wrong(error, arch ? "cpu" : "arch");
		return NULL;
	}
	s = setting_new(arch, vendor ? vendor : "unknown");
	if (read_group(s, group, error))
		return s;
	setting_free(s);
	return NULL;
}

bool setting_has_cpu(const struct setting *s)
{
	bool by_features = s->family == ARCH_X86 || s->family == ARCH_S390X;

	return s->mode || (by_features ? s->features->len && (s->model || s->family == ARCH_X86) :
					 s->model != NULL);
}

/* --- what writers share ----------------------------------------------------------------------- */

void setting_comment(GString *text, enum setting_consumer consumer, const char *words)
{
	bool xml = setting_is_xml(consumer);
	g_autofree char *safe = g_strdup(words);
	g_auto(GStrv) parts = NULL;
	gsize line = text->len;

	for (char *c = safe; xml && *c; c++)
		if (*c == '-' && c[1] == '-')
			*c = '~';
	parts = g_strsplit_set(safe, " \n", -1);
	g_string_append(text, xml ? "<!--" : "#");
	for (size_t i = 0; parts[i]; i++) {
		if (i && text->len - line + 1 + strlen(parts[i]) > COLUMNS - (xml ? 4 : 0)) {
			g_string_append_c(text, '\n');
			line = text->len;
			g_string_append(text, xml ? "    " : "# ");
		}
		g_string_append_printf(text, " %s", parts[i]);
	}
	g_string_append(text, xml ? " -->\n" : "\n");
}

void setting_note(struct setting_out *out, const char *format, ...)
{
	g_autofree char *words = NULL;
	va_list args;

	va_start(args, format);
	words = g_strdup_vprintf(format, args);
	va_end(args);
	setting_comment(out->text, out->consumer, words);
}

void setting_none(struct setting_out *out, const char *why)
{
	out->usable = false;
	setting_note(out, "%s", why);
}

const char *setting_qemu_name(const struct setting *s, const char *feature)
{
	int cap = arch_find_alias(s->family, NS_LIBVIRT, feature);
	const char *name = cap >= 0 ? cap_alias_of(NS_QEMU, cap) : NULL;

	return name ? arch_plain_name(name) : feature;
}

char *setting_flags(const struct setting *s, bool qemu, const char *between)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < s->delta->len; i++) {
		const struct feature_policy *p = &g_array_index(s->delta, struct feature_policy, i);

		if (!p->nameless || qemu)
			g_string_append_printf(text, "%s%c%s", text->len ? between : "",
					       p->require ? '+' : '-',
					       qemu ? setting_qemu_name(s, p->name) : p->name);
	}
	return g_string_free(text, FALSE);
}

void setting_note_nameless(struct setting_out *out)
{
	g_autoptr(GString) names = g_string_new(NULL);

	for (guint i = 0; i < out->setting->delta->len; i++) {
		const struct feature_policy *p = &g_array_index(out->setting->delta, struct feature_policy, i);

		if (p->nameless)
			g_string_append_printf(names, " %c%s", p->require ? '+' : '-', p->name);
	}
	if (names->len)
		setting_note(out, "not set:%s: libvirt on some of these hosts has no name for it", names->str);
}

const char *setting_machine(const struct setting *s, const char *patterns)
{
	g_auto(GStrv) all = g_strsplit(patterns, " ", -1);

	for (guint i = 0; i < s->machines->len; i++)
		for (size_t k = 0; all[k]; k++)
			if (g_pattern_match_simple(all[k], s->machines->pdata[i]))
				return s->machines->pdata[i];
	return NULL;
}

void setting_names(const struct setting_facts *facts, const char *consumer, const char *kind,
		   void (*each)(const char *name, const char *value, void *data), void *data)
{
	const struct table *t = facts->tables->consumers;
	int of = table_column(t, "consumer"), kinds = table_column(t, "kind");
	int name = table_column(t, "name"), value = table_column(t, "value");

	for (guint i = 0; i < t->rows->len && of >= 0 && kinds >= 0 && name >= 0 && value >= 0; i++) {
		char **row = g_ptr_array_index(t->rows, i);

		if (!strcmp(row[of], consumer) && !strcmp(row[kinds], kind))
			each(row[name], row[value], data);
	}
}

bool setting_number(const struct setting *s, const char *id, json_int_t *value)
{
	const json_t *json = json_object_get(s->capabilities, id);

	*value = json_integer_value(json);
	return json_is_integer(json);
}

/* "aw-bits" of "viommu.intel.aw-bits", which is its id. */
static const char *property_of(const char *key)
{
	const char *dot = strrchr(key, '.');

	return dot ? dot + 1 : key;
}

static char *value_text(const json_t *value)
{
	if (json_is_boolean(value))
		return g_strdup(json_is_true(value) ? "on" : "off");
	if (json_is_integer(value))
		return g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return g_strdup(json_string_value(value));
}

char *setting_viommu_value(const struct setting *s, const char *property)
{
	const char *key;
	json_t *value;

	json_object_foreach (s->viommu_properties, key, value)
		if (!strcmp(property_of(key), property))
			return value_text(value);
	return NULL;
}

char *setting_viommu_rest(const struct setting *s, const char *const *known)
{
	GString *rest = g_string_new(NULL);
	const char *key;
	json_t *value;

	json_object_foreach (s->viommu_properties, key, value) {
		g_autofree char *text = value_text(value);

		if (text && !g_strv_contains(known, property_of(key)))
			g_string_append_printf(rest, "%s%s=%s", rest->len ? " " : "", property_of(key), text);
	}
	return g_string_free(rest, !rest->len);
}

char *setting_write(const struct setting *s, enum setting_consumer consumer,
		    const struct setting_facts *facts, const char *name, bool *usable)
{
	struct setting_out out = { s, facts, consumer, name, g_string_new(NULL), true };

	if (setting_has_cpu(s))
		consumers[consumer].write(&out);
	else
		setting_none(&out, s->family == ARCH_X86 ?
					   "no CPU feature is known to be common to these hosts" :
					   "no CPU is known that guests of all these hosts can have");
	*usable = out.usable;
	return g_string_free(out.text, FALSE);
}
