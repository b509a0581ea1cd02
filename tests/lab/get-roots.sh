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

lab_root_needs

make_root()
{
	root=$lab/roots/$1
	if [ -e "$root/usr/bin/qemu-system-x86_64" ]; then
		echo "$1: there already"
		return
	fi
	lab_root "$1" "$root" libvirt-daemon-system,libvirt-daemon-driver-qemu,libvirt-clients,qemu-system-x86,qemu-utils,procps,iproute2
	mv "$root.new" "$root"
	echo "$1: libvirt $(chroot "$root" libvirtd --version | sed 's/.* //'), $(
		chroot "$root" qemu-system-x86_64 -version | sed -n 's/ (.*//; 1p')"
}

make_root trixie
make_root sid
