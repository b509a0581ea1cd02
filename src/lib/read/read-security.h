/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read-security.h: readers of what is said of encrypted guests and enclaves; for the readers of
 * domain capabilities, QMP replies and CPUID.
 */
#ifndef READ_READ_SECURITY_H
#define READ_READ_SECURITY_H

#include "read/read-parts.h"

/* The enclave memory that CPUID's leaf 12H lists, all sections together. */
void read_epc_leaves(json_t *facts, const struct cpuid_row *rows, size_t n,
		     const struct scope *scope, const char *origin);

/**
 * read_security_features - <features> of domain capabilities: sev, sgx, tdx
 * @root: <domainCapabilities>
 * @emulator: its path
 * @accel: its accelerator; under others than kvm nothing of it counts
 */
void read_security_features(json_t *doc, const struct xml_node *root, const char *emulator,
			    const char *accel);

#endif
