#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every answer, as valid JSON with the members that others rely on, and as text for people.
. "$top_srcdir/tests/cli-fixture.sh"

# Two alike, one with more, one of another vendor.
cpu "$scratch/r1n01.xml" vmx
cpu "$scratch/r1n02.xml" vmx
cpu "$scratch/r2n01.xml" vmx avx
echo "<cpu><arch>x86_64</arch><model>Opteron_G3</model><vendor>AMD</vendor></cpu>" >"$scratch/a1.xml"
expect 0 import --cluster east --label rack=r1 --alias nova=one "$scratch/r1n01.xml"
expect 0 import --cluster east --label rack=r1 "$scratch/r1n02.xml"
expect 0 import --cluster west "$scratch/r2n01.xml" "$scratch/a1.xml"

json 'len(d["hosts"]) == 4 and d["hosts"][1]["name"] == "r1n01"
      and d["hosts"][1]["cluster"] == "east" and d["hosts"][1]["labels"] == {"rack": "r1"}
      and d["hosts"][1]["aliases"] == {"nova": "one"} and d["hosts"][1]["arch"] == "x86_64"
      and d["hosts"][1]["class"] == d["hosts"][2]["class"] != d["hosts"][3]["class"]
      and d["hosts"][1]["fingerprint"]["imported"].startswith("sha256:")
      and 0 <= d["hosts"][1]["age_s"] < 600' hosts
json '[h["name"] for h in d["hosts"]] == ["r1n01", "r1n02"]' hosts cluster=east
json '[h["name"] for h in d["hosts"]] == ["r1n01"]' hosts one
json '[h["name"] for h in d["hosts"]] == ["a1", "r1n01", "r1n02"]' hosts label:rack=r1 a1
expect 0 hosts
shows '^4 hosts, 3 classes' '^r1n01 .*east' '^a1 '

json 'd["hosts_n"] == 4 and [b["vendor"] for b in d["baselines"]] == ["AMD", "Intel"]
      and d["baselines"][1]["hosts_n"] == 3 and d["baselines"][1]["classes_n"] == 2
      and d["baselines"][1]["cpu"]["model"] == "Penryn"
      and d["baselines"][1]["cpu"]["delta"] == [{"name": "vmx", "policy": "require"}]
      and "vmx" in d["baselines"][1]["cpu"]["features"]
      and d["baselines"][1]["cpu"]["features"] == sorted(d["baselines"][1]["cpu"]["features"])
      and [(l["capability"], l["hosts"]) for l in d["baselines"][1]["lost"]]
          == [("cpu.avx", ["r1n01", "r1n02"])]' baseline
expect 0 baseline
shows '^4 hosts, 3 classes, 2 groups' 'Penryn \+ vmx' 'avx .*1/3 .*r1n01-02' '^not judged:'
expect 0 baseline --format libvirt r1n01
"$PYTHON" - "$scratch/out" <<'END' || fail "baseline --format libvirt is no <cpu>"
import sys, xml.etree.ElementTree as tree
cpu = tree.parse(sys.argv[1]).getroot()
assert cpu.tag == "cpu" and cpu.find("model").text == "Penryn"
assert [(f.get("policy"), f.get("name")) for f in cpu.findall("feature")] == [("require", "vmx")]
END
expect 0 baseline --format qemu r1n01
shows '-cpu Penryn,.*vmx=on'
expect 0 baseline --format json r1n01
grep -q '"capbroker.baseline/1"' "$scratch/out" || fail "baseline --format json: $(cat "$scratch/out")"

json 'd["host"]["name"] == "r2n01" and d["cpus"][0]["model"] == "Penryn"
      and {"name": "avx", "policy": "require"} in d["cpus"][0]["delta"] and "facts" not in d' show r2n01
json 'any(f["id"] == "cpu.avx" and f["value"] is True for f in d["facts"])' -v show r2n01
expect 0 show r2n01
shows '^r2n01: x86_64' 'imported' 'Penryn \+avx \+vmx' '^not judged:'
[ "$(wc -l <"$scratch/out")" -le 40 ] || fail "show: more than 40 lines"

json 'not d["same_class"] and d["scopes"][0]["only_other"] == ["avx"]
      and "can'"'"'t go to r1n01" in " ".join(d["scopes"][0]["means"])' diff r1n01 r2n01
json 'd["same_class"] and all(s["same"] for s in d["scopes"])' diff r1n01 r1n02
expect 0 diff r1n01 r2n01
shows 'only r2n01 +avx' "guests that need avx can't go to r1n01"

json 'd["capability"]["id"] == "cpu.avx" and d["capability"]["rule"] == "lower-safe"
      and d["hosts"]["have"] == ["r2n01"] and len(d["hosts"]["lack"]) == 3' explain cpu.avx
for name in avx HW_CPU_X86_AVX; do
	json 'd["capability"]["id"] == "cpu.avx"' explain $name
done
json 'd["kind"] == "check" and d["check"]["name"] == "cpu-missing"' explain cpu-missing
expect 0 explain avx
shows '^cpu.avx$' 'rule +lower-safe' 'have +1 host: r2n01'
expect 0 explain cpu-missing
shows 'cpu-missing'
refused 'did you mean' explain cpu.av
expect 0 --db "$scratch/none.db" explain avx

domain "$scratch/web.xml" web 01 pc "" "<cpu mode='custom' match='exact'><model>Penryn</model></cpu>"
domain "$scratch/db.xml" db 02 pc "id='3'" \
	"<cpu mode='custom' match='exact' check='full'><model>Penryn</model><feature policy='require' name='avx'/></cpu>"
expect 0 import "$scratch/web.xml"
expect 0 import --host r2n01 "$scratch/db.xml"
json '[(g["name"], g["running"], g["host"]) for g in d["guests"]]
      == [("db", True, "r2n01"), ("web", False, None)]' guests
expect 0 guests
shows '^2 guests, 1 running' '^db +running +r2n01'
json 'len(d["guest_groups"]) == 2 and len(d["classes"]) == 3
      and all(len(row) == 3 for row in d["cells"])
      and [g["guests"] for g in d["guest_groups"]] == [["db"], ["web"]]
      and all(cell == "unknown" for row in d["cells"] for cell in row)' matrix
# What a <cpu> says of a host is nothing of its QEMU; replies of QEMU's are.
qemu_host "$scratch/q1" 8.1.2 'pc-q35-8.1' 'fpu lm'
qemu_host "$scratch/q2" 9.1.2 'pc-q35-9.1 pc-q35-8.1' 'fpu lm'
domain "$scratch/new.xml" new 03 pc-q35-9.1 "" ""
expect 0 --db "$scratch/two.db" import "$scratch/q1" "$scratch/q2" "$scratch/new.xml"
json '[c["hosts"] for c in d["classes"]] == [["q1"], ["q2"]]
	and d["cells"][0][0] == "block" and d["cells"][0][1] != "block"' --db "$scratch/two.db" matrix
expect 0 --db "$scratch/two.db" matrix
shows '^1 guest in 1 group, 2 hosts in 2 classes' '^new +block +(ok|warn|unknown)'
expect 0 matrix --expand
shows '^2 guests in 2 groups, 4 hosts in 3 classes' 'r1n01-02' '^not judged:'

# The list of guests is one that can be imported again.
capbroker --json guests >"$scratch/list.json"
expect 0 --db "$scratch/copy.db" import "$scratch/list.json"
shows '2 guests'

json 'd["forgotten"] == "r2n01"' forget r2n01
json 'len(d["hosts"]) == 3' hosts
json 'd["guests"] == [g for g in d["guests"] if g["name"] == "web"]' guests
refused 'no host of that name' forget r2n01

# On a terminal, and only there: colours, and progress where it takes a while.
i=0
mkdir "$scratch/many"
while [ $i -lt 60 ]; do
	cp "$scratch/r1n01.xml" "$scratch/many/h$i.xml"
	i=$((i + 1))
done
on_terminal()
{
	"$PYTHON" -c 'import os, pty, sys
status = pty.spawn(sys.argv[1:])
sys.exit(os.waitstatus_to_exitcode(status))' "$@" </dev/null >"$scratch/seen"
}
escape=$(printf '\033')
TERM=xterm
export TERM
on_terminal capbroker check "$scratch/new.xml" --to r1n01 r1n02
grep -q "$escape\[" "$scratch/seen" || fail "no colours on a terminal"
on_terminal env NO_COLOR=1 capbroker check "$scratch/new.xml" --to r1n01 r1n02
grep -q "$escape\[" "$scratch/seen" && fail "colours although NO_COLOR is set"
on_terminal capbroker import "$scratch"/many/*
grep -q 'import: 48 of 60 hosts' "$scratch/seen" || fail "no progress on a terminal"
expect 0 import "$scratch"/many/*
[ ! -s "$scratch/err" ] || fail "progress although nobody watches: $(cat "$scratch/err")"

finish
