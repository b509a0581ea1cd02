/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fleet.h: the fleet in memory, for many readers and one writer.
 *
 * Theory of operation: readers hold a snapshot: a fleet that nobody changes, with a count of who
 * holds it. One thread writes. It takes what waits for it together, puts it into the database in one
 * transaction, makes the next snapshot where that changed more than times, and only then tells those
 * who wait: what was acknowledged is on the disk and is seen by whoever asks next. A profile that is
 * refused changes nothing. Parsed profiles are shared by all snapshots that have a host of theirs, and
 * by hosts that are alike, as the command line shares them (load.h).
 */
#ifndef BROKER_FLEET_H
#define BROKER_FLEET_H

#include "decisions.h"
#include "import.h"
#include "load.h"

struct snapshot {
	gint refs;
	struct fleet *fleet;
	GPtrArray *kept;      /* struct kept: the profiles of the fleet */
	GPtrArray *stored;    /* struct store_guest */
	guint64 guests_number; /* another where the guests are others */
	guint64 number;       /* another for each snapshot */
};

struct keeper;

/* Opens the database, which is made where there is none, and loads it; NULL with @error. */
struct keeper *keeper_new(const char *database, int keep_days, GError **error);

/* Ends the writer once what waits is written. */
void keeper_free(struct keeper *keeper);

/* The newest snapshot, to be given back. */
struct snapshot *keeper_snapshot(struct keeper *keeper);
void snapshot_unref(struct snapshot *snapshot);

enum change_kind { CHANGE_IMPORT, CHANGE_CONFIRM, CHANGE_DECISION, CHANGE_RELOAD };

/* Something to be written. */
struct change {
	enum change_kind kind;
	struct import *import;    /* prepared: one host, or one list of guests */
	char *host;               /* it is about this one, by name */
	char *digest, *fingerprint; /* CHANGE_CONFIRM: what is still so */
	int64_t time;
	struct store_decision *decision;
	/* set by the writer: */
	const char *word;         /* "new", "changed", "confirmed" */
	GError *error;
	/* Called by the writer once it is durable, or was refused; frees what it holds. May be NULL. */
	void (*done)(struct change *change, void *data);
	void *data;
};
void change_free(struct change *change);

/* Hands it to the writer; false where too much waits: it is the caller's still. */
bool keeper_put(struct keeper *keeper, struct change *change);

/* Figures for /metrics and health. */
struct keeper_figures {
	guint64 commits, written, confirmed, changed, refused, snapshots;
	guint hosts, classes, guests, waiting;
	char *trouble;            /* what the last commit failed with, or NULL; free with g_free() */
};
void keeper_figures(struct keeper *keeper, struct keeper_figures *figures);

#endif
