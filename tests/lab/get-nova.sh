#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# get-nova.sh [FOLDER]: OpenStack's Nova as Debian 12 and 13 have it, with what its own functional
# tests want, for the scheduler's part of 'make check-lab'.
#
# Made by mmdebstrap below FOLDER/nova/SUITE (default: $CAPBROKER_LAB, else ~/.cache/capbroker-lab);
# nothing of this machine's own changes and no service is started. Takes root, about 6 minutes and
# 1.6 GB; what is there already is left alone.

set -eu

[ $# -eq 0 ] || export CAPBROKER_LAB="$1"
. "$(dirname "$0")/lab-apt.sh"

lab_root_needs

# What Nova's tests import and its packages don't ask for.
test_packages=python3-fixtures,python3-testtools,python3-oslotest,python3-testscenarios,python3-wsgi-intercept
test_packages=$test_packages,python3-requests-mock,python3-ddt,python3-oslo.limit

# nova-common is only unpacked: its scripts would set up a database, and all that's wanted of it is
# the files of /etc/nova.
make_nova()
{
	root=$lab/nova/$1
	if [ -e "$root/etc/nova/api-paste.ini" ]; then
		echo "$1: there already"
		return
	fi
	lab_root "$1" "$root" "python3-nova,python3-placement,procps,$test_packages" \
		--customize-hook='chroot "$1" sh -c "cd /tmp && apt-get -qq download nova-common"' \
		--customize-hook='dpkg-deb -x "$1"/tmp/nova-common_*.deb "$1" && rm "$1"/tmp/*.deb'
	if [ ! -e "$root.new/etc/nova/api-paste.ini" ]; then
		paste=$(find "$root.new" -name api-paste.ini -path '*nova*' | head -n 1)
		[ -n "$paste" ] || die "nova-common of $1 has no api-paste.ini"
		mkdir -p "$root.new/etc/nova"
		cp "$paste" "$root.new/etc/nova/api-paste.ini"
	fi
	ln -s /etc "$root.new/usr/lib/python3/dist-packages/etc" # where its tests look for it
	mv "$root.new" "$root"
	echo "$1: Nova $(chroot "$root" dpkg-query -W -f '${Version}' python3-nova)"
}

make_nova bookworm
make_nova trixie
