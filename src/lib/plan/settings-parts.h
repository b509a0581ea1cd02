/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* settings-parts.h: what the writers of settings (settings-*.c) share. */
#ifndef PLAN_SETTINGS_PARTS_H
#define PLAN_SETTINGS_PARTS_H

#include "plan/settings.h"

struct setting_out {
	const struct setting *setting;
	const struct setting_facts *facts;
	enum setting_consumer consumer;
	const char *name; /* or NULL */
	GString *text;
	bool usable;
};

/* A comment of printf's form. */
void setting_note(struct setting_out *out, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The lines "what can't be said": nothing usable was written. */
void setting_none(struct setting_out *out, const char *why);

/* QEMU's name of a feature that libvirt calls so. */
const char *setting_qemu_name(const struct setting *s, const char *feature);

/**
 * setting_flags - the changes to the model
 * @qemu: QEMU's names, and those that a libvirt has no name for too; else libvirt's without them
 * @between: what stands between two
 *
 * Returns "+aes,-hle"; free with g_free().
 */
char *setting_flags(const struct setting *s, bool qemu, const char *between);

/* Notes the features that libvirt on some host has no name for. */
void setting_note_nameless(struct setting_out *out);

/* Notes what pseries promises by itself and these hosts can't keep, where a consumer can't ask for less. */
void setting_note_promises(struct setting_out *out);

/* The first machine type that matches one of several patterns apart by spaces, or NULL. */
const char *setting_machine(const struct setting *s, const char *patterns);

/* The rows of a consumer's names of a kind: @each is called with name and value. */
void setting_names(const struct setting_facts *facts, const char *consumer, const char *kind,
		   void (*each)(const char *name, const char *value, void *data), void *data);

/* A number among the capabilities; false where it isn't there. */
bool setting_number(const struct setting *s, const char *id, json_int_t *value);

/* A property of the virtual IOMMU as text: "on", "39"; NULL where nothing is said of it. */
char *setting_viommu_value(const struct setting *s, const char *property);

/* What is said of the virtual IOMMU besides @known (NULL-terminated), "a=b c=d", or NULL: nothing. */
char *setting_viommu_rest(const struct setting *s, const char *const *known);

void setting_libvirt(struct setting_out *out);
void setting_qemu(struct setting_out *out);
void setting_nova(struct setting_out *out);
void setting_ovirt(struct setting_out *out);
void setting_kubevirt(struct setting_out *out);
void setting_proxmox(struct setting_out *out);

#endif
