/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read-iommu.h: registers of IOMMUs, what iommufd and VFIO answer, the firmware's tables and PCI
 * configuration space, as facts.
 *
 * All of it takes bytes or numbers of any content; nothing is decided. Facts go to the array that
 * is given ("facts" of an entry of "iommus" or "devices", or the document's), each id once for
 * each scope: who comes first has said it. Set bits that no entry of the dictionary accounts for
 * become facts "ROOM.unnamed.REGISTER.BIT".
 */
#ifndef READ_READ_IOMMU_H
#define READ_READ_IOMMU_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/profile.h"
#include "model/value.h"

/* The two scopes of IOMMU facts: registers as the hardware has them, what the kernel grants. */
extern const struct scope scope_raw;
extern const struct scope scope_kernel;

/**
 * read_register - the fields of a register that has a name
 * @facts: the array they are added to
 * @name: "vtd.cap", "pci.acs", … (see cap_find_named_register()); another one adds nothing
 * @value: what was read
 * @mask: the fields to tell of; all ones: all of them, and unknown bits too
 *
 * A field whose number is reserved becomes a fact of state unknown.
 */
void read_register(json_t *facts, const char *name, uint64_t value, uint64_t mask,
		   const struct scope *scope, const char *origin);

/**
 * read_vtd - CAP and ECAP of a VT-d unit, and the raw registers
 * @scope: raw for sysfs' registers
 *
 * Source: VT-d 4.1, 11.4.2 and 11.4.3.
 */
void read_vtd(json_t *facts, uint64_t cap, uint64_t ecap, const struct scope *scope,
	      const char *origin);

/**
 * read_amdvi - EFR and EFR2 of an AMD IOMMU, and the raw registers
 * @has_efr2: EFR2 was told; where it wasn't, its fields are not known
 *
 * Source: AMD 48882, MMIO offsets 0030h and 01A0h.
 */
void read_amdvi(json_t *facts, uint64_t efr, uint64_t efr2, bool has_efr2,
		const struct scope *scope, const char *origin);

/**
 * read_amdvi_features - the same from sysfs' text: "EFR" or, of newer kernels, "EFR:EFR2", both in
 * hexadecimal without 0x
 *
 * Returns false with the place in @error where it is of another form.
 */
bool read_amdvi_features(json_t *facts, const char *text, const struct scope *scope,
			 const char *origin, GError **error);

/* The identification registers of an SMMUv3, as IOMMU_GET_HW_INFO gives them. */
struct smmuv3_registers {
	uint32_t flags, idr[6], iidr, aidr;
};

/**
 * read_smmuv3 - the registers raw, the implementation and its errata by IIDR, and under
 * scope_kernel what the kernel lets a VMM conclude from
 *
 * Source: Arm IHI 0070, 6.3; the errata are those for which Linux nests no stages: MMU-600 before
 * r2 (1209401), MMU-700 before r1p1 (2268618, 2812531).
 */
void read_smmuv3(json_t *facts, const struct smmuv3_registers *registers, const char *origin);

/* What IOMMU_GET_HW_INFO answered for one device; its data is apart. */
struct hwinfo {
	uint32_t data_type;     /* out_data_type */
	uint8_t max_pasid_log2; /* out_max_pasid_log2 */
	uint64_t capabilities;  /* out_capabilities */
	unsigned int kernel;    /* the running kernel, MAJOR * 1000 + MINOR; 0 where not known */
	const uint8_t *data;    /* what data_uptr was filled with, little endian */
	size_t data_length;     /* data_len as the kernel left it, cut to the buffer's size */
};

/**
 * read_hwinfo - an answer of IOMMU_GET_HW_INFO
 * @device: facts of the device: hwinfo.*
 * @unit: facts of the IOMMU behind which it is: registers raw and as granted; NULL: not kept
 *
 * Kernels before 7.1 leave bit 3 (PCI_ATS_NOT_SUPPORTED) unset whatever the truth is: it is unknown
 * there. PASID's bits mean nothing where the width is 0. Data that is too short for its type is
 * refused with its length in @error, after hwinfo.* was added.
 *
 * Source: Linux include/uapi/linux/iommufd.h, struct iommu_hw_info.
 */
bool read_hwinfo(json_t *device, json_t *unit, const struct hwinfo *info, const char *origin,
		 GError **error);

/* "vtd", "smmuv3", …: the kinds of IOMMU_GET_HW_INFO; NULL for one that this version doesn't know. */
const char *hwinfo_type_name(uint32_t type);

/* iommu.ranges of [first, last] pairs of numbers, and iommu.address-bits is derived from it. */
void read_iova_ranges(json_t *facts, const struct value_range *ranges, size_t n,
		      uint64_t alignment, const char *origin);

/**
 * read_reserved_regions - a group's reserved_regions of sysfs: lines "0xFIRST 0xLAST TYPE"
 * @ranges: NULL, or an array of struct value_range that all but "direct-relaxable" are added to
 *
 * Adds iommu.reserved. Returns false with the line in @error where it is of another form.
 */
bool read_reserved_regions(json_t *facts, const char *text, GArray *ranges, const char *origin,
			   GError **error);

/**
 * read_vfio_migration - flags of VFIO_DEVICE_FEATURE_MIGRATION
 */
void read_vfio_migration(json_t *facts, uint64_t flags, const char *origin);

/* Names of VFIO_DEVICE_FEATURE indices ("migration", …); NULL beyond those known. */
const char *vfio_feature_name(unsigned int index);

/**
 * read_vfio_type1 - what VFIO_IOMMU_GET_INFO filled its buffer with, whole
 * @bytes: struct vfio_iommu_type1_info and its chain of capabilities, as the kernel left them
 *
 * Returns false with the offset in @error: a capability outside the buffer, of another version, too
 * short for its content, or a chain that loops.
 */
bool read_vfio_type1(json_t *facts, const uint8_t *bytes, size_t length, const char *origin,
		     GError **error);

/* What VFIO_IOMMU_SPAPR_TCE_GET_INFO answered. */
struct spapr_info {
	uint32_t flags, dma32_window_start, dma32_window_size;
	uint64_t page_sizes;
	uint32_t windows, levels;
};

void read_spapr(json_t *facts, const struct spapr_info *info, const char *origin);

/**
 * read_acpi - DMAR, IVRS, IORT or VIOT from bytes
 * @where: the file, for messages
 *
 * Returns a new object {"signature","revision","length","oem_id","oem_table_id", members of that
 * table's header, "subtables":[{"offset","length","type","name", …}]}, numbers of 64 bits as "0x…"
 * strings; or NULL with one line in @error that names the offset: a table that is too short or
 * longer than its bytes, a wrong checksum, a sub-table of no length or beyond the end, or nodes
 * that overlap.
 *
 * DMAR: "host_address_width","flags"; sub-tables drhd {"flags","segment","base","scopes"}, rmrr
 * {"segment","base","limit","scopes"}, atsr, rhsa, andd, satc, sidp, each scope {"offset","type",
 * "id","bus","path":[[device, function], …]}.
 * IVRS: "iv_info"; ivhd-10, ivhd-11, ivhd-40 {"flags","device_id","capability_offset","base",
 * "segment","info","efr"?,"efr2"?,"attributes"|"features","entries":[{"offset","type",…}]}, ivmd-20…22
 * {"flags","device_id","base","size"}.
 * IORT: nodes its-group, named-component, root-complex, smmu, smmuv3, pmcg, rmr, iwb, each with its
 * "mappings"; VIOT: pci-range, mmio-endpoint, virtio-pci, virtio-mmio.
 */
json_t *read_acpi(const uint8_t *bytes, size_t length, const char *where, GError **error);

/**
 * read_acpi_facts - what a table that read_acpi() made says of the host: acpi.*
 * @facts: the document's "facts"
 */
void read_acpi_facts(json_t *facts, const json_t *table, const char *origin);

/**
 * read_pci_config - a function's configuration space: pci.*
 * @config: 64 to 4096 bytes; what is beyond @length was not read, and is not known
 *
 * Returns false with the offset in @error for a capability list that loops or leads outside; facts
 * that were found before are kept.
 */
bool read_pci_config(json_t *facts, const uint8_t *config, size_t length, const char *origin,
		     GError **error);

#endif
