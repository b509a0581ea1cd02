#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Whatever is thrown at it: one clear line, exit status 2, and nothing that was known is lost.
. "$top_srcdir/tests/cli-fixture.sh"

cpu "$scratch/good.xml"
expect 0 import "$scratch/good.xml"
capbroker --json hosts | grep -v age_s >"$scratch/before"

# unharmed WHAT: the database still holds what it held.
unharmed()
{
	capbroker --json hosts | grep -v age_s >"$scratch/after"
	cmp -s "$scratch/before" "$scratch/after" || fail "$1: something was lost"
}

# bad NAME WORDS: import of $scratch/NAME, alone and behind a good file, is refused.
bad()
{
	refused "$2" import "$scratch/$1"
	refused "$1" import --name good "$scratch/good.xml" "$scratch/$1"
	refused "$1" check "$scratch/$1"
	unharmed "$1"
}

printf '{"format": "capbroker.profile/1", "host": {"name": "x"' >"$scratch/truncated.json"
bad truncated.json 'is the file complete?'
truncate -s 100M "$scratch/huge.json"
bad huge.json 'larger than the 32 MiB'
"$PYTHON" -c 'print("[" * 100000 + "]" * 100000)' >"$scratch/deep.json"
bad deep.json 'nested deeper'
printf '{"format": "capbroker.profile/1", "host": {"name": "\377\376"}}' >"$scratch/latin.json"
bad latin.json 'UTF-8'
printf "<cpu><arch>x86_64</arch><model>\377</model></cpu>" >"$scratch/latin.xml"
bad latin.xml 'latin.xml'
cat >"$scratch/bomb.xml" <<'END'
<?xml version="1.0"?>
<!DOCTYPE cpu [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]>
<cpu><arch>x86_64</arch><model>&d;</model></cpu>
END
bad bomb.xml 'bomb.xml'
"$PYTHON" -c 'print("<cpu>" * 100000 + "</cpu>" * 100000)' >"$scratch/deep.xml"
bad deep.xml 'deep.xml'
: >"$scratch/empty.json"
bad empty.json 'not recognised'
head -c 4096 /dev/urandom >"$scratch/noise.bin"
bad noise.bin 'noise.bin'
echo '{"what": "is this"}' >"$scratch/other.json"
bad other.json 'not recognised'
echo "<other/>" >"$scratch/other.xml"
bad other.xml 'not recognised'
echo "<domain><name>x</name></domain>" >"$scratch/typeless.xml"
refused 'type' import "$scratch/typeless.xml"
refused 'type' check "$scratch/typeless.xml"

# A profile that contradicts itself, or is of another version.
cat >"$scratch/two-minds.json" <<'END'
{"format": "capbroker.profile/1", "host": {"name": "x"}, "facts": [
 {"id": "cpu.avx", "value": true, "state": "known", "scope": {"view": "kvm"}},
 {"id": "cpu.avx", "value": false, "state": "known", "scope": {"view": "kvm"}}]}
END
bad two-minds.json 'contradicts'
echo '{"format": "capbroker.profile/9", "host": {"name": "x"}}' >"$scratch/newer.json"
bad newer.json 'newer'
echo '{"format": "capbroker.profile/1", "host": 7}' >"$scratch/hostless.json"
bad hostless.json 'host'
echo '{"format": "capbroker.guests/1", "guests": [{"running": "?"}]}' >"$scratch/guests.json"
bad guests.json 'guests.json'

# The same as JSON: one document that says it.
json 'd["error"]["code"] == "invalid" and "truncated.json" in d["error"]["where"]
      and d["error"]["fix"] == "is the file complete?"' import "$scratch/truncated.json"
[ "$status" = 2 ] || fail "--json import: exit status $status"
[ "$(wc -l <"$scratch/err")" = 1 ] || fail "--json import: stderr has more than a line"
json 'd["error"]["code"] == "unknown-name"' show nobody
json 'd["error"]["code"] == "usage"' hosts --what
json 'd["error"]["code"] == "store-open"' --db "$scratch/none.db" hosts

# Standard output that can't be written.
if [ -e /dev/full ]; then
	capbroker hosts >/dev/full 2>"$scratch/err"
	[ $? = 2 ] || fail "hosts to a full device: not 2"
	grep -q 'standard output' "$scratch/err" || fail "full device: $(cat "$scratch/err")"
fi

# Databases: damaged, of a newer version, nothing of the kind, locked.
echo "this is no database, and a text that is long enough to be looked at as one" >"$scratch/text.db"
refused 'text.db' --db "$scratch/text.db" hosts
refused 'text.db' --db "$scratch/text.db" import "$scratch/good.xml"
grep -q 'no database' "$scratch/text.db" || fail "a file that is no database was touched"
cp "$CAPBROKER_DB" "$scratch/hurt.db"
dd if=/dev/urandom of="$scratch/hurt.db" bs=1024 seek=5 count=60 conv=notrunc 2>/dev/null
refused 'hurt.db' --db "$scratch/hurt.db" hosts
cp "$CAPBROKER_DB" "$scratch/newer.db"
"$PYTHON" - "$scratch/newer.db" <<'END'
import sqlite3, sys
base = sqlite3.connect(sys.argv[1])
base.execute("PRAGMA user_version = 9999")
base.commit()
END
refused 'newer' --db "$scratch/newer.db" hosts
refused 'newer' --db "$scratch/newer.db" import "$scratch/good.xml"
refused 'fleet.d' --db "$scratch/good.xml/fleet.db" import "$scratch/good.xml"
"$PYTHON" - "$CAPBROKER_DB" "$scratch/locked" "$scratch/go" <<'END' &
import os, sqlite3, sys, time
base = sqlite3.connect(sys.argv[1], isolation_level=None)
base.execute("BEGIN EXCLUSIVE")
open(sys.argv[2], "w").close()
for _ in range(600):
    if os.path.exists(sys.argv[3]):
        break
    time.sleep(0.1)
END
holder=$!
while [ ! -e "$scratch/locked" ] && kill -0 "$holder" 2>/dev/null; do sleep 0.1; done
cpu "$scratch/good.xml" avx
refused 'fleet.db' import "$scratch/good.xml"
: >"$scratch/go"
wait "$holder"
unharmed "a locked database"

# A full disk. Needs a file system of its own.
cat >"$scratch/full.sh" <<'END'
mount -t tmpfs -o size=256k none "$1/disk" || exit 77
capbroker --db "$1/disk/f.db" import "$1/small.xml" >/dev/null || exit 1
dd if=/dev/zero of="$1/disk/fill" bs=1k 2>/dev/null
capbroker --db "$1/disk/f.db" import "$1"/many/* >/dev/null 2>"$1/err"
[ $? = 2 ] || exit 2
rm "$1/disk/fill"
[ "$(capbroker --db "$1/disk/f.db" hosts | head -n 1)" = "1 host, 1 class" ] || exit 3
END
mkdir "$scratch/disk" "$scratch/many"
cpu "$scratch/small.xml"
i=0
while [ $i -lt 60 ]; do
	cpu "$scratch/many/h$i.xml" avx "made-up-$i"
	i=$((i + 1))
done
if unshare -rm true 2>/dev/null; then
	unshare -rm sh "$scratch/full.sh" "$scratch"
	result=$?
	if [ $result = 77 ]; then
		echo "full disk: not tried, a tmpfs can't be mounted here"
	elif [ $result != 0 ]; then
		fail "full disk: step $result: $(cat "$scratch/err")"
	elif [ "$(wc -l <"$scratch/err")" != 1 ]; then
		fail "full disk: not one line: $(cat "$scratch/err")"
	fi
else
	echo "full disk: not tried, no user namespaces here"
fi

finish
