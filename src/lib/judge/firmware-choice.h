/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * firmware-choice.h: which firmware a definition asks for, and which libvirt would choose for it
 * on a host.
 */
#ifndef JUDGE_FIRMWARE_CHOICE_H
#define JUDGE_FIRMWARE_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/xml.h"
#include "model/firmware.h"
#include "model/profile.h"

/* What <os> asks for. Strings borrow from the definition; NULL where not written (or empty). */
struct firmware_wish {
	const char *choose;   /* firmware=: "bios", "efi", or NULL: the definition names it */
	const char *path, *type; /* of the loader; type as libvirt fills it in: "rom" for a path alone */
	const char *readonly, *secure, *stateless, *format;
	const char *nvram, *nvram_format, *template_file, *template_format;
	bool has_nvram, has_varstore;
	const char *secure_boot, *enrolled_keys; /* features: "yes", "no" */
	const char *s3, *s4;  /* <pm>: "yes", "no" */
	const char *smm;      /* "on", "off" */
	const char *security; /* launch security: "sev", "sev-snp", "tdx", … */
	bool sev_es;          /* its policy asks for it */
};

void firmware_wish(const struct xml_node *domain, struct firmware_wish *wish);

/**
 * firmware_choose - the description that libvirt would take, by the rules of its version
 * @profile: a host whose descriptions are known
 * @libvirt: its version, or NULL: the rules of newer ones
 * @wish: what is asked for; with a path, the description that speaks of that path
 * @choice: set to the description, to be freed by firmware_free(), or NULL where none fits
 *
 * Returns false where the host's descriptions aren't known.
 */
bool firmware_choose(const struct profile *profile, const char *libvirt, const char *arch,
		     const char *machine, const struct firmware_wish *wish, struct firmware **choice);

/**
 * firmware_file - is a firmware file on a host?
 * @size: set to its size in bytes where that is known, else to 0
 *
 * Returns 1, 0, or -1 where it isn't known.
 */
int firmware_file(const struct profile *profile, const char *path, uint64_t *size);

#endif
