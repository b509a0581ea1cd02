# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# lab-apt.sh: what the scripts that fetch Debian packages into the lab's folder share.
#
# To be sourced. Sets $lab, the folder ($CAPBROKER_LAB, else ~/.cache/capbroker-lab), and $mirror.
# Nothing is installed, and the machine's own packages and lists stay as they are: each suite and
# architecture has a state of apt's of its own below $lab/apt.

lab=${CAPBROKER_LAB:-${XDG_CACHE_HOME:-$HOME/.cache}/capbroker-lab}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
me=${0##*/}

die()
{
	echo "$me: $*" >&2
	exit 2
}

# The mirror that this machine's apt uses for Debian itself.
find_mirror()
{
	apt-get indextargets --format '$(SITE) $(REPO_URI) $(SUITE)' 'Created-By: Packages' \
		'Origin: Debian' | sed -n 's/^[^ ]* \([^ ]*\) .*/\1/p' | grep -v security | head -n 1
}

# lab_apt PROGRAM STATE ARGS…: apt-get or apt-cache with that state, where nothing is installed.
lab_apt()
{
	lab_program=$1
	lab_own=$lab/apt/$2
	shift 2
	"$lab_program" -o Dir::State="$lab_own/state" -o Dir::State::status="$lab_own/status" \
		-o Dir::Cache="$lab_own/cache" -o Dir::Etc::SourceList="$lab_own/sources.list" \
		-o Dir::Etc::SourceParts="$lab/apt/none" -o Dir::Etc::Preferences=/nonexistent \
		-o Dir::Etc::PreferencesParts="$lab/apt/none" -o Debug::NoLocking=true \
		-o Acquire::Check-Valid-Until=false -o Acquire::Languages=none \
		-o APT::Install-Recommends=false -o APT::Sandbox::User="$(id -un)" \
		-o APT::Architecture="${lab_own##*-}" -o APT::Architectures="${lab_own##*-}" "$@"
}

# lab_lists SUITE-ARCHITECTURE: reads a suite's lists; its state is called so.
lab_lists()
{
	lab_own=$lab/apt/$1
	mkdir -p "$lab_own/state/lists/partial" "$lab_own/cache/archives/partial"
	: >"$lab_own/status"
	echo "deb [signed-by=$keyring] $mirror ${1%-*} main" >"$lab_own/sources.list"
	lab_apt apt-get "$1" -qq update || die "the lists of $1 could not be read from $mirror"
}

# lab_download SUITE-ARCHITECTURE PACKAGES…: packages and all they need, as archives of the cache.
lab_download()
{
	lab_state=$1
	shift
	lab_apt apt-get "$lab_state" -qq --yes --download-only install "$@" >"$lab/apt/$lab_state/log" 2>&1 || {
		tail -n 5 "$lab/apt/$lab_state/log" >&2
		die "the packages of $lab_state could not be downloaded (log: $lab/apt/$lab_state/log)"
	}
}

# lab_unpack SUITE-ARCHITECTURE FOLDER: all archives of the cache; then the cache goes.
lab_unpack()
{
	archives=$lab/apt/$1/cache/archives
	mkdir -p "$2"
	for link in lib lib64 bin sbin; do # what packages still put there lands below usr
		[ -e "$2/$link" ] && continue
		mkdir -p "$2/usr/$link"
		ln -s "usr/$link" "$2/$link"
	done
	for package in "$archives"/*.deb; do
		dpkg-deb --fsys-tarfile "$package" |
			tar -x --keep-directory-symlink --no-same-owner -C "$2"
	done
	rm -rf "$lab/apt/$1/cache" "$2/usr/share/doc" "$2/usr/share/man" "$2/usr/share/locale"
}

# lab_root SUITE FOLDER PACKAGES [OPTION…]: a whole system of a suite as FOLDER.new, by mmdebstrap with more
# of its options; its log is FOLDER.log.
lab_root()
{
	lab_suite=$1
	lab_folder=$2
	lab_packages=$3
	shift 3
	rm -rf "$lab_folder.new"
	mkdir -p "${lab_folder%/*}"
	mmdebstrap --quiet --mode=root --variant=minbase --keyring="$keyring" \
		--aptopt='APT::Install-Recommends "false"' \
		--aptopt='Acquire::Check-Valid-Until "false"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--include="$lab_packages" "$@" \
		"$lab_suite" "$lab_folder.new" "$mirror" >"$lab_folder.log" 2>&1 || {
		tail -n 5 "$lab_folder.log" >&2
		die "no system of $lab_suite could be made (log: $lab_folder.log)"
	}
	rm -rf "$lab_folder.new/var/cache/apt" "$lab_folder.new/var/lib/apt/lists"
}

# lab_root_needs: ends where whole systems can't be made.
lab_root_needs()
{
	[ "$(id -u)" = 0 ] || die "only root can make whole systems"
	command -v mmdebstrap >/dev/null || die "no mmdebstrap here (install mmdebstrap)"
}

command -v apt-get >/dev/null || die "no apt-get here (this needs a Debian machine)"
[ -e "$keyring" ] || die "no $keyring (install debian-archive-keyring)"
[ "$(dpkg --print-architecture)" = amd64 ] || die "this needs an x86_64 machine"
mirror=$(find_mirror)
[ -n "$mirror" ] || die "this machine's apt knows no mirror of Debian's (run apt-get update first)"
mkdir -p "$lab/apt/none"
