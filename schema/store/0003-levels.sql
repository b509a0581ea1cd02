-- SPDX-License-Identifier: LGPL-2.1-or-later
-- 0003-levels.sql: levels, who is assigned to them and what was done with them; policies as text.
--
-- Authored: by names alone, so that it outlives hosts and guests.

-- A level never changes and never goes: guests may have been started with it.
CREATE TABLE level (
	name TEXT PRIMARY KEY,              -- SERIES-YEAR.NUMBER
	series TEXT NOT NULL,
	year INTEGER NOT NULL,
	number INTEGER NOT NULL,            -- from 1 in each year
	document TEXT NOT NULL,             -- what it promises, compact JSON
	author TEXT NOT NULL,
	uid INTEGER NOT NULL,
	created INTEGER NOT NULL,           -- seconds since the epoch
	reason TEXT NOT NULL,               -- may be empty
	UNIQUE (series, year, number)
) WITHOUT ROWID;
CREATE TRIGGER level_stays BEFORE UPDATE ON level
BEGIN
	SELECT RAISE(ABORT, 'a level never changes: make the next one');
END;
CREATE TRIGGER level_is_kept BEFORE DELETE ON level
BEGIN
	SELECT RAISE(ABORT, 'a level is never deleted: retire it');
END;
-- INSERT OR REPLACE fires no trigger of a delete.
CREATE TRIGGER level_is_new BEFORE INSERT ON level
WHEN EXISTS (SELECT 1 FROM level WHERE name = NEW.name
	OR (series = NEW.series AND year = NEW.year AND number = NEW.number))
BEGIN
	SELECT RAISE(ABORT, 'a level never changes: make the next one');
END;

CREATE TABLE level_retired (
	level TEXT PRIMARY KEY,
	author TEXT NOT NULL,
	uid INTEGER NOT NULL,
	time INTEGER NOT NULL,
	reason TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE level_guest (
	guest TEXT PRIMARY KEY COLLATE NOCASE, -- its UUID, or its name where it has none
	guest_name TEXT NOT NULL,
	level TEXT NOT NULL,
	author TEXT NOT NULL,
	uid INTEGER NOT NULL,
	time INTEGER NOT NULL,
	reason TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX level_guest_by_level ON level_guest (level);

-- Everything that was done, and what was proposed where that is waited on.
CREATE TABLE level_log (
	id INTEGER PRIMARY KEY,
	time INTEGER NOT NULL,
	action TEXT NOT NULL,
	series TEXT NOT NULL,
	level TEXT,                         -- NULL where it is about the series
	guest TEXT,
	author TEXT NOT NULL,
	uid INTEGER NOT NULL,
	reason TEXT NOT NULL,
	detail TEXT NOT NULL                -- compact JSON
);
CREATE INDEX level_log_by_series ON level_log (series, id);
CREATE TRIGGER level_log_stays BEFORE UPDATE ON level_log
BEGIN
	SELECT RAISE(ABORT, 'what was done is not rewritten');
END;
CREATE TRIGGER level_log_is_kept BEFORE DELETE ON level_log
BEGIN
	SELECT RAISE(ABORT, 'what was done is not rewritten');
END;
CREATE TRIGGER level_log_is_new BEFORE INSERT ON level_log
WHEN EXISTS (SELECT 1 FROM level_log WHERE id = NEW.id)
BEGIN
	SELECT RAISE(ABORT, 'what was done is not rewritten');
END;

-- Policies that were restored, until somebody puts them where they are read.
CREATE TABLE policy_text (
	name TEXT PRIMARY KEY,
	text TEXT NOT NULL
) WITHOUT ROWID;
