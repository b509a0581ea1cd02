/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * settings-proxmox.c: settings as a section of Proxmox's /etc/pve/virtual-guest/cpu-models.conf: a model
 * that it knows, QEMU's names of flags, the width of addresses. Machine types and virtual IOMMUs are a
 * guest's own; Proxmox itself adds `enforce` under KVM.
 */
#include "config.h"

#include <string.h>

#include "plan/settings-parts.h"

struct wanted {
	const char *model, *vendor;
	bool known;
};

static void look_for(const char *name, const char *value, void *data)
{
	struct wanted *w = data;

	/* Proxmox sets the model's vendor, whoever made the host */
	if (!strcmp(name, w->model) && (!strcmp(value, "-") || !strcmp(value, w->vendor)))
		w->known = true;
}

/* The model as Proxmox knows it: QEMU's first version of a model goes by the plain name too. */
static char *reported_model(const struct setting_out *out)
{
	g_autofree char *plain = g_strdup(out->setting->model);
	const char *vendor = out->setting->vendor;
	struct wanted whole = { out->setting->model, vendor, false }, first = { plain, vendor, false };

	if (!plain)
		return NULL;
	setting_names(out->facts, "proxmox", "model", look_for, &whole);
	if (whole.known)
		return g_steal_pointer(&plain);
	if (!g_str_has_suffix(plain, "-v1"))
		return NULL;
	plain[strlen(plain) - strlen("-v1")] = '\0';
	setting_names(out->facts, "proxmox", "model", look_for, &first);
	return first.known ? g_steal_pointer(&plain) : NULL;
}

/* A section's name: letters, digits and '-'. */
static char *section(const struct setting_out *out)
{
	const char *vendor = out->setting->vendor;
	char *name = out->name ? g_strdup(out->name) : g_strdup_printf("baseline-%s", vendor);

	for (char *c = name; *c; c++)
		if (!g_ascii_isalnum(*c) && *c != '-' && *c != '_' && *c != '.')
			*c = '-';
	return name;
}

static void note_guest(struct setting_out *out, const char *name)
{
	const struct setting *s = out->setting;
	const char *machine = setting_machine(s, "pc-q35-[0-9]* pc-i440fx-[0-9]* pc-q35-* pc-i440fx-*");
	static const char *const known[] = { "aw-bits", NULL };
	g_autofree char *bits = setting_viommu_value(s, "aw-bits"), *rest = setting_viommu_rest(s, known);
	bool has = s->viommu && (!strcmp(s->viommu, "intel") || !strcmp(s->viommu, "virtio"));

	if (machine)
		setting_note(out, "a machine type is a guest's own: qm set VMID --cpu custom-%s --machine %s%s%s%s%s",
			     name, machine, has ? ",viommu=" : "", has ? s->viommu : "",
			     has && bits ? ",aw-bits=" : "", has && bits ? bits : "");
	else
		setting_note(out, "no machine type that Proxmox takes is known to be common to these hosts");
	if (s->viommu && !has)
		setting_note(out, "not set: a virtual IOMMU of model %s: Proxmox knows intel and virtio", s->viommu);
	if (rest)
		setting_note(out, "not set: %s: Proxmox has no property for it", rest);
}

void setting_proxmox(struct setting_out *out)
{
	const struct setting *s = out->setting;
	g_autofree char *model = NULL, *name = section(out), *flags = setting_flags(s, true, ";");
	json_int_t bits;

	if (s->family != ARCH_X86) {
		setting_none(out, "Proxmox has CPU models of x86 only");
		return;
	}
	model = reported_model(out);
	if (!model) {
		setting_note(out, "the model that fits these hosts is %s", s->model ? s->model : "none that has a name");
		setting_none(out, "a section needs a reported-model that Proxmox knows, of these hosts' vendor; that is none");
		return;
	}
	note_guest(out, name);
	g_string_append_printf(out->text, "cpu-model: %s\n", name);
	if (*flags)
		g_string_append_printf(out->text, "    flags %s\n", flags);
	if (setting_number(s, "cpu.phys-bits", &bits))
		g_string_append_printf(out->text, "    phys-bits %d\n", (int)bits);
	g_string_append_printf(out->text, "    hidden 0\n    reported-model %s\n\n", model);
}
