#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# get-qemus.sh [FOLDER]: newer QEMUs beside the installed one, for the tests of 'make check-lab'.
#
# Downloads the QEMU packages of Debian 13 and of sid, with all they need down to the C library,
# into FOLDER (default: $CAPBROKER_LAB, else ~/.cache/capbroker-lab) and unpacks them there;
# nothing is installed, and the machine's own packages and lists stay as they are. FOLDER/SUITE/
# has a script qemu-system-x86_64 that runs that suite's, and (Debian 13's) OVMF and swtpm too.
# Takes about 150 MB of downloads and 600 MB of room; what is there already is left alone.

set -eu

lab=${1:-${CAPBROKER_LAB:-${XDG_CACHE_HOME:-$HOME/.cache}/capbroker-lab}}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

die()
{
	echo "get-qemus.sh: $*" >&2
	exit 2
}

# The mirror that this machine's apt uses for Debian itself.
find_mirror()
{
	apt-get indextargets --format '$(SITE) $(REPO_URI) $(SUITE)' 'Created-By: Packages' \
		'Origin: Debian' | sed -n 's/^[^ ]* \([^ ]*\) .*/\1/p' | grep -v security | head -n 1
}

# apt SUITE ARGS…: apt-get with a state of its own, where nothing is installed.
apt()
{
	own=$lab/apt/$1
	shift
	apt-get -o Dir::State="$own/state" -o Dir::State::status="$own/status" \
		-o Dir::Cache="$own/cache" -o Dir::Etc::SourceList="$own/sources.list" \
		-o Dir::Etc::SourceParts=/nonexistent -o Dir::Etc::Preferences=/nonexistent \
		-o Dir::Etc::PreferencesParts=/nonexistent -o Debug::NoLocking=true \
		-o Acquire::Check-Valid-Until=false -o Acquire::Languages=none \
		-o APT::Install-Recommends=false -o APT::Sandbox::User="$(id -un)" "$@"
}

prepare()
{
	own=$lab/apt/$1
	mkdir -p "$own/state/lists/partial" "$own/cache/archives/partial"
	: >"$own/status"
	echo "deb [signed-by=$keyring] $mirror $1 main" >"$own/sources.list"
	apt "$1" -qq update || die "the lists of $1 could not be read from $mirror"
}

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

# get SUITE PACKAGES…: downloads and unpacks; the runner comes last, so that it tells what is whole.
get()
{
	suite=$1
	shift
	if [ -x "$lab/$suite/qemu-system-x86_64" ]; then
		echo "$suite: there already"
		return
	fi
	prepare "$suite"
	apt "$suite" -qq --yes --download-only install "$@" >"$lab/apt/$suite/log" 2>&1 || {
		tail -n 5 "$lab/apt/$suite/log" >&2
		die "the packages of $suite could not be downloaded (log: $lab/apt/$suite/log)"
	}
	rm -rf "${lab:?}/$suite"
	mkdir -p "$lab/$suite/usr/lib/x86_64-linux-gnu"
	for link in lib lib64 bin sbin; do # what packages still put there lands below usr
		mkdir -p "$lab/$suite/usr/$link"
		ln -s "usr/$link" "$lab/$suite/$link"
	done
	for package in "$lab/apt/$suite/cache/archives"/*.deb; do
		dpkg-deb --fsys-tarfile "$package" |
			tar -x --keep-directory-symlink --no-same-owner -C "$lab/$suite"
	done
	rm -rf "$lab/apt/$suite/cache"
	rm -rf "$lab/$suite/usr/share/doc" "$lab/$suite/usr/share/man" "$lab/$suite/usr/share/locale"
	# It would try the installed QEMU's modules for what it has none of, and abort over them.
	LC_ALL=C sed -i 's|/usr/lib/x86_64-linux-gnu/qemu\x00|/usr/lib/x86_64-linux-gnu/none\x00|g' \
		"$lab/$suite/usr/bin/qemu-system-x86_64"
	[ ! -e "$lab/$suite/usr/bin/swtpm" ] || write_runner "$lab/$suite" swtpm ''
	write_runner "$lab/$suite" qemu-system-x86_64 \
		'-L "$root/usr/share/qemu" -L "$root/usr/share/seabios"'
	"$lab/$suite/qemu-system-x86_64" -version | sed -n "s/^/$suite: /; 1p"
}

command -v apt-get >/dev/null || die "no apt-get here (this needs a Debian machine)"
[ -e "$keyring" ] || die "no $keyring (install debian-archive-keyring)"
[ "$(dpkg --print-architecture)" = amd64 ] || die "only x86_64 machines have these QEMUs"
mirror=$(find_mirror)
[ -n "$mirror" ] || die "this machine's apt knows no mirror of Debian's (run apt-get update first)"
mkdir -p "$lab"
get trixie qemu-system-x86 ovmf swtpm
get sid qemu-system-x86
echo "for 'make check-lab': CAPBROKER_LAB=$lab"
