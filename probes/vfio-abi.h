/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vfio-abi.h: what VFIO is asked with, as the kernel's interface has it.
 *
 * Declared here since what the build machine's headers have differs with their age; it is ABI.
 * Source: Linux include/uapi/linux/vfio.h.
 */
#ifndef VFIO_ABI_H
#define VFIO_ABI_H

#include <assert.h>
#include <stdint.h>
#include <sys/ioctl.h>

#define VFIO_CALL(n) _IO(';', 100 + (n))

/* /dev/vfio/vfio, a container */
#define VFIO_ASK_API_VERSION VFIO_CALL(0)
#define VFIO_API 0
#define VFIO_ASK_EXTENSION VFIO_CALL(1)
#define VFIO_USE_IOMMU VFIO_CALL(2)

enum vfio_extension {
	VFIO_EXT_TYPE1 = 1,
	VFIO_EXT_SPAPR_TCE = 2,
	VFIO_EXT_TYPE1V2 = 3,
	VFIO_EXT_DMA_CC = 4,
	VFIO_EXT_EEH = 5,
	VFIO_EXT_TYPE1_NESTING = 6,
	VFIO_EXT_SPAPR_TCE_V2 = 7,
	VFIO_EXT_NOIOMMU = 8,
	VFIO_EXT_UNMAP_ALL = 9,
	VFIO_EXT_UPDATE_VADDR = 10,
};

/* A container that has an IOMMU. argsz comes back as what there is to tell needs. */
#define VFIO_ASK_IOMMU_INFO VFIO_CALL(12)
struct vfio_info_head {
	uint32_t argsz, flags;
	uint64_t iova_pgsizes;
	uint32_t cap_offset, pad;
};

/* The same number, where the IOMMU is POWER's */
struct vfio_spapr_info {
	uint32_t argsz, flags, dma32_window_start, dma32_window_size;
	uint64_t pgsizes;
	uint32_t max_dynamic_windows_supported, levels;
};

/* /dev/vfio/N, a group */
#define VFIO_ASK_GROUP_STATUS VFIO_CALL(3)
#define VFIO_GROUP_VIABLE (1u << 0)
struct vfio_group {
	uint32_t argsz, flags;
};
#define VFIO_USE_CONTAINER VFIO_CALL(4)
#define VFIO_GET_DEVICE VFIO_CALL(6)

/* A device: of a group, or /dev/vfio/devices/vfioN once it is bound to an iommufd */
#define VFIO_USE_IOMMUFD VFIO_CALL(18)
struct vfio_use_iommufd {
	uint32_t argsz, flags;
	int32_t iommufd;
	uint32_t out_devid;
};

#define VFIO_ATTACH VFIO_CALL(19)
struct vfio_attach {
	uint32_t argsz, flags, pt_id;
};

#define VFIO_DEVICE_FEATURES VFIO_CALL(17)
#define VFIO_FEATURE_GET (1u << 16)
#define VFIO_FEATURE_PROBE (1u << 18)
#define VFIO_FEATURE_MIGRATION 1u
struct vfio_feature_u64 {
	uint32_t argsz, flags;
	uint64_t value;
};

static_assert(sizeof(struct vfio_info_head) == 24, "as the kernel has it");
static_assert(sizeof(struct vfio_spapr_info) == 32, "as the kernel has it");
static_assert(sizeof(struct vfio_use_iommufd) == 16, "as the kernel has it");
static_assert(sizeof(struct vfio_attach) == 12, "as the kernel has it");
static_assert(sizeof(struct vfio_feature_u64) == 16, "as the kernel has it");

#endif
