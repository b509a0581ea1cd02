/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* settings-libvirt.c: settings as libvirt's XML, and as arguments of QEMU. */
#include "config.h"

#include <string.h>

#include "plan/settings-parts.h"

static bool vendor_known(const struct setting *s)
{
	return strcmp(s->vendor, "unknown") != 0;
}

/* check='full' would refuse a guest over `hypervisor`, which QEMU shows to all, if not named. */
static bool names_hypervisor(const struct setting *s)
{
	for (guint i = 0; i < s->features->len; i++)
		if (!strcmp(s->features->pdata[i], "hypervisor"))
			return true;
	return false;
}

static void add_features(const struct setting *s, GString *text)
{
	for (guint i = 0; i < s->delta->len; i++) {
		const struct feature_policy *p = &g_array_index(s->delta, struct feature_policy, i);
		g_autofree char *name = g_markup_escape_text(p->name, -1);

		if (p->nameless)
			continue;
		g_string_append_printf(text, "  <feature policy='%s' name='%s'/>\n",
				       p->require ? "require" : "disable", name);
	}
}

/* A mode that takes the CPU from the host; on POWER with the older mode that the guest is to see. */
static char *by_host(const struct setting *s)
{
	g_autofree char *model = s->model ? g_markup_escape_text(s->model, -1) : NULL;

	return model ? g_strdup_printf("<cpu mode='%s'>\n  <model>%s</model>\n</cpu>\n", s->mode, model) :
		       g_strdup_printf("<cpu mode='%s'/>\n", s->mode);
}

static char *cpu_element(const struct setting *s)
{
	GString *text;

	if (s->mode)
		return by_host(s);
	text = g_string_new("<cpu mode='custom' match='exact'");
	/* elsewhere libvirt leaves the check to QEMU */
	if (s->family == ARCH_X86)
		g_string_append_printf(text, " check='%s'",
				       s->check ? s->check : names_hypervisor(s) ? "full" : "partial");
	g_string_append(text, ">\n");
	if (s->model) {
		g_autofree char *model = g_markup_escape_text(s->model, -1);

		g_string_append_printf(text, "  <model fallback='forbid'>%s</model>\n", model);
	}
	if (s->family == ARCH_X86 && vendor_known(s) && g_strcmp0(s->accel, "tcg")) {
		g_autofree char *vendor = g_markup_escape_text(s->vendor, -1);

		g_string_append_printf(text, "  <vendor>%s</vendor>\n", vendor);
	}
	add_features(s, text);
	g_string_append(text, "</cpu>\n");
	return g_string_free(text, FALSE);
}

/* --- what pseries promises -------------------------------------------------------------------- */

/* "pseries-5.0" as 5 where the type is of that family, else -1. */
static double version_in(const char *machine, const char *family, gsize length)
{
	return strncmp(machine, family, length) ? -1 : g_ascii_strtod(machine + length, NULL);
}

/*
 * Would the chosen machine type promise it by itself, while these hosts can't keep it? It is asked for as
 * less then, that is, guests are open to it (check pseries-promises; capbroker-power(7)).
 */
static bool too_much(const struct setting *s, const struct capability *cap)
{
	const char *dash = cap->promised ? strrchr(cap->promised, '-') : NULL;
	gsize length = dash ? (gsize)(dash + 1 - cap->promised) : 0;
	json_int_t level, fixed;

	if (!dash || !s->machines->len || !g_strcmp0(s->accel, "tcg") ||
	    version_in(s->machines->pdata[0], cap->promised, length) < g_ascii_strtod(dash + 1, NULL) ||
	    !setting_number(s, "pseries.cap-cfpc", &level)) /* nobody said what KVM keeps */
		return false;
	if (cap->labels)
		return setting_number(s, cap->id, &level) && !level;
	/* the processor's help in flushing the count cache, which where branches are fixed isn't needed */
	return !json_is_true(json_object_get(s->capabilities, cap->id)) &&
	       !(setting_number(s, "pseries.cap-ibs", &fixed) && fixed == 3);
}

/* The least level's name; of what has none, off. */
static const char *less_than(const struct capability *cap)
{
	return cap->labels ? cap->labels[0] : "off";
}

/* Which are too much, " cfpc=broken ibs=broken", or NULL: none. */
static char *promised_too_much(const struct setting *s)
{
	GString *text = g_string_new(NULL);

	for (size_t i = 0; i < cap_count; i++)
		if (too_much(s, &cap_table[i]))
			g_string_append_printf(text, " %s=%s", cap_table[i].names[NS_LIBVIRT], less_than(&cap_table[i]));
	return g_string_free(text, !text->len);
}

void setting_note_promises(struct setting_out *out)
{
	g_autofree char *names = promised_too_much(out->setting);

	if (names)
		setting_note(out, "%s promises by itself what KVM on these hosts can't keep, and doesn't start "
				  "there; what would have to be asked for:%s", (char *)out->setting->machines->pdata[0],
			     names);
}

/* --- the virtual IOMMU ------------------------------------------------------------------------ */

static const struct {
	const char *property, *attribute;
} driver_attributes[] = {
	{ "intremap", "intremap" },	      { "caching-mode", "caching_mode" },
	{ "eim", "eim" },		      { "device-iotlb", "iotlb" },
	{ "aw-bits", "aw_bits" },	      { "dma-translation", "dma_translation" },
	{ "pt", "passthrough" },	      { "xtsup", "xtsup" },
};

/* Are interrupts to be remapped, which needs an I/O APIC of QEMU's own? */
static bool remaps(const struct setting *s)
{
	g_autofree char *intremap = setting_viommu_value(s, "intremap"), *eim = setting_viommu_value(s, "eim");

	return s->family == ARCH_X86 && (!g_strcmp0(intremap, "on") || !g_strcmp0(eim, "on"));
}

static void add_iommu(struct setting_out *out)
{
	const char *known[G_N_ELEMENTS(driver_attributes) + 1] = { NULL };
	const struct setting *s = out->setting;
	g_autoptr(GString) driver = g_string_new(NULL);
	g_autofree char *rest = NULL, *model = g_markup_escape_text(s->viommu, -1);

	for (size_t i = 0; i < G_N_ELEMENTS(driver_attributes); i++) {
		g_autofree char *value = setting_viommu_value(s, driver_attributes[i].property);
		g_autofree char *safe = value ? g_markup_escape_text(value, -1) : NULL;

		known[i] = driver_attributes[i].property;
		if (safe)
			g_string_append_printf(driver, " %s='%s'", driver_attributes[i].attribute, safe);
	}
	rest = setting_viommu_rest(s, known);
	if (rest)
		setting_note(out, "not set: %s: libvirt has no attribute for it", rest);
	g_string_append_printf(out->text, "  <devices>\n    <iommu model='%s'", model);
	if (driver->len)
		g_string_append_printf(out->text, ">\n      <driver%s/>\n    </iommu>\n", driver->str);
	else
		g_string_append(out->text, "/>\n");
	g_string_append(out->text, "  </devices>\n");
}

/* A text, each line of it further in. */
static void add_indented(GString *to, const char *text, const char *by)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (size_t i = 0; lines[i]; i++)
		if (*lines[i])
			g_string_append_printf(to, "%s%s\n", by, lines[i]);
}

static void add_promises(struct setting_out *out)
{
	g_autofree char *names = promised_too_much(out->setting);

	if (!names)
		return;
	setting_note(out, "less than the machine type promises, for these hosts can't keep it:%s", names);
	g_string_append(out->text, "  <features>\n");
	for (size_t i = 0; i < cap_count; i++)
		if (too_much(out->setting, &cap_table[i]))
			g_string_append_printf(out->text, "    <%s %s='%s'/>\n", cap_table[i].names[NS_LIBVIRT],
					       cap_table[i].labels ? "value" : "state", less_than(&cap_table[i]));
	g_string_append(out->text, "  </features>\n");
}

static void add_domain(struct setting_out *out, const char *cpu)
{
	const struct setting *s = out->setting;
	g_autofree char *arch = g_markup_escape_text(s->arch, -1);
	const char *type = s->mode || !g_strcmp0(s->accel, "kvm") ? " type='kvm'" :
			   !g_strcmp0(s->accel, "tcg")		  ? " type='qemu'" : "";

	if (!s->machines->len)
		setting_note(out, "no machine type is known that all of these hosts have");
	g_string_append_printf(out->text, "<domain%s>\n  <os>\n    <type", type);
	if (strcmp(s->arch, "unknown"))
		g_string_append_printf(out->text, " arch='%s'", arch);
	if (s->machines->len) {
		g_autofree char *machine = g_markup_escape_text(s->machines->pdata[0], -1);

		g_string_append_printf(out->text, " machine='%s'", machine);
	}
	g_string_append(out->text, ">hvm</type>\n  </os>\n");
	add_promises(out);
	if (s->viommu && remaps(s))
		g_string_append(out->text, "  <features>\n    <ioapic driver='qemu'/>\n  </features>\n");
	add_indented(out->text, cpu, "  ");
	if (s->viommu)
		add_iommu(out);
	else
		setting_note(out, "no virtual IOMMU is asked for: leave <iommu> out");
	g_string_append(out->text, "</domain>\n");
}

void setting_libvirt(struct setting_out *out)
{
	g_autofree char *cpu = cpu_element(out->setting);

	if (out->consumer == SETTING_LIBVIRT) {
		g_string_append(out->text, cpu);
		return;
	}
	setting_note_nameless(out);
	add_domain(out, cpu);
}

/* --- QEMU ------------------------------------------------------------------------------------- */

/* The newest of the interrupt controllers that all hosts have: QEMU's default may be one they lack. */
static void add_gic(const struct setting *s, GString *text)
{
	const json_t *versions = json_object_get(s->capabilities, "arm64.gic-versions");
	const char *newest = json_string_value(json_array_get(versions, json_array_size(versions) - 1));

	if (s->family == ARCH_ARM64 && newest && text->len)
		g_string_append_printf(text, ",gic-version=%s", newest);
}

/* Options of the machine after its name, which may be left out. */
static void add_option(GString *text, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void add_option(GString *text, const char *format, ...)
{
	va_list args;

	g_string_append(text, text->len ? "," : "-machine ");
	va_start(args, format);
	g_string_append_vprintf(text, format, args);
	va_end(args);
}

/* QEMU's spelling of a property where all its versions have the same, else NULL. */
static const char *spelling(const struct setting_facts *facts, const char *device, const char *property)
{
	const struct table *t = facts ? facts->tables->viommu : NULL;
	int devices = t ? table_column(t, "device") : -1, names = t ? table_column(t, "property") : -1;
	int spellings = t ? table_column(t, "spelling") : -1;
	const char *found = NULL;

	for (guint i = 0; devices >= 0 && names >= 0 && spellings >= 0 && i < t->rows->len; i++) {
		char **row = g_ptr_array_index(t->rows, i);

		if (strcmp(row[devices], device) || strcmp(row[names], property))
			continue;
		if (!strcmp(row[spellings], "-") || (found && strcmp(found, row[spellings])))
			return NULL;
		found = row[spellings];
	}
	return found;
}

static const char *device_of(const char *viommu)
{
	static const char *const devices[][2] = {
		{ "intel", "intel-iommu" }, { "amd", "amd-iommu" }, { "virtio", "virtio-iommu-pci" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(devices); i++)
		if (!strcmp(devices[i][0], viommu))
			return devices[i][1];
	return NULL;
}

/* The device with the properties that have one spelling; the others are noted. */
static char *viommu_device(struct setting_out *out, const char *device)
{
	const char *table_name = !strcmp(device, "virtio-iommu-pci") ? "virtio-iommu" : device, *key;
	GString *text = g_string_new(device);
	json_t *json;

	json_object_foreach (out->setting->viommu_properties, key, json) {
		const char *dot = strrchr(key, '.'), *property = dot ? dot + 1 : key;
		const char *name = spelling(out->facts, table_name, property);
		g_autofree char *value = setting_viommu_value(out->setting, property);

		if (name && value)
			g_string_append_printf(text, ",%s=%s", name, value);
		else
			setting_note(out, "not set: %s: versions of QEMU call it differently", property);
	}
	return g_string_free(text, FALSE);
}

void setting_qemu(struct setting_out *out)
{
	const struct setting *s = out->setting;
	const char *model = s->mode ? "host" : s->model ? s->model : "base";
	/* no emulated CPU is the host's */
	const char *accel = s->mode ? "kvm" : s->accel;
	const char *device = s->viommu ? device_of(s->viommu) : NULL;
	g_autofree char *iommu = device ? viommu_device(out, device) : NULL;
	g_autoptr(GString) text = g_string_new(NULL);

	if (s->machines->len)
		add_option(text, "%s", (const char *)s->machines->pdata[0]);
	if (accel)
		add_option(text, "accel=%s", accel);
	if (s->mode && s->model)
		add_option(text, "max-cpu-compat=%s", s->model);
	if (s->viommu && remaps(s) && g_strcmp0(accel, "tcg"))
		add_option(text, "kernel-irqchip=split");
	if (s->viommu && !strcmp(s->viommu, "smmuv3"))
		add_option(text, "iommu=smmuv3");
	for (size_t i = 0; i < cap_count; i++)
		if (too_much(s, &cap_table[i]))
			add_option(text, "%s=%s", cap_table[i].names[NS_QEMU], less_than(&cap_table[i]));
	add_gic(s, text);
	g_string_append_printf(text, "%s-cpu %s", text->len ? " " : "", model);
	for (guint i = 0; i < s->delta->len; i++) {
		const struct feature_policy *p = &g_array_index(s->delta, struct feature_policy, i);

		g_string_append_printf(text, ",%s=%s", setting_qemu_name(s, p->name),
				       p->require ? "on" : "off");
	}
	if (s->family == ARCH_X86)
		g_string_append(text, ",enforce");
	if (iommu)
		g_string_append_printf(text, " -device %s", iommu);
	g_string_append_printf(out->text, "%s\n", text->str);
}
