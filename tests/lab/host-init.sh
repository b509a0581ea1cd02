#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# host-init.sh ROOT FOLDER SHARED NAME: the first process of a lab host (libvirt_hosts.py), in its
# own namespaces for processes, mounts, names and network.
#
# ROOT is a whole system ("/": this machine's). What libvirt keeps is below FOLDER: etc, lib, log,
# cache; hosts and machine-id too. SHARED is /run/shared on every host, this machine's / read-only
# at /run/machine.

set -eu

root=$1
folder=$2
shared=$3

mount --make-rprivate /
hostname "$4"
if [ "$root" = / ]; then
	root=$folder/root
	mkdir -p "$root"
	mount --rbind / "$root"
else
	mount --bind "$root" "$root"
	mount --rbind /dev "$root/dev"
fi
mkdir -p "$folder/machine"
mount --bind / "$folder/machine"
mount -o remount,bind,ro "$folder/machine"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs tmpfs "$root/run"
mkdir -p "$root/run/shared" "$root/run/machine" "$root/run/libvirt" "$root/run/lock" "$root/run/capbroker"
mount --bind "$shared" "$root/run/shared"
mount --move "$folder/machine" "$root/run/machine"
for pair in etc/libvirt:etc var/lib/libvirt:lib var/log/libvirt:log var/cache/libvirt:cache; do
	mkdir -p "$root/${pair%%:*}"
	mount --bind "$folder/${pair##*:}" "$root/${pair%%:*}"
done
for file in hosts machine-id; do
	[ -e "$root/etc/$file" ] || : >"$root/etc/$file"
	mount --bind "$folder/$file" "$root/etc/$file"
done
cp "$folder/programs/"* "$root/run/capbroker/"
# who waits for orphans is the first process: unreaped, each of libvirt's questions to QEMU takes 40 s
exec chroot "$root" /bin/sh -c '
export PATH=/run/capbroker:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
unset LD_LIBRARY_PATH
ulimit -Sc 0
until ip -o addr show eth0 2>/dev/null | grep -q "inet "; do sleep 0.05; done
libvirtd --listen -d -p /run/libvirtd.pid
echo up
while :; do sleep 3600 & wait $!; done'
