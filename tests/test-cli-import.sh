#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# import: every form of file, alone and together, under which name, once and again.
. "$top_srcdir/tests/cli-fixture.sh"

qemu_host "$scratch/q1" 8.1.2 'pc-q35-8.1 pc-q35-8.0' 'fpu lm avx'

# A folder is one host, called like the folder; a list of files is one host with --name.
expect 0 import "$scratch/q1"
expect 0 import --name listed "$scratch"/q1/*
json 'd["machines"]["known"] and d["same_class"]' diff q1 listed
json '[e["version"] for e in d["emulators"]] == ["8.1.2"] and d["emulators"][0]["machines_n"] == 2
      and d["emulators"][0]["path"] == "/usr/bin/qemu-system-x86_64"
      and [c["accel"] for c in d["cpus"]] == ["kvm"]' show q1
json 'd["hosts"][1]["uuid"].startswith("11111111-")' hosts

# What a reply's name doesn't say, options do; and it isn't guessed.
cp "$scratch/q1/qmp-kvm-none-query-cpu-model-expansion-full-host.json" "$scratch/reply.json"
refused '--accel' import --name bare "$scratch/reply.json"
expect 0 import --name bare --accel tcg --machine pc-q35-8.1 "$scratch/reply.json"
json 'd["cpus"][0]["accel"] == "tcg" and "pc-q35-8.1" in d["cpus"][0]["view"]' show bare

# Files that weren't stored because they equal others.
cp -r "$scratch/q1" "$scratch/q2"
mv "$scratch/q2/qmp-kvm-none-query-machines.json" "$scratch/q2/qmp-tcg-none-query-machines.json"
printf 'qmp-kvm-none-query-machines.json\tqmp-tcg-none-query-machines.json\n' >"$scratch/q2/identical.tsv"
expect 0 import "$scratch/q2"
json 'd["emulators"][0]["accels"] == ["kvm", "tcg"] and d["emulators"][0]["machines_n"] == 2' show q2

# A recorded failure is a source that failed, not a reason to refuse the rest.
echo "ERROR: error: failed to get emulator capabilities" >"$scratch/q2/domcapabilities-kvm-pc-q35-9.0.xml"
expect 0 import "$scratch/q2"
json '[s for s in d["probe"]["sources"] if s["state"] == "failed"]' show q2

# CPUID lines, <cpudata>.
echo "00000001 00000000 000006f0 00000800 00002000 00000001" >"$scratch/lines.txt"
expect 0 import "$scratch/lines.txt"
cat >"$scratch/data.xml" <<'END'
<cpudata arch='x86'>
  <cpuid eax_in='0x00000001' ecx_in='0x00' eax='0x000006f0' ebx='0x00000800' ecx='0x00002000' edx='0x00000001'/>
</cpudata>
END
expect 0 import "$scratch/data.xml"
for host in lines data; do
	json 'any(f["id"] == "cpu.cx16" and f["value"] is True and f["scope"] == {"view": "raw"}
	          for f in d["facts"])' -v show $host
done

# A profile keeps its own name and fingerprint, or takes --name; from standard input, too.
cat >"$scratch/p.json" <<'END'
{"format": "capbroker.profile/1", "host": {"name": "own", "arch": "x86_64"},
 "fingerprint": {"kernel": "6.1.0"},
 "probe": {"version": "0.1.0", "time": "2020-01-01T00:00:00Z"},
 "facts": [{"id": "cpu.avx", "value": true, "state": "known", "scope": {"view": "kvm"}, "origin": "x"}],
 "future": {"member": 1}}
END
expect 0 import "$scratch/p.json"
expect 0 import --name other "$scratch/p.json"
capbroker import --name third - <"$scratch/p.json" >/dev/null || fail "import - of a profile"
json '[h["name"] for h in d["hosts"]] == ["other", "own", "third"]
      and d["hosts"][1]["fingerprint"] == {"kernel": "6.1.0"}
      and d["hosts"][1]["age_s"] > 86400 * 365' hosts other own third
cpu "$scratch/in.xml"
capbroker import --name stdin - <"$scratch/in.xml" >/dev/null || fail "import - of a <cpu>"
json 'd["hosts"][0]["name"] == "stdin"' hosts stdin
capbroker import - <"$scratch/in.xml" >/dev/null 2>"$scratch/err" && fail "import - without a name"
grep -q -- '--name' "$scratch/err" || fail "import -: $(cat "$scratch/err")"

# Again: the same is confirmed, another one replaces it; what is authored stays.
expect 0 import --cluster c1 --label k=v "$scratch/in.xml"
json 'd["hosts"][0]["change"] == "confirmed"' import "$scratch/in.xml"
cpu "$scratch/in.xml" avx
json 'd["hosts"][0]["change"] == "changed"' import "$scratch/in.xml"
json 'd["hosts"][0]["cluster"] == "c1" and d["hosts"][0]["labels"] == {"k": "v"}' hosts in

# Names for a host that is known, without a file: nothing else of it changes.
known()
{
	capbroker hosts --json in | grep -E '"(profile_digest|class|fingerprint|imported|arch)"'
}
known >"$scratch/before"
json 'd["hosts"][0]["change"] == "named"' import --name in --alias ovirt=id-1 --label k=w
json 'd["hosts"][0]["name"] == "in" and d["hosts"][0]["cluster"] == "c1"' hosts id-1
json 'd["hosts"][0]["labels"] == {"k": "w"} and d["hosts"][0]["aliases"] == {"ovirt": "id-1"}' hosts in
known >"$scratch/after"
[ -s "$scratch/before" ] || fail "nothing is known of host 'in'"
cmp -s "$scratch/before" "$scratch/after" || fail "a name changed more: $(diff "$scratch/before" "$scratch/after")"
refused 'nosuch: no such host' import --name nosuch --alias ovirt=id-2
refused 'K=V' import --name in --alias broken
refused 'nothing to import' import --alias ovirt=id-2
refused 'nothing to import' import --name in

# Guests: definitions beside each other, live and inactive of one guest together.
domain "$scratch/g1.xml" g1 01 q35 "" ""
domain "$scratch/g1-live.xml" g1 01 pc-q35-8.1 "id='1'" ""
domain "$scratch/g2.xml" g2 02 q35 "" ""
expect 0 import --host q1 "$scratch/g1.xml" "$scratch/g1-live.xml"
expect 0 import --host q1 "$scratch/g2.xml"
json '[(g["name"], g["running"], g["host"]) for g in d["guests"]]
      == [("g1", True, "q1"), ("g2", False, "q1")]' guests
refused 'given twice' import "$scratch/g1.xml" "$scratch/g1.xml"
refused "host 'nowhere' is not known" import --host nowhere "$scratch/g1.xml"
refused '--name' import --name g "$scratch/g1.xml"

# All or nothing.
before=$(capbroker hosts | head -n 1)
cpu "$scratch/fine.xml"
echo "no such thing" >"$scratch/strange.dat"
refused 'strange.dat: not recognised' import "$scratch/fine.xml" "$scratch/strange.dat"
refused 'strange.dat: not recognised' import "$scratch/strange.dat" "$scratch/fine.xml"
[ "$before" = "$(capbroker hosts | head -n 1)" ] || fail "a refused import left something behind"

# Two files for one host are a mistake unless --name says so.
mkdir "$scratch/x" "$scratch/y"
cp "$scratch/fine.xml" "$scratch/x/h.xml"
cp "$scratch/fine.xml" "$scratch/y/h.xml"
refused "for host 'h' too" import "$scratch/x/h.xml" "$scratch/y/h.xml"
refused 'K=V' import --label broken "$scratch/fine.xml"
refused 'holds no files' import "$(mktemp -d "$scratch/empty-XXXXXX")"
refused 'No such file' import "$scratch/absent.xml"

finish
