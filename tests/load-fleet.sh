#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# load-fleet.sh [capbroker's options]: the demo fleet into a database.
#
# Beside this file, or one folder above it where it's installed, are hosts/ and guests/ with a
# fleet.tsv each. All hosts of a profile are of one class; guests are where guests/fleet.tsv says.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
tab=$(printf '\t')

# rows FILE: without comments and the header
rows()
{
	grep -v '^#' "$1" | tail -n +2
}

rows "$here/hosts/fleet.tsv" | while IFS=$tab read -r host profile cluster label; do
	capbroker "$@" import --name "$host" --cluster "$cluster" --label "$label" \
		"$here/hosts/$profile/profile.json" </dev/null >/dev/null
done
rows "$here/guests/fleet.tsv" | while IFS=$tab read -r guest host; do
	capbroker "$@" import --host "$host" "$here/guests/$guest.xml" </dev/null >/dev/null
done
for file in "$here"/guests/*.xml; do
	guest=${file##*/}
	rows "$here/guests/fleet.tsv" | grep -q "^${guest%.xml}$tab" ||
		capbroker "$@" import "$file" </dev/null >/dev/null
done
capbroker "$@" hosts | head -n 1
