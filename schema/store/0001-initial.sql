-- SPDX-License-Identifier: LGPL-2.1-or-later
-- 0001-initial.sql: the first form of the database.
--
-- Run once, inside a transaction; user_version and application_id are set by the store. A file
-- that was ever released is never edited: a change is the next number.

-- Observed: rebuilt by probing again.

-- One text of a profile, stored once however many profiles have it.
CREATE TABLE section (
	id INTEGER PRIMARY KEY,
	hash TEXT NOT NULL UNIQUE,      -- SHA-256 of text, hexadecimal
	text TEXT NOT NULL
);

CREATE TABLE profile (
	id INTEGER PRIMARY KEY,
	digest TEXT NOT NULL UNIQUE
);

CREATE TABLE profile_section (
	profile INTEGER NOT NULL REFERENCES profile ON DELETE CASCADE,
	name TEXT NOT NULL,
	position INTEGER NOT NULL,      -- in the document's order, from 0
	section INTEGER NOT NULL REFERENCES section,
	PRIMARY KEY (profile, name)
) WITHOUT ROWID;
CREATE INDEX profile_section_by_section ON profile_section (section);

CREATE TABLE host (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	uuid TEXT COLLATE NOCASE,
	arch TEXT,
	profile INTEGER NOT NULL REFERENCES profile,    -- the one in force
	fingerprint TEXT NOT NULL,
	confirmed INTEGER NOT NULL      -- seconds since the epoch
);
CREATE INDEX host_by_profile ON host (profile);

-- Every profile that came into force, the newest has the highest id.
CREATE TABLE history (
	id INTEGER PRIMARY KEY,
	host INTEGER NOT NULL REFERENCES host ON DELETE CASCADE,
	profile INTEGER NOT NULL REFERENCES profile,
	since INTEGER NOT NULL
);
CREATE INDEX history_by_host ON history (host, id);
CREATE INDEX history_by_profile ON history (profile);

CREATE TABLE guest (
	id INTEGER PRIMARY KEY,
	host INTEGER REFERENCES host ON DELETE CASCADE,
	name TEXT NOT NULL,
	uuid TEXT COLLATE NOCASE UNIQUE,
	running INTEGER NOT NULL,
	document TEXT NOT NULL,
	seen INTEGER NOT NULL
);
CREATE INDEX guest_by_host ON guest (host);
CREATE INDEX guest_by_name ON guest (name);

-- Authored: by host's name and without a reference to the tables above, so that it outlives them.

CREATE TABLE host_cluster (
	host TEXT PRIMARY KEY,
	cluster TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE host_label (
	host TEXT NOT NULL,
	key TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (host, key)
) WITHOUT ROWID;

CREATE TABLE host_alias (
	host TEXT NOT NULL,
	key TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (host, key)
) WITHOUT ROWID;
