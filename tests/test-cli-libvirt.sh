#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# import --libvirt of many connections: real libvirts beside dead ones, a few at once, each with its
# limit; who fails is told and stops nobody.
. "$top_srcdir/tests/cli-fixture.sh"

# A probe that takes its time, and logs when it begins and ends.
cat >"$scratch/slow-probe" <<'END'
#!/bin/sh
echo + >>"$LOG"
while [ $# -gt 0 ]; do
	case $1 in
	--connect) uri=$2 ;;
	--output) output=$2 ;;
	--timeout) echo "timeout $2" >>"$LOG" ;;
	esac
	shift 2
done
sleep 0.3
name=${uri##*/}
case $name in
bad*) echo "capbroker-probe: $uri: is bad (mend it)" >&2; echo - >>"$LOG"; exit 2 ;;
crash*) echo - >>"$LOG"; kill -9 $$ ;;
odd*) echo 'no JSON' >"$output" ;;
*) printf '{"format": "capbroker.profile/1", "host": {"name": "%s"}, "facts": []}' "${name%-*}" >"$output" ;;
esac
echo - >>"$LOG"
END
chmod +x "$scratch/slow-probe"
LOG=$scratch/log
TMPDIR=$scratch/tmp
mkdir "$TMPDIR"
export LOG TMPDIR

# slow STATUS ARGS…: import with that probe; the most that ran at once is in $most.
slow()
{
	wanted=$1
	shift
	: >"$LOG"
	status=0
	CAPBROKER_PROBE=$scratch/slow-probe capbroker --json import "$@" \
		>"$scratch/out" 2>"$scratch/err" || status=$?
	[ "$status" = "$wanted" ] || fail "import $*: exit status $status: $(cat "$scratch/err")"
	most=$(awk '/^\+/ { n++; if (n > most) most = n } /^-/ { n-- } END { print most + 0 }' "$LOG")
}

slow 0 --libvirt x://h/a-1 x://h/b-1 x://h/c-1 x://h/d-1 x://h/e-1 x://h/f-1
{ [ "$most" -gt 1 ] && [ "$most" -le 6 ]; } || fail "$most at once where 8 may"
json '[h["name"] for h in d["hosts"]] == list("abcdef")' hosts
slow 0 --jobs 2 --libvirt x://h/a-1 x://h/b-1 x://h/c-1 x://h/d-1 x://h/e-1
[ "$most" = 2 ] || fail "$most at once with --jobs 2"
slow 0 --jobs 1 --timeout 7 --libvirt x://h/a-1 x://h/b-1
[ "$most" = 1 ] || fail "$most at once with --jobs 1"
[ "$(grep -c '^timeout 7$' "$LOG")" = 2 ] || fail "--timeout isn't handed on"

# Who fails is told, in order, and stops nobody.
slow 2 --libvirt x://h/bad1 x://h/g-1 x://h/crash x://h/odd x://h/g-2 x://h/h-1
"$PYTHON" - "$scratch/out" <<'END' || fail "the failures: $(cat "$scratch/out")"
import json, sys
with open(sys.argv[1]) as file:
    answer = json.load(file)
assert sorted(h["name"] for h in answer["hosts"]) == ["g", "h"]
assert [f["uri"] for f in answer["failed"]] == ["x://h/bad1", "x://h/crash", "x://h/odd", "x://h/g-2"]
reasons = [f["reason"] for f in answer["failed"]]
assert reasons[0] == "is bad (mend it)" and "not JSON" in reasons[2] and "as x://h/g-1 does" in reasons[3]
END
grep -q '^capbroker: import: 4 connections failed: x://h/bad1 x://h/crash x://h/odd x://h/g-2 ' \
	"$scratch/err" || fail "standard error: $(cat "$scratch/err")"
json '[h["name"] for h in d["hosts"]] == list("abcdefgh")' hosts
CAPBROKER_PROBE=$scratch/slow-probe
export CAPBROKER_PROBE
expect 2 import --libvirt x://h/bad1 x://h/i-1
shows '^imported 1 host ' '^failed  x://h/bad1: is bad'
refused 'x://h/bad1: is bad (mend it)' import --libvirt x://h/bad1
json 'd["hosts"] == [] and len(d["failed"]) == 2' --db "$scratch/none.db" import --libvirt x://h/bad1 x://h/bad2
[ ! -e "$scratch/none.db" ] || fail "a database for nothing"
# a bad file is still a mistake that stops all
echo nonsense >"$scratch/nonsense.txt"
refused 'nonsense.txt: not recognised' import "$scratch/nonsense.txt" --libvirt x://h/j-1
refused '--name names one host' import --name n --libvirt x://h/a-1 x://h/b-1
expect 0 import --name n --libvirt x://h/a-1
for bad in '--jobs 0' '--jobs 257' '--jobs x' '--timeout 0' '--timeout 3601' '--jobs -1'; do
	refused 'capbroker: import' import $bad --libvirt x://h/a-1
done
refused 'are for --libvirt' import --jobs 2 "$scratch/nonsense.txt"
unset CAPBROKER_PROBE
[ -z "$(ls "$TMPDIR")" ] || fail "folders are left behind: $(ls "$TMPDIR")"

# Real ones. Each has a host name of its own in a namespace of its own, where that can be had.
status=0
capbroker-probe --connect test:///default --output "$scratch/p.json" 2>"$scratch/err" || status=$?
if [ "$status" != 0 ] && grep -q 'built without libvirt' "$scratch/err"; then
	echo "the real libvirts: not tried, built without libvirt"
	finish
fi
[ "$(id -u)" = 0 ] && flags=-u || flags=-ru
if ! unshare $flags true 2>/dev/null; then
	echo "the real libvirts: not tried, no namespaces for host names here"
	finish
fi
cat >"$scratch/named-probe" <<END
#!/bin/sh
for word; do
	case \$word in *://*) name=\${word##*[/=]} ;; esac
done
exec unshare $flags sh -c 'hostname "\$0" && exec capbroker-probe "\$@"' "\${name%.xml}" "\$@"
END
chmod +x "$scratch/named-probe"
CAPBROKER_PROBE=$scratch/named-probe
export CAPBROKER_PROBE
for name in n1 n2 n3; do
	sed 's/^	//' >"$scratch/$name.xml" <<-END
	<node><domain type='test'><name>$name-guest</name><memory>65536</memory><vcpu>1</vcpu>
	<os><type arch='i686'>hvm</type></os></domain></node>
	END
done
expect 2 --db "$scratch/real.db" import --timeout 20 --libvirt "test://$scratch/n1.xml" \
	test:///default qemu+unix:///system?socket=/nonexistent "test://$scratch/n2.xml" \
	"test://$scratch/none.xml" "test://$scratch/n3.xml" nonsense://x
shows '^imported 4 hosts .* and 4 guests$' '^failed  qemu.unix:' '^failed  test://.*none.xml' \
	'^failed  nonsense://x: '
json '[h["name"] for h in d["hosts"]] == ["default", "n1", "n2", "n3"]' --db "$scratch/real.db" hosts
json '{g["name"]: g["host"] for g in d["guests"]}["n2-guest"] == "n2"' --db "$scratch/real.db" guests

# One that takes the connection and never answers costs its own limit alone.
"$PYTHON" -c '
import socket, sys, time
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(5)
print(s.getsockname()[1], flush=True)
time.sleep(120)' >"$scratch/port" &
listener=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
	[ -s "$scratch/port" ] && break
	sleep 0.3
done
hung=qemu+tcp://127.0.0.1:$(cat "$scratch/port")/system
expect 2 --db "$scratch/real.db" import --timeout 3 --libvirt "$hung" "test://$scratch/n1.xml"
shows '^imported 1 host ' '^failed  qemu.tcp:.*no end after'
kill "$listener"

finish
