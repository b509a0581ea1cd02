/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * definition.h: a whitelisted copy of a domain definition, which may leave the guest's host and
 * which rules about definitions are asked of.
 *
 * Kept: elements; attribute values and texts that are short plain words, numbers or addresses;
 * the paths of firmware, emulator, TPM and memory. Other paths become PATH, other texts TEXT.
 * Metadata, titles, descriptions, secrets and QEMU command lines are left out or emptied. What
 * a command line says of virtual IOMMUs, VFIO devices and interrupt controllers is told as
 *
 *	<qemu:device driver='intel-iommu' aw-bits='39'/>  <qemu:global driver= property= value=/>
 *	<qemu:object type='iommufd'/>  <qemu:machine kernel-irqchip='split'/>
 *
 * and each argument that is none of these as <qemu:other/>. The definition of a guest that is
 * started without libvirt holds <argv> (argv.h).
 */
#ifndef GUEST_DEFINITION_H
#define GUEST_DEFINITION_H

#include <stdbool.h>

#include "guest/xml.h"

#define DEFINITION_MAX_BYTES (1024u * 1024)

/**
 * definition_reduce - the whitelisted copy, as XML text
 * @domain: a <domain> element
 *
 * Returns the text, to be freed by g_free(), or NULL with one line in @error where it is longer
 * than DEFINITION_MAX_BYTES.
 */
char *definition_reduce(const struct xml_node *domain, GError **error);


/* Is all that a <qemu:commandline> or <qemu:override> says told in the copy? */
bool definition_qemu_told(const struct xml_node *node);

#endif
