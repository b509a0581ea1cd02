#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The layers hold: each foreign library has one file that knows it, nothing includes to its right
# in SUBDIRS, and src/lib reads memory and returns values. A tree with one violation of each kind
# must be refused by the same rules.
set -u

# only PATTERN FILE…: below the current folder, no other file has a line that matches PATTERN.
# Lines of comments are left out: they may speak of anything.
only()
{
	pattern=$1
	shift
	grep -rnE --include='*.[ch]' "$pattern" src probes |
		grep -vE '^[^:]*:[0-9]*:[[:space:]]*(/?\*|//)' >"$scratch/hits"
	for file in "$@"; do
		grep -v "^$file:" "$scratch/hits" >"$scratch/rest"
		mv "$scratch/rest" "$scratch/hits"
	done
	[ ! -s "$scratch/hits" ] && return
	echo "only ${*:-no file} may have '$pattern':"
	sed 's/^/    /' "$scratch/hits"
	bad=$((bad + 1))
}

# never FOLDER PATTERN: no file below FOLDER has it.
never()
{
	grep -rnE --include='*.[ch]' "$2" "$1" |
		grep -vE '^[^:]*:[0-9]*:[[:space:]]*(/?\*|//)' >"$scratch/hits"
	[ ! -s "$scratch/hits" ] && return
	echo "$1 may not have '$2':"
	sed 's/^/    /' "$scratch/hits"
	bad=$((bad + 1))
}

# Sets bad to the number of rules broken in the current folder.
rules()
{
	bad=0
	include='^[[:space:]]*#[[:space:]]*include[[:space:]]*'
	call='(^|[^[:alnum:]_.>])'
	only "$include<libxml/" src/lib/guest/xml.c src/lib/guest/xml-query.c src/lib/guest/xml-functions.c
	only "$include<sqlite3" src/store/sqlite.c
	only "$include<curl/" src/net/client.c
	only "$include<microhttpd" src/broker/http.c
	only "$include<libvirt/" probes/libvirt.c probes/guests.c
	never src/lib "$include\"(\.\./)*(store|service|net|broker|cli|probes)/"
	never src/store "$include\"(\.\./)*(service|net|broker|cli|probes)/"
	never src/net "$include\"((\.\./)*(service|store|broker|cli|probes)/|store\.h|ask\.h|load\.h)"
	never src/broker "$include\"((\.\./)*(cli|probes)/|cli\.h|commands\.h|client\.h)"
	never src/service "$include\"((\.\./)*(cli|probes)/|cli\.h|commands\.h)"
	never src/service "${call}(v?f?printf|puts|g_print|g_printerr)[[:space:]]*\("
	never probes "$include\"(\.\./)*(src/)?cli/"
	never src/cli "$include\"(\.\./)*probes/"
	never src/lib "$include<(stdio|fcntl|unistd|time|sys/[a-z]+|gio/.*|glib/gstdio)\.h>"
	never src/lib "${call}(v?f?printf|puts|fopen|open|getenv|time|g_(print|printerr|log|warning|message|critical|debug|getenv|fopen|get_real_time|get_monotonic_time|file_[gs]et_contents)|json_(load|dump)_?f(ile|d)?)[[:space:]]*\("
}

planted()
{
	mkdir -p src/lib/model src/store src/service src/net src/broker src/cli probes
	echo '#include <libxml/tree.h>' >src/lib/model/a.c
	echo '#include <sqlite3.h>' >src/cli/b.c
	echo '#include <libvirt/libvirt.h>' >src/cli/c.c
	echo '#include "store/store.h"' >src/lib/model/d.c
	echo '#include "cli/main.h"' >src/store/e.c
	echo '#include "cli.h"' >src/service/j.c
	echo '#include <curl/curl.h>' >src/cli/l.c
	echo '#include <microhttpd.h>' >src/net/m.c
	echo '#include "store.h"' >src/net/n.c
	echo '#include "cli.h"' >src/broker/o.c
	printf 'void f(void)\n{\n\tputs("x");\n}\n' >src/service/k.c
	echo '#include "../src/cli/main.h"' >probes/f.c
	echo '#include "../../probes/probe.h"' >src/cli/g.c
	echo '#include <stdio.h>' >src/lib/model/h.c
	printf 'int f(void)\n{\n\treturn open("x", 0);\n}\n' >src/lib/model/i.c
}

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

cd "${top_srcdir:?is set by ./run}" || exit 1
rules
broken=$bad

mkdir "$scratch/planted" && cd "$scratch/planted" && planted || exit 1
rules >"$scratch/report"
if [ "$bad" -ne 15 ]; then
	cat "$scratch/report"
	echo "15 rules are broken on purpose in a planted tree, but $bad were reported"
	exit 1
fi
[ "$broken" -eq 0 ]
