-- SPDX-License-Identifier: LGPL-2.1-or-later
-- 0002-moves.sql: what guests were started with, what was decided of their moves and what came of
-- it, and what somebody allowed all the same.

-- Observed: what a running guest needs, frozen; a new version where that changed under it.
CREATE TABLE contract (
	id INTEGER PRIMARY KEY,
	guest TEXT NOT NULL COLLATE NOCASE, -- its UUID, or its name where it has none
	version INTEGER NOT NULL,           -- from 1
	since INTEGER NOT NULL,             -- seconds since the epoch: when it was first seen so
	cause TEXT NOT NULL,                -- "started", "first seen", "hotplug", …
	host TEXT,                          -- where it ran then
	document TEXT NOT NULL,             -- its needs, compact JSON
	UNIQUE (guest, version)
);

-- Recorded: what a hook decided, and what came of it.
CREATE TABLE decision (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL,                 -- the answer's decision id: equal questions have one
	time INTEGER NOT NULL,              -- seconds since the epoch
	guest_uuid TEXT COLLATE NOCASE,
	guest_name TEXT NOT NULL,
	source TEXT,                        -- host it came from, where that was known
	target TEXT NOT NULL,
	question TEXT NOT NULL,
	verdict TEXT NOT NULL,
	mode TEXT NOT NULL,                 -- "report", "enforce", "off"
	refused INTEGER NOT NULL,
	ms INTEGER NOT NULL,                -- how long it took
	document TEXT NOT NULL,             -- the answer, compact JSON
	outcome TEXT,                       -- "started", "arrived", "failed"
	outcome_time INTEGER,
	outcome_reason TEXT,
	left_time INTEGER                   -- when a guest that had arrived stopped there or left
);
CREATE INDEX decision_by_name ON decision (name);
CREATE INDEX decision_by_guest ON decision (guest_uuid, target);
CREATE INDEX decision_by_guest_name ON decision (guest_name, target);
CREATE INDEX decision_by_time ON decision (time);

-- Authored: by names alone, so that it outlives hosts and guests.
CREATE TABLE override (
	id INTEGER PRIMARY KEY,
	guest TEXT NOT NULL COLLATE NOCASE, -- its UUID, or its name where it has none
	guest_name TEXT NOT NULL,
	selector TEXT NOT NULL,             -- the hosts it holds for
	check_name TEXT NOT NULL,
	reason TEXT NOT NULL,
	accept_risk INTEGER NOT NULL,       -- it silences silent hazards too
	author TEXT NOT NULL,
	uid INTEGER NOT NULL,
	created INTEGER NOT NULL,
	expires INTEGER NOT NULL,
	revoked INTEGER,
	revoked_by TEXT
);
CREATE INDEX override_by_guest ON override (guest);
