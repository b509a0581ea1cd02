#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# get-roots.sh [FOLDER]: whole systems of Debian 13 and sid, each with its libvirt and QEMU, for the
# migrations of 'make check-lab'.
#
# Made by mmdebstrap below FOLDER/roots/SUITE (default: $CAPBROKER_LAB, else ~/.cache/capbroker-lab);
# nothing of this machine's own changes. Takes root, about 3 minutes and 1.3 GB; what is there
# already is left alone.

set -eu

[ $# -eq 0 ] || export CAPBROKER_LAB="$1"
. "$(dirname "$0")/lab-apt.sh"

[ "$(id -u)" = 0 ] || die "only root can make whole systems"
command -v mmdebstrap >/dev/null || die "no mmdebstrap here (install mmdebstrap)"

make_root()
{
	root=$lab/roots/$1
	if [ -e "$root/usr/bin/qemu-system-x86_64" ]; then
		echo "$1: there already"
		return
	fi
	rm -rf "$root.new"
	mkdir -p "$lab/roots"
	mmdebstrap --quiet --mode=root --variant=minbase --keyring="$keyring" \
		--aptopt='APT::Install-Recommends "false"' \
		--aptopt='Acquire::Check-Valid-Until "false"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--include=libvirt-daemon-system,libvirt-daemon-driver-qemu,libvirt-clients \
		--include=qemu-system-x86,qemu-utils,procps,iproute2 \
		"$1" "$root.new" "$mirror" >"$lab/roots/$1.log" 2>&1 || {
		tail -n 5 "$lab/roots/$1.log" >&2
		die "no system of $1 could be made (log: $lab/roots/$1.log)"
	}
	rm -rf "$root.new/var/cache/apt" "$root.new/var/lib/apt/lists"
	mv "$root.new" "$root"
	echo "$1: libvirt $(chroot "$root" libvirtd --version | sed 's/.* //'), $(
		chroot "$root" qemu-system-x86_64 -version | sed -n 's/ (.*//; 1p')"
}

make_root trixie
make_root sid
