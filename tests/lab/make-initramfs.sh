#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# make-initramfs.sh x86_64|arm64|stock FOLDER FILE: the root file system of a lab guest, in memory.
#
# Of FOLDER, as build-probe.sh leaves it (capbroker-probe and at-step), our init and data files, and
# Debian's busybox-static, which is fetched into the lab's folder once. stock is x86_64 with the modules of
# Debian's kernel. Needs cpio.

set -eu

here=$(dirname "$(readlink -f "$0")")
. "$here/lab-apt.sh"

# busybox ARCHITECTURE: its path, in $busybox
get_busybox()
{
	busybox=$lab/busybox-$1
	[ ! -x "$busybox" ] || return 0
	lab_lists "trixie-$1"
	archives=$lab/apt/trixie-$1/cache/archives
	(cd "$archives" && lab_apt apt-get "trixie-$1" -qq download busybox-static) ||
		die "busybox-static of $1 could not be downloaded"
	dpkg-deb --fsys-tarfile "$archives"/busybox-static_*.deb |
		tar -xO --wildcards '*/bin/busybox' >"$busybox.new"
	rm -rf "$lab/apt/trixie-$1/cache"
	chmod +x "$busybox.new"
	mv "$busybox.new" "$busybox"
}

[ $# -eq 3 ] || die "give an architecture (x86_64, arm64 or stock), a folder and a file"
command -v cpio >/dev/null || die "no cpio here (install cpio)"
case $1 in
x86_64 | stock) get_busybox amd64 ;;
arm64) get_busybox arm64 ;;
*) die "$1: no such architecture (x86_64, arm64 or stock)" ;;
esac
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir "$root/bin"
cp "$busybox" "$root/bin/busybox"
cp "$2/capbroker-probe" "$2/at-step" "$root/bin/"
cp "$here/guest-init" "$root/init"
cp "$here/guest-steps" "$root/steps"
cp -r "$here/../../schema/data" "$root/data"
if [ "$1" = stock ]; then
	[ -d "$lab/kernels/stock-modules" ] || die "no modules of the stock kernel (run build-kernels.sh)"
	cp -r "$lab/kernels/stock-modules" "$root/modules"
	cp "$lab/kernels/stock-modules.order" "$root/modules/order"
fi
(cd "$root" && find . | sort | cpio --quiet -o -H newc -R 0:0 | gzip -n -6) >"$3.new"
mv "$3.new" "$3"
