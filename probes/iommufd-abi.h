/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * iommufd-abi.h: what /dev/iommu is asked with, as the kernel's interface has it.
 *
 * Declared here since the headers of most distributions don't have it yet; it is ABI, and never
 * changes but by growing. Source: Linux include/uapi/linux/iommufd.h.
 */
#ifndef IOMMUFD_ABI_H
#define IOMMUFD_ABI_H

#include <assert.h>
#include <stdint.h>
#include <sys/ioctl.h>

#define IOMMUFD_CALL(n) _IO(';', n)

#define IOMMUFD_DESTROY IOMMUFD_CALL(0x80)
struct iommufd_destroy {
	uint32_t size, id;
};

#define IOMMUFD_IOAS_ALLOC IOMMUFD_CALL(0x81)
struct iommufd_ioas_alloc {
	uint32_t size, flags, out_ioas_id;
};

struct iommufd_range {
	uint64_t start, last;
};

/* EMSGSIZE where there are more ranges than room; num_iovas then says how many. */
#define IOMMUFD_IOAS_IOVA_RANGES IOMMUFD_CALL(0x84)
struct iommufd_iova_ranges {
	uint32_t size, ioas_id, num_iovas, reserved;
	uint64_t allowed_iovas; /* points at struct iommufd_range */
	uint64_t out_iova_alignment;
};

#define IOMMUFD_HWPT_ALLOC IOMMUFD_CALL(0x89)
#define IOMMUFD_HWPT_NEST_PARENT (1u << 0)
#define IOMMUFD_HWPT_DIRTY_TRACKING (1u << 1)
#define IOMMUFD_HWPT_PASID (1u << 3)
struct iommufd_hwpt_alloc {
	uint32_t size, flags, dev_id, pt_id, out_hwpt_id, reserved;
	uint32_t data_type, data_len;
	uint64_t data_uptr;
	uint32_t fault_id, reserved2;
};

#define IOMMUFD_GET_HW_INFO IOMMUFD_CALL(0x8a)
struct iommufd_hw_info {
	uint32_t size, flags, dev_id, data_len;
	uint64_t data_uptr;
	uint32_t out_data_type;
	uint8_t out_max_pasid_log2, reserved[3];
	uint64_t out_capabilities;
};

static_assert(sizeof(struct iommufd_ioas_alloc) == 12, "as the kernel has it");
static_assert(sizeof(struct iommufd_iova_ranges) == 32, "as the kernel has it");
static_assert(sizeof(struct iommufd_hwpt_alloc) == 48, "as the kernel has it");
static_assert(sizeof(struct iommufd_hw_info) == 40, "as the kernel has it");

#endif
