/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fleet.h: many hosts in memory, by class.
 *
 * A class is the hosts whose comparable values are identical; everything is judged and met once
 * a class. The class id is the first digits of the SHA-256 over the sorted comparable facts.
 */
#ifndef MODEL_FLEET_H
#define MODEL_FLEET_H

#include <glib.h>
#include <stdint.h>

#include "model/profile.h"
#include "model/universe.h"

#define CLASS_ID_DIGITS 8

struct host_class {
	char id[65];             /* CLASS_ID_DIGITS of them, more where two classes share these */
	char full[65];
	const struct profile *profile; /* of its first host: stands for all */
	GPtrArray *hosts;        /* struct host, by name */
	guint index;             /* its place in fleet.classes */
};

struct host {
	char *name, *uuid, *cluster; /* uuid and cluster may be NULL */
	GHashTable *labels, *aliases; /* char * → char *, or NULL */
	char *digest;
	char *fingerprint;       /* compact JSON */
	int64_t confirmed;       /* seconds since the epoch, 0 not known; read by host_confirmed() */
	const struct profile *profile;
	struct host_class *class;
};

struct fleet {
	struct universe *universe;
	GPtrArray *hosts;        /* struct host *, by name once fleet_settle() was called */
	GPtrArray *classes;      /* struct host_class *, in the order of their first hosts */
	GHashTable *by_class;    /* full class digest → struct host_class */
	GHashTable *by_name;     /* name, UUID or alias → struct host */
	GPtrArray *profiles;     /* struct profile *: those it owns */
};

/* When a host's profile was last seen to be so; a broker moves that on while others read. */
static inline int64_t host_confirmed(const struct host *host)
{
	return __atomic_load_n(&host->confirmed, __ATOMIC_RELAXED);
}

struct fleet *fleet_new(void);

/* The same hosts and profiles, with a universe of its own; the profiles must outlive it. */
struct fleet *fleet_copy(const struct fleet *fleet);
void fleet_free(struct fleet *fleet);

/* Makes the fleet the owner of a profile that was parsed in its universe. */
void fleet_own(struct fleet *fleet, struct profile *profile);

/**
 * fleet_add - add a host
 * @profile: parsed in fleet->universe; must live as long as the fleet (see fleet_own())
 * @class_digest: what profile_class() gave for it, or NULL to compute it
 *
 * Returns the host, to be filled in further by the caller; owned by the fleet.
 */
struct host *fleet_add(struct fleet *fleet, const char *name, const struct profile *profile,
		       const char *class_digest);

/**
 * fleet_change - give a host another profile
 * @profile, @class_digest: as for fleet_add()
 */
void fleet_change(struct fleet *fleet, struct host *host, const struct profile *profile,
		  const char *class_digest);

/* Takes a host out, and frees it. */
void fleet_drop(struct fleet *fleet, struct host *host);

/* Call after the last of those above: sorts, shortens class ids, makes names known. */
void fleet_settle(struct fleet *fleet);

/* The host of a name, UUID or alias, or NULL. */
struct host *fleet_find(const struct fleet *fleet, const char *name);

/**
 * profile_class - SHA-256 over the sorted comparable facts of a profile
 *
 * Left out: host-only facts (but for what verdicts follow from, such as libvirt's version), origins, times,
 * names and fingerprints; TSC is rounded to 1 MHz.
 */
void profile_class(const struct profile *profile, char digest[static 65]);


/**
 * fleet_select - the hosts a selector names
 * @selector: a host's name, UUID or alias; "cluster=NAME"; "label:K=V"; "class=ID"; "all"
 * @into: struct host * are added, none twice
 *
 * Returns FALSE with @error where it names none or is malformed.
 */
gboolean fleet_select(const struct fleet *fleet, const char *selector, GPtrArray *into,
		      GError **error);

#endif
