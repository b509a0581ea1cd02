#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# autogen.sh: make ./configure in a git checkout (a release tarball has it already).
set -eu
cd "$(dirname "$0")"

for tool in autoconf automake aclocal pkg-config; do
	command -v "$tool" >/dev/null ||
		{ echo "autogen.sh: $tool not found (install autoconf automake pkgconf)" >&2; exit 2; }
done
exec autoreconf --force --install --warnings=all "$@"
