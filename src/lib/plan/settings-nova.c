/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * settings-nova.c: settings as nova.conf of compute nodes. Nova names a model and changes to it; machine
 * types by architecture. A virtual IOMMU and the width of addresses are a flavor's or an image's.
 */
#include "config.h"

#include <string.h>

#include "plan/settings-parts.h"

static void add_cpu(struct setting_out *out)
{
	const struct setting *s = out->setting;
	g_autofree char *flags = setting_flags(s, false, ", ");

	if (s->mode) {
		g_string_append_printf(out->text, "cpu_mode = %s\n", s->mode);
		return;
	}
	g_string_append_printf(out->text, "cpu_mode = custom\ncpu_models = %s\n", s->model);
	if (*flags)
		g_string_append_printf(out->text, "cpu_model_extra_flags = %s\n", flags);
}

static void note_viommu(struct setting_out *out)
{
	static const char *const none[] = { NULL };
	const struct setting *s = out->setting;
	g_autofree char *rest = NULL;

	if (!s->viommu)
		return;
	rest = setting_viommu_rest(s, none);
	if (!strcmp(s->viommu, "amd"))
		setting_note(out, "not set: a virtual IOMMU of model amd: Nova knows intel, smmuv3 and virtio");
	else
		setting_note(out, "a virtual IOMMU is an image's or a flavor's: hw_viommu_model=%s, "
				  "hw:viommu_model=%s (Nova 26 and newer)", s->viommu, s->viommu);
	if (rest)
		setting_note(out, "not set: %s: Nova has no property for what a virtual IOMMU is like", rest);
}

void setting_nova(struct setting_out *out)
{
	const struct setting *s = out->setting;
	json_int_t bits;

	if (!s->mode && !s->model) {
		setting_none(out, "Nova needs a named CPU model, and none fits these hosts");
		return;
	}
	if (s->mode && s->model) {
		setting_none(out, "these hosts' guests need a compatibility mode, which Nova can't name: its "
				  "guests get the host's newest, and can't go to older hosts");
		return;
	}
	setting_note_nameless(out);
	if (setting_number(s, "cpu.phys-bits", &bits) && s->family == ARCH_X86)
		setting_note(out, "addresses of %d bits are a flavor's, where guests need that many: "
				  "hw:maxphysaddr_mode=emulate, hw:maxphysaddr_bits=%d (Nova 27 and newer)",
			     (int)bits, (int)bits);
	note_viommu(out);
	setting_note_promises(out);
	if (!s->machines->len)
		setting_note(out, "no machine type is known that all of these hosts have");
	g_string_append(out->text, "[libvirt]\n");
	if (s->mode || s->accel)
		g_string_append_printf(out->text, "virt_type = %s\n",
				       s->mode || strcmp(s->accel, "tcg") ? "kvm" : "qemu");
	add_cpu(out);
	if (s->machines->len)
		g_string_append_printf(out->text, "hw_machine_type = %s=%s\n", s->arch,
				       (const char *)s->machines->pdata[0]);
}
