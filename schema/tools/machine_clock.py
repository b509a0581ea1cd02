# SPDX-License-Identifier: LGPL-2.1-or-later
"""machine_clock.py: when upstream's versioned machine types came, and when they go.

A QEMU release is one line below.  Since QEMU 9.1 a machine type is deprecated three years (nine
releases) after its release and deleted after three more; until then it was decided by hand, and
the deletion came late at first, which WHEN says.

Standard library only; runs on Python 3.9.
"""

import re

from tables import version_key

# QEMU release: month it came out
RELEASES = {
    "1.0": "2011-12", "1.1": "2012-06", "1.2": "2012-09", "1.3": "2012-12", "1.4": "2013-02",
    "1.5": "2013-05", "1.6": "2013-08", "1.7": "2013-11", "2.0": "2014-04", "2.1": "2014-08",
    "2.2": "2014-12", "2.3": "2015-04", "2.4": "2015-08", "2.5": "2015-12", "2.6": "2016-05",
    "2.7": "2016-09", "2.8": "2016-12", "2.9": "2017-04", "2.10": "2017-08", "2.11": "2017-12",
    "2.12": "2018-04", "3.0": "2018-08", "3.1": "2018-12", "4.0": "2019-04", "4.0.1": "2019-10",
    "4.1": "2019-08", "4.2": "2019-12", "5.0": "2020-04", "5.1": "2020-08", "5.2": "2020-12",
    "6.0": "2021-04", "6.1": "2021-08", "6.2": "2021-12", "7.0": "2022-04", "7.1": "2022-08",
    "7.2": "2022-12", "8.0": "2023-04", "8.1": "2023-08", "8.2": "2023-12", "9.0": "2024-04",
    "9.1": "2024-09", "9.2": "2024-12", "10.0": "2025-04", "10.1": "2025-08", "10.2": "2025-12",
    "11.0": "2026-04", "11.1": "2026-08",
}
# family: first version with that name
FAMILIES = {"pc": "1.0", "pc-i440fx": "1.4", "pc-q35": "2.4"}
LAST_PC = "1.3"

# up to this version: (deprecated in, removed in, how that is known)
WHEN = (
    ("1.3", "5.0", "6.0", "QEMU removed-features"),
    ("1.7", "7.0", "9.0", "machine lists: 7.2.22 has it, 9.0.0 lacks it"),
    ("2.3", "8.2", "9.1", "machine lists: 9.0.0 has it, 9.1.0 lacks it"),
    ("2.12", "9.1", "10.2", "machine lists: 10.0.13 has it, 10.2.2 lacks it"),
    ("4.0.1", "9.1", "11.0", "machine lists: 10.2.2 has it, 11.0.3 lacks it"),
    ("5.1", "9.1", "11.1", "machine lists: 11.0.3 has it, 11.1.3 lacks it"),
    ("6.1", "9.1", None, "machine lists: 9.1.0 deprecates it; removal by the clock"),
)
CLOCK = "upstream's clock: 3 years to deprecation, 6 to deletion"


def later(version, majors):
    major, minor = version_key(version)[:2]
    return f"{major + majors}.{minor}"


def month(version):
    """When a release came out, or will by the pattern: April, August, December of each year."""
    if version in RELEASES:
        return RELEASES[version]
    major, minor = version_key(version)[:2]
    return f"{2015 + major}-{(4, 8, 12)[minor]:02}"


def life(version):
    for last, deprecated, removed, source in WHEN:
        if version_key(version) <= version_key(last):
            return deprecated, removed or later(version, 6), source
    return later(version, 3), later(version, 6), CLOCK


def row(family, version, source=None):
    """A row of machine-types.tsv."""
    deprecated, removed, why = life(version)
    return (family, version, month(version), month(deprecated), month(removed), deprecated, removed,
            source or why)


def split(name):
    """("pc-q35", "7.2") of an upstream name, else None."""
    match = re.fullmatch(r"(pc|pc-i440fx|pc-q35)-(\d+\.\d+(?:\.\d+)?)", name)
    return match.groups() if match else None
