/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read-parts.h: what the readers share; for nobody else.
 */
#ifndef READ_READ_PARTS_H
#define READ_READ_PARTS_H

#include "model/arch.h"
#include "model/power.h"
#include "read/read.h"

/* Lists from outside are cut off with an error beyond these. */
#define READ_MAX_MACHINES 5000u
#define READ_MAX_MODELS 5000u
#define READ_MAX_PROPERTIES 20000u
#define READ_MAX_NAME 256u

/* Sets @error to one line, "ORIGIN: WHAT"; returns false. */
bool read_fail(GError **error, const char *origin, const char *what);

/* libvirt's name of a vendor that CPUID spells @cpuid ("GenuineIntel"); itself where it has none. */
const char *read_vendor(const char *cpuid);

/* "facts" of the document. */
json_t *read_facts(json_t *doc);

/* The entry of an emulator's scope; takes the version that another entry of its path has. */
json_t *read_emulator(json_t *doc, const struct scope *scope);

/* Gives all entries of a path their version. */
void read_set_version(json_t *doc, const char *path, const char *version);

/* The emulator of the host's own architecture that the document has, or a name for it. */
const char *read_default_emulator(const json_t *doc);

/* The family of the processors that an emulator emulates: by what is known of its path, or the host's. */
enum arch_family read_family(const json_t *doc, const char *path);

/* A fact, unless the same scope has one of that id already; @value is stolen. */
void read_put_once(json_t *facts, const char *id, json_t *value, const struct scope *scope,
		   const char *origin);

/* The same of a fact that is not known. */
void read_put_missing_once(json_t *facts, const char *id, enum fact_state state,
			   const struct scope *scope, const char *origin, int err);

/* "0x…", and a number as JSON can hold it: an integer below 2^53, else "0x…". */
json_t *read_hex(uint64_t value);
json_t *read_number(uint64_t value);

/* Numbers from bytes, little endian. */
static inline uint16_t read_le16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static inline uint32_t read_le32(const uint8_t *bytes)
{
	return read_le16(bytes) | (uint32_t)read_le16(bytes + 2) << 16;
}

static inline uint64_t read_le64(const uint8_t *bytes)
{
	return read_le32(bytes) | (uint64_t)read_le32(bytes + 4) << 32;
}

/* A member of an object of "host" that is set once. */
void read_set_host(json_t *doc, const char *key, const char *value);

/* A name that may stand in a document: not empty, not too long, one line. */
bool read_name_ok(const char *name);

/*
 * Collects a feature, id → true or false, each once; @name in @ns' spelling. A word for a whole group
 * of features says the same of each.
 */
void read_collect(GHashTable *features, enum arch_family family, enum cap_namespace ns,
		  const struct cpu_models *models, const char *name, bool on);

/* Collects all that a named model has. */
void read_collect_model(GHashTable *features, const struct named_model *model,
			const struct cpu_models *models);

void read_put_features(json_t *facts, GHashTable *features, const struct scope *scope,
		       const char *origin);

/**
 * read_put_cpu - the facts of a CPU definition: its model's features by the table, its own list,
 * vendor and width of physical addresses; elsewhere than on x86 the model itself
 * @arch: whose CPU it is; NULL: as the definition or its model says, else x86's
 *
 * Returns NULL where the list is complete, else why it isn't; free with g_free().
 */
char *read_put_cpu(json_t *facts, const char *arch, const struct cpu_def *def,
		   const struct cpu_models *models, const struct scope *scope, const char *origin);

/* The model of a processor, and what follows from it ("ppc64.model", "ppc64.compat"). */
void read_put_model(json_t *facts, enum arch_family family, const char *model,
		    const struct scope *scope, const char *origin);

/* The accelerator of a domain type: "kvm", "tcg"; other types as they are. */
const char *read_accel(const char *domain_type);

#endif
