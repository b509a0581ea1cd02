#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# get-qemus.sh [FOLDER]: newer QEMUs beside the installed one, for the tests of 'make check-lab'.
#
# Downloads the QEMU packages of Debian 13 and of sid, with all they need down to the C library,
# into FOLDER (default: $CAPBROKER_LAB, else ~/.cache/capbroker-lab) and unpacks them there;
# nothing is installed, and the machine's own packages and lists stay as they are. FOLDER/SUITE/
# has scripts qemu-system-x86_64 and qemu-system-aarch64 that run that suite's, and (Debian 13's)
# firmware for both and swtpm too. Takes about 200 MB of downloads and 900 MB of room; what is there already is
# left alone.

set -eu

[ $# -eq 0 ] || export CAPBROKER_LAB="$1"
. "$(dirname "$0")/lab-apt.sh"

# The script that runs what was unpacked with the C library that came with it.
write_runner()
{
	cat >"$1/$2.new" <<END
#!/bin/sh
# Runs the $2 that was unpacked beside this script, with its own libraries and modules.
root=\$(dirname "\$(readlink -f "\$0")")
libraries=\$root/usr/lib/x86_64-linux-gnu
export QEMU_MODULE_DIR=\$libraries/qemu
exec "\$libraries/ld-linux-x86-64.so.2" --library-path "\$libraries:\$libraries/swtpm:\$root/usr/lib" \\
	"\$root/usr/bin/$2" $3 "\$@"
END
	chmod +x "$1/$2.new"
	mv "$1/$2.new" "$1/$2"
}

# qemu_runner FOLDER PROGRAM
qemu_runner()
{
	# It would try the installed QEMU's modules for what it has none of, and abort over them.
	LC_ALL=C sed -i 's|/usr/lib/x86_64-linux-gnu/qemu\x00|/usr/lib/x86_64-linux-gnu/none\x00|g' \
		"$1/usr/bin/$2"
	write_runner "$1" "$2" '-L "$root/usr/share/qemu" -L "$root/usr/share/seabios"'
	"$1/$2" -version | sed -n "s/^/${1##*/}, $2: /; 1p"
}

# get SUITE PROGRAM LAST PACKAGES…: downloads and unpacks, where LAST isn't there; the runner comes
# last, so that it tells what is whole.
get()
{
	suite=$1
	program=$2
	last=$3
	shift 3
	if [ -x "$lab/$suite/$program" ] && [ -e "$lab/$suite/$last" ]; then
		echo "$suite: $program is there already"
		return
	fi
	lab_lists "$suite-amd64"
	lab_download "$suite-amd64" "$@"
	mkdir -p "$lab/$suite/usr/lib/x86_64-linux-gnu"
	lab_unpack "$suite-amd64" "$lab/$suite"
	[ ! -e "$lab/$suite/usr/bin/swtpm" ] || write_runner "$lab/$suite" swtpm ''
	qemu_runner "$lab/$suite" "$program"
}

get trixie qemu-system-x86_64 swtpm qemu-system-x86 ovmf swtpm
get sid qemu-system-x86_64 usr qemu-system-x86
get trixie qemu-system-aarch64 usr/share/qemu-efi-aarch64 qemu-system-arm qemu-efi-aarch64
get sid qemu-system-aarch64 usr qemu-system-arm
echo "for 'make check-lab': CAPBROKER_LAB=$lab"
