#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every source says its licence in its first two lines (the second where the first is #!).
set -u
cd "${top_srcdir:?is set by ./run}" || exit 1

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

# unmarked FOLDER…: the sources below that don't
unmarked()
{
	find "$@" -type f \( -name '*.[ch]' -o -name '*.dict' -o -name '*.sql' -o -name '*.sh' \
		-o -name '*.py' -o -name '*.awk' -o -name '*.am' -o -name '*.m4' -o -name '*.rst' \) |
	while read -r file; do
		sed 2q "$file" | grep -q 'SPDX-License-Identifier: LGPL-2.1-or-later' || echo "$file"
	done
}

echo 'int x;' >"$scratch/a.c"
echo '/* SPDX-License-Identifier: LGPL-2.1-or-later */' >"$scratch/b.c"
if [ "$(unmarked "$scratch")" != "$scratch/a.c" ]; then
	echo "the search doesn't tell a marked file from an unmarked one"
	exit 1
fi

unmarked src probes schema tests man m4/capbroker.m4 >"$scratch/list"
[ ! -s "$scratch/list" ] && exit 0
echo "no SPDX line at the top of:"
cat "$scratch/list"
exit 1
