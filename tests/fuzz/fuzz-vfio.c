/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz-vfio.c: answers of VFIO and iommufd, of any bytes: type1's chain of capabilities, what
 * IOMMU_GET_HW_INFO says, and sysfs' texts.
 */
#include "config.h"

#include <string.h>

#include "fuzz.h"
#include "model/value.h"
#include "read/read-iommu.h"

static void check(bool good, GError *error)
{
	g_assert_true(good == (error == NULL));
	g_clear_error(&error);
}

static void fuzz_hwinfo(const uint8_t *data, size_t size)
{
	struct hwinfo info = {
		.data_type = size ? data[0] % 6 : 0,
		.max_pasid_log2 = size > 1 ? data[1] : 0,
		.capabilities = size > 2 ? data[2] : 0,
		.kernel = 7002,
		.data = size > 3 ? data + 3 : NULL,
		.data_length = size > 3 ? size - 3 : 0,
	};
	json_t *device = json_array(), *unit = json_array();
	GError *error = NULL;
	bool good = read_hwinfo(device, unit, &info, "fuzz", &error);

	check(good, error);
	json_decref(device);
	json_decref(unit);
}

static void fuzz_texts(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autoptr(GArray) holes = g_array_new(FALSE, FALSE, sizeof(struct value_range));
	g_autoptr(GArray) left = NULL;
	json_t *facts = json_array();
	GError *error = NULL;
	bool good = read_reserved_regions(facts, text, holes, "fuzz", &error);

	check(good, error);
	value_ranges_normalize(holes);
	left = value_ranges_without(holes, holes);
	g_assert_cmpuint(left->len, ==, 0);
	error = NULL;
	good = read_amdvi_features(facts, text, &scope_raw, "fuzz", &error);
	check(good, error);
	json_decref(facts);
}

FUZZ(vfio)
{
	json_t *facts = json_array();
	GError *error = NULL;
	bool good = read_vfio_type1(facts, data, size, "fuzz", &error);

	check(good, error);
	json_decref(facts);
	fuzz_hwinfo(data, size);
	fuzz_texts(data, size);
}
