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
# Beside other files it is one host with them, in any order.
cpu "$scratch/more.xml" aes
for files in "$scratch/recording $scratch/more.xml" "$scratch/more.xml $scratch/recording"; do
	# shellcheck disable=SC2086 # a list of files
	expect 0 import --name both $files
	json '{(f["id"], f["scope"]["view"]) for f in d["facts"]} >= {("cpu.avx", "kvm"), ("cpu.aes", "libvirt")}
	      and set(d["host"]["fingerprint"]) == {"kernel", "imported"}' -v show both
done
refused 'is a host of its own' import --name both "$scratch/recording" "$scratch/recording"
expect 0 forget both
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

# Whether what is stored of this very host is still so: by its fingerprint, and its emulators' files.
unset CAPBROKER_PROBE
capbroker-probe --only kernel --output "$scratch/now.json"
"$PYTHON" - "$scratch/now.json" "$scratch/qemu" >"$scratch/edited.json" <<'END'
import json, os, sys
open(sys.argv[2], "w").write("an emulator")
with open(sys.argv[1]) as file:
    profile = json.load(file)
st = os.stat(sys.argv[2])
profile["host"]["name"] = "still"
profile["fingerprint"]["emulators"] = [{"path": sys.argv[2], "size": st.st_size,
                                        "mtime": int(st.st_mtime), "inode": st.st_ino}]
print(json.dumps(profile))
END
expect 0 import "$scratch/edited.json"
json 'd["validity"] == {"state": "same", "changed": []}' show still
expect 0 show still
shows 'nor QEMU changed'
echo "another one" >"$scratch/qemu"
json "d['validity'] == {'state': 'changed', 'changed': ['$scratch/qemu']}" show still
sed 's/"microcode": "[^"]*"/"microcode": "0xbad"/; s/"kernel": "[^"]*"/"kernel": "1.0"/' \
	"$scratch/edited.json" >"$scratch/older.json"
expect 0 import "$scratch/older.json"
json '"kernel" in d["validity"]["changed"]' show still
expect 0 show still
shows '^changed +kernel' 'capbroker probe'
sed 's/"boot_id": "[^"]*"/"boot_id": "another"/; s/"uuid": "[^"]*"/"uuid": "00000000-0000-4000-8000-000000000001"/' \
	"$scratch/edited.json" >"$scratch/other.json"
expect 0 import --name other "$scratch/other.json"
json 'd["validity"]["state"] == "unknown" and "this host" in d["validity"]["reason"]' show other
cpu "$scratch/bare.xml"
expect 0 import "$scratch/bare.xml"
json 'd["validity"]["state"] == "unknown" and "imported" in d["validity"]["reason"]' show bare

finish
