#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# build-kernels.sh [x86_64|arm64|stock …]: the kernels of the guests of 'make check-lab'.
#
# No kernel of Debian's has iommufd, so guests that have it run one built here, of the newest
# package linux-source in sid and a fragment of configuration beside this script. They land in
# $CAPBROKER_LAB/kernels (default ~/.cache/capbroker-lab/kernels) as x86_64 and arm64; stock is
# Debian 13's own, with the modules that its guest needs. What is there already is left alone, but
# for a kernel whose fragment has changed since. An image may be given instead, by
# CAPBROKER_KERNEL_X86_64 and CAPBROKER_KERNEL_ARM64. Takes 9 minutes of two cores for x86_64, 6 for
# arm64, 4 GB of room while it builds; needs flex, bison, bc, libelf-dev, xz-utils, kmod and, for
# arm64, gcc-aarch64-linux-gnu.

set -eu

here=$(dirname "$(readlink -f "$0")")
. "$here/lab-apt.sh"
kernels=$lab/kernels
build=$lab/kernel-build

# tool PROGRAM PACKAGE
tool()
{
	command -v "$1" >/dev/null || die "no $1 here (install $2)"
}

# The newest linux-source's folder, in $source; unpacked once.
get_source()
{
	source=$(find "$build" -maxdepth 1 -name 'linux-source-*' -type d 2>/dev/null | sort -V | tail -n 1)
	[ -z "$source" ] || return 0
	lab_lists sid-amd64
	package=$(lab_apt apt-cache sid-amd64 search --names-only '^linux-source-[0-9.]*$' |
		sed 's/ .*//' | sort -V | tail -n 1)
	[ -n "$package" ] || die "sid has no linux-source (is the mirror whole?)"
	mkdir -p "$build"
	(cd "$build" && lab_apt apt-get sid-amd64 -qq download "$package") ||
		die "$package could not be downloaded"
	dpkg-deb --fsys-tarfile "$build/$package"_*.deb |
		tar -xO --wildcards './usr/src/*.tar.xz' | tar -xJ -C "$build" || die "$package is torn"
	rm "$build/$package"_*.deb
	source=$build/$package
}

# build ARCHITECTURE IMAGE MAKE-ARGUMENTS…
build()
{
	arch=$1
	image=$2
	shift 2
	fragment=$here/kernel-$arch.config
	if cmp -s "$fragment" "$kernels/$arch.config" && [ -s "$kernels/$arch" ]; then
		echo "$arch: there already"
		return
	fi
	get_source
	set -- -s -C "$source" O="$build/$arch" "$@"
	mkdir -p "$build/$arch" "$kernels"
	make "$@" KCONFIG_ALLCONFIG="$fragment" allnoconfig >/dev/null
	grep '^CONFIG_.*=' "$fragment" | sed 's/=n$/ is not set/' | while read -r option; do
		case $option in
		*' is not set') ! grep -q "^${option%% *}=" "$build/$arch/.config" ;;
		*) grep -qx "$option" "$build/$arch/.config" ;;
		esac || die "$arch: the kernel took no notice of $option (is a dependency missing?)"
	done
	make "$@" -j"$(nproc)" "${image##*/}"
	cp "$build/$arch/$image" "$kernels/$arch.new"
	cp "$fragment" "$kernels/$arch.config"
	make "$@" kernelrelease | tail -n 1 >"$kernels/$arch.version"
	mv "$kernels/$arch.new" "$kernels/$arch"
	rm -rf "${build:?}/$arch"
	echo "$arch: Linux $(cat "$kernels/$arch.version")"
}

# Debian 13's kernel and, in the order in which they are loaded, the modules of stock.modules.
stock()
{
	if [ -s "$kernels/stock" ]; then
		echo "stock: there already"
		return
	fi
	lab_lists trixie-amd64
	package=$(lab_apt apt-cache trixie-amd64 depends --important linux-image-amd64 |
		sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
	[ -n "$package" ] || die "Debian 13 has no linux-image-amd64 (is the mirror whole?)"
	mkdir -p "$build/stock" "$kernels"
	(cd "$build" && lab_apt apt-get trixie-amd64 -qq download "$package") ||
		die "$package could not be downloaded"
	dpkg-deb -x "$build/$package"_*.deb "$build/stock"
	release=${package#linux-image-}
	release=${release%-unsigned}
	root=$build/stock/usr
	[ -d "$root/lib/modules/$release" ] || root=$build/stock
	depmod -b "$root" "$release"
	stock_modules "$root" "$release" >"$kernels/stock-modules.order"
	cp "$build/stock/boot/vmlinuz-$release" "$kernels/stock.new"
	echo "$release" >"$kernels/stock.version"
	mv "$kernels/stock.new" "$kernels/stock"
	rm -rf "$build/stock" "$build/$package"_*.deb
	echo "stock: Linux $release"
}

# stock_modules ROOT RELEASE: copies what is needed and prints its names in order.
stock_modules()
{
	rm -rf "$kernels/stock-modules"
	mkdir -p "$kernels/stock-modules"
	for module in vfio-pci vfio_iommu_type1 e1000e amd-iommu virtio-iommu mtty; do
		modprobe -d "$1" -S "$2" --show-depends "$module" 2>/dev/null || :
	done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' | while read -r path; do
		name=$(basename "$path" .xz)
		case $path in
		*.xz) xz -dc "$path" >"$kernels/stock-modules/$name" ;;
		*) cp "$path" "$kernels/stock-modules/$name" ;;
		esac
		echo "$name"
	done
}

tool flex flex
tool bison bison
tool bc bc
tool xz xz-utils
tool depmod kmod
[ $# -gt 0 ] || set -- stock x86_64 arm64
for kind in "$@"; do
	case $kind in
	x86_64) build x86_64 arch/x86/boot/bzImage ARCH=x86_64 ;;
	arm64)
		tool aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
		build arm64 arch/arm64/boot/Image ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-
		;;
	stock) stock ;;
	*) die "$kind: no such kernel (x86_64, arm64 or stock)" ;;
	esac
done
