#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# build-probe.sh x86_64|arm64 FOLDER: a static capbroker-probe, and at-step, for the lab's guests.
#
# Configures this source tree in FOLDER (once; later runs make what has changed) and leaves
# FOLDER/capbroker-probe and FOLDER/at-step. For arm64 it needs gcc-aarch64-linux-gnu and
# g++-aarch64-linux-gnu; the static libraries of that architecture are fetched into the lab's
# folder, of the Debian release that this machine runs, for they go with its cross compiler.

set -eu

here=$(dirname "$(readlink -f "$0")")
top=$(readlink -f "$here/../..")
. "$here/lab-apt.sh"
packages="libglib2.0-dev libjansson-dev libxml2-dev libsqlite3-dev libpcre2-dev libffi-dev
	zlib1g-dev liblzma-dev libicu-dev"

# The arm64 libraries, in $sysroot.
get_sysroot()
{
	suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	sysroot=$lab/sysroot-$suite-arm64
	[ ! -d "$sysroot" ] || return 0
	lab_lists "$suite-arm64"
	archives=$lab/apt/$suite-arm64/cache/archives
	(cd "$archives" && lab_apt apt-get "$suite-arm64" -qq download $packages) ||
		die "the static libraries of arm64 could not be downloaded"
	rm -rf "$sysroot.new"
	lab_unpack "$suite-arm64" "$sysroot.new"
	mv "$sysroot.new" "$sysroot"
}

# cross ARGS…: configure with the compiler and the libraries of arm64, and no others.
cross()
{
	multiarch=$sysroot/usr/lib/aarch64-linux-gnu
	PKG_CONFIG_LIBDIR=$multiarch/pkgconfig:$sysroot/usr/share/pkgconfig \
		PKG_CONFIG_SYSROOT_DIR=$sysroot "$@" --host=aarch64-linux-gnu \
		LDFLAGS="-L$multiarch" CPPFLAGS="-I$sysroot/usr/include"
}

[ $# -eq 2 ] || die "give an architecture, x86_64 or arm64, and a folder"
mkdir -p "$2"
folder=$(readlink -f "$2")
case $1 in
x86_64)
	compiler=gcc
	as=
	;;
arm64)
	compiler=aarch64-linux-gnu-gcc
	for tool in aarch64-linux-gnu-gcc aarch64-linux-gnu-g++; do
		command -v $tool >/dev/null || die "no $tool here (install ${tool#aarch64-linux-gnu-}-aarch64-linux-gnu)"
	done
	get_sysroot
	as=cross
	;;
*) die "$1: no such architecture (x86_64 or arm64)" ;;
esac
[ -x "$top/configure" ] || die "no configure in $top (run ./autogen.sh)"
cd "$folder"
# Configured anew where configure is: it wouldn't find the other architecture by itself again.
[ ! -f configure.log ] || [ config.status -nt "$top/configure" ] || rm -rf "${folder:?}"/*
[ -f Makefile ] || $as "$top/configure" -q --enable-static-probe >configure.log 2>&1 || {
	tail -n 5 configure.log >&2
	die "configure failed (log: $folder/configure.log)"
}
for part in schema src/lib probes; do
	make -s -j"$(nproc)" -C "$part"
done
${compiler%gcc}strip -o capbroker-probe.new probes/capbroker-probe
mv capbroker-probe.new capbroker-probe
$compiler -O1 -Wall -static -o at-step "$here/at-step.c"
