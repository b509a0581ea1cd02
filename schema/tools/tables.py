# SPDX-License-Identifier: LGPL-2.1-or-later
"""tables.py: the tables of facts about versions (schema/data/*.tsv), read and written.

Standard library only; runs on Python 3.9.
"""

import os

# What a cell without a value holds.
NONE = "-"


class TableError(Exception):
    """Why a table can't be read."""


def version_key(version):
    """A version as something that sorts: "10.0.13" comes behind "9.2"."""
    return tuple(int("0" + "".join(filter(str.isdigit, part))) for part in version.split("."))


def newer(version, other):
    """Is a version newer than another? A NONE is older than all."""
    if NONE in (version, other):
        return version != NONE
    return version_key(version) > version_key(other)


class Table:
    """A table: its columns, and its rows as dicts."""

    def __init__(self, name, columns, rows):
        self.name, self.columns, self.rows = name, columns, rows

    def find(self, **cells):
        """Rows that have these cells, in their order."""
        return [row for row in self.rows
                if all(row.get(column) == value for column, value in cells.items())]

    def line(self, row):
        return "\t".join(str(row.get(column, NONE)) or NONE for column in self.columns)


def read_lines(path):
    try:
        with open(path, encoding="utf-8") as file:
            return [line.rstrip("\r\n") for line in file
                    if line.strip() and not line.startswith("#")]
    except (OSError, UnicodeDecodeError) as error:
        raise TableError(f"{path}: cannot read: {error} (is capbroker installed?)") from error


def parse(path, name):
    lines = read_lines(path)
    if not lines:
        raise TableError(f"{path}: no header row (is it the right file?)")
    columns = lines[0].split("\t")
    rows = []
    for number, line in enumerate(lines[1:], 1):
        cells = line.split("\t")
        if len(cells) != len(columns):
            raise TableError(f"{path}: row {number}: {len(cells)} fields where the header has "
                             f"{len(columns)} (separate them by one tab each)")
        rows.append(dict(zip(columns, cells)))
    return Table(name, columns, rows)


def load(name, folder, site=None):
    """A table of a folder; a site's own rows come first, so that they are found before ours."""
    table = parse(os.path.join(folder, name), name)
    path = os.path.join(site, name) if site else None
    if path and os.path.exists(path):
        own = parse(path, name)
        if own.columns != table.columns:
            raise TableError(f"{path}: columns differ from the table it adds to (its header must "
                             "be the same)")
        table.rows = own.rows + table.rows
    return table


def spans(versions, cell_of):
    """(cell, not_in, first_in, last_in) of each stretch of versions with an equal cell."""
    found, before, current = [], NONE, None
    for version in versions:
        cell = cell_of(version)
        if current and current[0] == cell:
            current[3] = version
        else:
            current = None
            if cell is not None:
                current = [cell, before, version, version]
                found.append(current)
        before = version
    for span in found:
        if span[3] == versions[-1]:
            span[3] = NONE
    return found


def write(path, comments, columns, rows):
    """A whole table; @rows hold cells in the order of the columns."""
    with open(path, "w", encoding="utf-8") as file:
        file.write("# SPDX-License-Identifier: LGPL-2.1-or-later\n")
        for comment in comments:
            file.write(f"# {comment}\n")
        for row in [columns] + list(rows):
            file.write("\t".join(row) + "\n")


def append(path, columns, lines):
    """Adds lines to a site's file, which is made with the header where it isn't there."""
    fresh = not os.path.exists(path)
    with open(path, "a", encoding="utf-8") as file:
        if fresh:
            file.write("\t".join(columns) + "\n")
        for line in lines:
            file.write(line + "\n")
