#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# probe and import of recordings and connections: the probe is a program, whatever it does.
. "$top_srcdir/tests/cli-fixture.sh"

# A probe that answers as $scratch/answer.sh says.
cat >"$scratch/probe" <<END
#!/bin/sh
echo "\$@" >>"$scratch/asked"
output= guests=
while [ \$# -gt 0 ]; do
	case \$1 in
	--output) output=\$2 ;;
	--guests) guests=\$2 ;;
	esac
	shift
done
. "$scratch/answer.sh"
END
chmod +x "$scratch/probe"
CAPBROKER_PROBE=$scratch/probe
export CAPBROKER_PROBE

cat >"$scratch/answer.sh" <<'END'
cat >"$output" <<JSON
{"format": "capbroker.profile/1", "host": {"name": "here", "arch": "x86_64"},
 "fingerprint": {"kernel": "6.1"}, "probe": {"sources": [
  {"name": "msr", "state": "unreadable", "complete": false, "reason": "run as root"}]},
 "facts": [{"id": "cpu.avx", "value": true, "state": "known", "scope": {"view": "kvm"}, "origin": "k"}]}
JSON
cat >"$guests" <<JSON
{"format": "capbroker.guests/1", "host": "here", "complete": true, "guests": [
 {"name": "g", "running": true, "type": "kvm", "viommu": false, "host_device": false, "unjudged": []}]}
JSON
END
expect 0 probe --timeout 5 --cluster lab
shows '^here: x86_64' 'unread +msr: unreadable: run as root'
grep -q -- '--timeout 5' "$scratch/asked" || fail "probe: --timeout was not passed on"
json 'd["hosts"][0]["cluster"] == "lab" and d["hosts"][0]["fingerprint"] == {"kernel": "6.1"}' hosts
json '[(g["name"], g["host"], g["running"]) for g in d["guests"]] == [("g", "here", True)]' guests
json 'd["host"]["name"] == "mine"' probe --name mine

# A list of guests that isn't complete takes nothing from what is known.
expect 0 forget mine
expect 0 probe
sed -i 's/"complete": true, "guests": \[/"complete": false, "guests": []}/; /"name": "g"/d' "$scratch/answer.sh"
expect 0 probe
json 'len(d["guests"]) == 1' guests

# Recordings and connections.
mkdir -p "$scratch/recording/proc"
expect 0 import --name again "$scratch/recording"
grep -q -- "--replay $scratch/recording" "$scratch/asked" || fail "a recording was not replayed"
expect 0 import --name far --libvirt qemu+ssh://far/system
grep -q -- '--connect qemu+ssh://far/system' "$scratch/asked" || fail "--libvirt was not asked"
json '[h["name"] for h in d["hosts"]] == ["again", "far", "here"]' hosts

# A probe that fails, says nothing, talks nonsense, or isn't there.
before=$(capbroker hosts)
echo 'echo "capbroker-probe: /dev/kvm: something is wrong (mend it)" >&2; exit 2' >"$scratch/answer.sh"
refused 'something is wrong (mend it)' probe
echo 'exit 1' >"$scratch/answer.sh"
refused 'capbroker-probe' probe
echo 'echo "{" >"$output"' >"$scratch/answer.sh"
refused 'capbroker-probe: profile' probe
echo 'kill -SEGV $$' >"$scratch/answer.sh"
refused 'capbroker-probe' import "$scratch/recording"
CAPBROKER_PROBE=$scratch/absent
refused 'capbroker-probe' probe
[ "$before" = "$(capbroker hosts)" ] || fail "a probe that failed changed the database"

finish
