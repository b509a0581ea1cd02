/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fuzz-pci.c: configuration space of any bytes, as much of it as there is. */
#include "config.h"

#include "fuzz.h"
#include "read/read-iommu.h"

FUZZ(pci)
{
	json_t *facts = json_array();
	GError *error = NULL;
	bool good = read_pci_config(facts, data, size, "fuzz", &error);

	g_assert_true(good == (error == NULL));
	json_decref(facts);
	g_clear_error(&error);
}
