/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * profile.h: one host's facts, as the document `capbroker.profile/1` and as values.
 *
 * Theory of operation: the JSON document is the truth. A parsed profile keeps it whole, with
 * members this version doesn't know, and beside it the tables that judging needs: facts, offers
 * (offer.h) and emulators, all borrowing their strings from the document. Probes and readers of
 * other programs' output build a document with the functions at the end; every document, also
 * our own, goes through profile_parse() before anything is concluded from it.
 */
#ifndef MODEL_PROFILE_H
#define MODEL_PROFILE_H

#include <glib.h>
#include <jansson.h>

#include "model/dictionary.h"
#include "model/universe.h"

#define PROFILE_FORMAT "capbroker.profile/1"
/* Bounds on what is read from outside. */
#define PROFILE_MAX_BYTES (32u * 1024 * 1024)
#define PROFILE_MAX_FACTS 200000u
#define PROFILE_MAX_EMULATORS 1024u
#define PROFILE_MAX_SCOPES 4096u

enum fact_state {
	FACT_KNOWN,
	FACT_ABSENT,
	FACT_UNSUPPORTED_BY_KERNEL,
	FACT_UNREADABLE,
	FACT_UNKNOWN,
	FACT_STATES
};

/* Whose view of the host a fact is. */
enum view {
	VIEW_RAW,     /* the hardware's registers */
	VIEW_KERNEL,  /* what the running kernel admits to */
	VIEW_KVM,     /* what KVM would give a guest */
	VIEW_QEMU,    /* what one QEMU makes of it */
	VIEW_LIBVIRT, /* what libvirt says */
	VIEWS
};

/* Where a fact holds. Only facts of equal scope are ever compared. */
struct scope {
	enum view view;
	const char *emulator; /* path, or NULL */
	const char *accel;    /* "kvm", "tcg", …, or NULL */
	const char *machine;  /* machine type as asked of QEMU, "none", or NULL */
	int migratable;       /* 1, 0, or -1 where the source doesn't distinguish */
};

struct fact {
	const char *id;
	int cap;       /* index into cap_table, or -1: unknown to this dictionary */
	enum fact_state state;
	const json_t *value; /* NULL unless state is FACT_KNOWN */
	struct scope scope;
	const char *origin;
	int err;       /* errno of the attempt, 0 where there was none */
	guint next;    /* 1 + index of another fact of the same id, 0 where there is none */
};

struct machine {
	const char *name;
	const char *alias;   /* or NULL */
	const char *replaced_by; /* or NULL */
	unsigned int cpu_max; /* 0 unknown */
	int deprecated;      /* 1, 0, or -1 not said */
	bool is_default;
};

struct cpu_model {
	const char *name;
	int usable;             /* 1, 0, or -1 not said */
	const json_t *missing;  /* array of feature names in the spelling of the source, or NULL */
	const char *alias_of;   /* QEMU's versioned name it stands for, or NULL */
	const char *vendor;     /* libvirt's name of the vendor, or NULL */
	int deprecated;
};

struct offer; /* offer.h */

/* One entry of "emulators": one (view, path, accelerator, machine type, migratable). */
struct emulator {
	struct scope scope;
	const char *version;     /* "7.2.22", or NULL */
	const json_t *same_as;   /* array: machine types that give exactly the same facts, or NULL */
	const json_t *properties; /* array: names of the CPU's properties there, or NULL */
	const json_t *modes;     /* object: CPU mode → bool, as libvirt's domain capabilities say, or NULL */
	GArray *machines;        /* struct machine; NULL where the entry lists none */
	GArray *cpu_models;      /* struct cpu_model; NULL where the entry lists none */
	struct offer *offer;     /* the entry's facts, NULL where it has none */
	const json_t *json;      /* the whole entry */
};

struct profile {
	json_t *doc;             /* owned */
	const char *name, *uuid, *arch; /* uuid and arch may be NULL */
	GArray *facts;           /* struct fact, those of "facts", of emulators, and what the host as a
				  * whole has of its IOMMU units (derive.h) */
	GArray *plain;           /* guint: indices of facts that the dictionary knows, no machine type
				  * stands behind and hosts have in common, but for a CPU's booleans */
	GHashTable *facts_by_id; /* id → 1 + index of its last fact, the head of a chain */
	GPtrArray *offers;       /* struct offer: top-level ones by view, then the emulators' */
	GPtrArray *emulators;    /* struct emulator */
	GPtrArray *units;        /* struct iommu_unit (units.h), in the document's order */
	GPtrArray *devices;      /* struct device (units.h), in the document's order */
	GHashTable *devices_by_address;
	size_t unit_facts;       /* facts of units and devices, for the bound on them */
	json_t *derived;         /* owned: what facts that were derived borrow from */
};

/**
 * profile_parse - make a profile of a document
 * @doc: the document; a reference is taken
 * @universe: where boolean capabilities that the dictionary doesn't know get their places
 * @error: says which member is wrong ("facts[12].state: 'maybe' is not a state (…)")
 *
 * Refuses a document of another format, with wrong types, beyond the bounds above, or one that
 * contradicts itself (two facts of one id and scope with different values). Unknown members are
 * kept; a missing member is unknown, never absent.
 *
 * Returns the profile, to be freed by profile_free(), or NULL.
 */
struct profile *profile_parse(json_t *doc, struct universe *universe, GError **error);

/**
 * profile_parse_bytes - the same from bytes
 * @bytes: UTF-8 JSON of @length bytes, at most PROFILE_MAX_BYTES
 */
struct profile *profile_parse_bytes(const char *bytes, size_t length, struct universe *universe,
				    GError **error);

void profile_free(struct profile *profile);
typedef struct profile Profile;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Profile, profile_free)

/**
 * profile_fact - the fact of an id in a scope
 *
 * Returns the fact, or NULL when the profile says nothing of it.
 */
const struct fact *profile_fact(const struct profile *profile, const char *id,
				const struct scope *scope);

/**
 * profile_fact_any - a fact of an id, whatever its scope (for host-only facts, told once)
 */
const struct fact *profile_fact_any(const struct profile *profile, const char *id);

bool scope_equal(const struct scope *a, const struct scope *b);

/* "kvm", "qemu pc-q35-7.2 kvm (/usr/bin/qemu-system-x86_64)": for people. Free with g_free(). */
char *scope_text(const struct scope *scope);

const char *view_name(enum view view);
int view_find(const char *name); /* -1 where there is none of that name */
const char *fact_state_name(enum fact_state state);
int fact_state_find(const char *name);

/* Documents being built (jansson objects; strings are copied; a failed allocation aborts). */

/**
 * document_new - an empty profile document
 * @name: the host's name
 * @uuid: its UUID, or NULL
 * @arch: "x86_64", or NULL where not known
 *
 * Returns a new reference with all members of the format present and empty.
 */
json_t *document_new(const char *name, const char *uuid, const char *arch);

/**
 * document_fact - add a known fact to an array of facts
 * @facts: the array ("facts" of the document, of an emulator, of a device)
 * @id: the dictionary's id, or the id a name unknown to it gets (feature_id())
 * @value: stolen
 * @scope: NULL inside an emulator, whose scope is inherited
 * @origin: path, ioctl or command it came from
 */
void document_fact(json_t *facts, const char *id, json_t *value, const struct scope *scope,
		   const char *origin);

/**
 * document_fact_missing - add a fact that is not known, with the reason's errno (0: none)
 */
void document_fact_missing(json_t *facts, const char *id, enum fact_state state,
			   const struct scope *scope, const char *origin, int err);

/**
 * document_emulator - the entry of an emulator's scope, made when it isn't there
 * @scope: emulator must be set (a path, or the name of the imported file's emulator)
 * @version: or NULL
 *
 * Returns a borrowed reference. "facts" is present and empty at first; members added by callers:
 * "machines": [{"name","alias"?,"replaced_by"?,"cpu_max"?,"deprecated"?,"default"?}],
 * "cpu_models": [{"name","usable"?,"missing"?,"alias_of"?,"vendor"?,"deprecated"?}],
 * "same_as": [machine types], "modes": {mode: bool}, "complete": bool (missing features are
 * absent), "devices": {type: [property names], or null where they weren't asked} where the CPU's
 * own properties stand under "cpu", "devices_complete": bool (a type that isn't named isn't there),
 * "objects": [types that -object takes]. The last three stand once for all entries of a path.
 */
json_t *document_emulator(json_t *doc, const struct scope *scope, const char *version);

/**
 * document_source - say how reading one source went
 * @state: "ok" "partial" "unreadable" "missing" "timed-out" "failed"
 * @complete: what its list doesn't have is absent
 * @reason: why not ok, with the remedy; NULL where ok
 * @ms: how long it took; negative: not measured (imports)
 *
 * Where facts of a scope without an emulator come from a complete list, the source names it:
 * its "view" is set by @view (VIEWS: none).
 */
void document_source(json_t *doc, const char *name, const char *state, bool complete,
		     enum view view, const char *reason, double ms);

json_t *scope_json(const struct scope *scope);

/**
 * feature_id - the id of what somebody calls by a name on x86 (else arch_feature_id())
 * @ns: whose name
 * @name: the name
 *
 * Returns the dictionary's id, or "cpu." and the name where the dictionary has none. Free with
 * g_free().
 */
char *feature_id(enum cap_namespace ns, const char *name);

#endif
