#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# --assume: hosts that are gone, that have or lack a capability, that are like another; each question
# answered for such a fleet, and saying so.
. "$top_srcdir/tests/cli-fixture.sh"

qemu_host "$scratch/old" 7.2.0 'pc-q35-7.2' 'fpu lm cx16'
qemu_host "$scratch/old2" 7.2.0 'pc-q35-7.2' 'fpu lm cx16'
qemu_host "$scratch/canary" 10.0.0 'pc-q35-10.0 pc-q35-7.2' 'fpu lm cx16 avx'
expect 0 import --cluster c1 --label rack=r=1 "$scratch/old"
expect 0 import --cluster c1 "$scratch/old2"
expect 0 import --cluster c2 "$scratch/canary"
avx='<cpu mode="custom" match="exact" check="partial"><model fallback="forbid">qemu64</model>
	<feature policy="require" name="avx"/></cpu>'
domain "$scratch/avx.xml" avx 01 pc-q35-7.2 "" "$avx"
domain "$scratch/new.xml" new 02 pc-q35-10.0 "" ""

# Gone: by every kind of selector, the last '=' parts it from the rest.
json 'len(d["hosts"]) == 3 and "assumed" not in d' hosts
json '[h["name"] for h in d["hosts"]] == ["canary", "old2"] and d["assumed"] == ["old=gone"]' \
	--assume old=gone hosts
json '[h["name"] for h in d["hosts"]] == ["canary"]' hosts --assume=cluster=c1=gone
json '[h["name"] for h in d["hosts"]] == ["canary", "old2"]' hosts --assume label:rack=r=1=gone
json 'd["hosts"] == []' hosts --assume all=gone
json '[h["name"] for h in d["hosts"]] == ["canary"]' hosts --assume old=gone --assume old2=gone
refused 'old: no host of that name' show old --assume old=gone
class=$(capbroker --json hosts old | sed -n 's/.*"class": "\(.*\)".*/\1/p')
json '[h["name"] for h in d["hosts"]] == ["canary"]' hosts --assume "class=$class=gone"

# Like another: a known host, or a profile's file.
json 'd["verdicts"][0]["start"] == "block"' check "$scratch/new.xml" --to old
json 'd["verdicts"][0]["start"] == "ok" and d["assumed"] == ["old=canary"]' \
	check "$scratch/new.xml" --to old --assume old=canary
json 'len({h["class"] for h in d["hosts"]}) == 1 and [h["cluster"] for h in d["hosts"]] == ["c2", "c1", "c1"]
      and len({h["profile_digest"] for h in d["hosts"]}) == 1' hosts --assume all=canary
json 'd["emulators"][0]["version"] == "10.0.0" and d["host"]["name"] == "old"' show old --assume old=canary
json 'd["same_class"]' diff old canary --assume old=canary
json 'd["baselines"][0]["machines"] == ["pc-q35-10.0", "pc-q35-7.2"]' baseline --assume cluster=c1=canary
cat >"$scratch/p.json" <<'END'
{"format": "capbroker.profile/1", "host": {"name": "elsewhere", "arch": "x86_64"},
 "probe": {"sources": [{"name": "kvm", "state": "ok", "complete": true, "view": "kvm"}]},
 "facts": [{"id": "cpu.avx", "value": true, "state": "known", "scope": {"view": "kvm"}, "origin": "x"}]}
END
json 'd["host"]["name"] == "old" and [f["id"] for f in d["facts"]] == ["cpu.avx"]' \
	-v show old --assume "old=$scratch/p.json"
cp "$scratch/p.json" "$scratch/q=r.json"
refused 'names no host' show old --assume "old=$scratch/q=r.json"

# Given and taken: by libvirt's name or the dictionary's id, in every view that knows it.
json 'd["verdicts"][0]["start"] == "block" and d["verdicts"][0]["cpu"]["missing"].count("avx") == 1' \
	check "$scratch/avx.xml" --to old
for cap in avx cpu.avx; do
	json '"avx" not in d["verdicts"][0]["cpu"]["missing"]' \
		check "$scratch/avx.xml" --to old --assume "old=+$cap"
	json '"avx" in d["verdicts"][0]["cpu"]["missing"]' \
		check "$scratch/avx.xml" --to canary --assume "canary=-$cap"
done
json '"avx" not in d["baselines"][0]["cpu"]["features"]' baseline
json '"avx" in d["baselines"][0]["cpu"]["features"]' baseline --assume cluster=c1=+avx
json '"cx16" not in d["baselines"][0]["cpu"]["features"]' baseline --assume all=-cx16
json '[h["class"] for h in d["hosts"]].count(d["hosts"][1]["class"]) == 2' hosts --assume cluster=c1=+avx
json 'd["hosts"]["have"] == ["canary", "old", "old2"]' explain avx --assume all=+avx
# one after the other: like the canary that lost what it had
json '"avx" not in d["baselines"][0]["cpu"]["features"]' baseline --assume canary=-avx --assume all=canary
json '"avx" in d["baselines"][0]["cpu"]["features"]' baseline --assume all=canary --assume old=+avx

# Guests are asked about as they are.
domain "$scratch/run.xml" run 03 pc-q35-7.2 "id='1'" ""
expect 0 import --host old "$scratch/run.xml"
json '[v["host"] for v in d["verdicts"]] == ["canary", "old2"]' check run --to all --assume old=gone
json 'len(d["classes"]) == 1 and d["assumed"] == ["all=canary"]' matrix --assume all=canary

# Text says it first; what other programs read says it in a comment.
expect 0 baseline --assume old=gone
shows '^assumed  old=gone$'
[ "$(head -n 1 "$scratch/out")" = 'assumed  old=gone' ] || fail "assumed isn't said first"
expect 0 baseline --format qemu --assume old=gone
grep -q '^# assumed: old=gone$' "$scratch/out" || fail "no comment in arguments"
expect 0 baseline --format libvirt --assume old=gone
grep -q '^<!-- assumed: old=gone -->$' "$scratch/out" || fail "no comment in XML"

# Nothing is stored, and no nonsense is believed.
json 'len(d["hosts"]) == 3' hosts
for bad in x =gone x=gone old= old=+ old=-; do
	refused "--assume $bad: " hosts --assume "$bad"
done
refused "no capability is called 'frob'" hosts --assume old=+frob
refused 'cpu.phys-bits is a uint' hosts --assume old=+cpu.phys-bits
refused "'nobody' is neither" hosts --assume old=nobody
refused 'not a profile' hosts --assume "old=$scratch/avx.xml"
head -c 40 "$scratch/p.json" >"$scratch/cut.json"
refused 'cut.json' hosts --assume "old=$scratch/cut.json"
refused 'No such file' hosts --assume old=/nonexistent/profile.json
for command in "import $scratch/old" probe 'forget old'; do
	refused '--assume: ' --assume old=gone $command
done
refused 'no such database' --db "$scratch/none.db" explain avx --assume old=gone

finish
