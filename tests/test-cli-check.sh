#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# check: the question asked, the targets, what is said of each, and the exit status.
. "$top_srcdir/tests/cli-fixture.sh"

qemu_host "$scratch/new" 10.0.2 'pc-q35-10.0 pc-q35-7.2' 'fpu lm cmov avx avx512f'
qemu_host "$scratch/new2" 10.0.2 'pc-q35-10.0 pc-q35-7.2' 'fpu lm cmov avx avx512f'
qemu_host "$scratch/old" 7.2.0 'pc-q35-7.2' 'fpu lm cmov avx'
expect 0 import --cluster one "$scratch/new" "$scratch/new2"
expect 0 import --cluster two "$scratch/old"
cpu "$scratch/bare.xml"
domain "$scratch/plain.xml" plain 01 pc-q35-7.2 "" ""
domain "$scratch/late.xml" late 02 pc-q35-10.0 "" ""
domain "$scratch/wide.xml" wide 03 pc-q35-7.2 "" \
	"<cpu mode='custom' match='exact' check='full'><model fallback='forbid'>qemu64</model><feature policy='disable' name='svm'/><feature policy='require' name='avx512f'/></cpu>"
domain "$scratch/live.xml" live 04 pc-q35-10.0 "id='7'" ""

# A file asks for a start; each host is answered for itself.
json 'd["question"] == "start" and d["from"] is None and d["guest"]["name"] == "late"
      and {v["host"]: v["start"] for v in d["verdicts"]}["old"] == "block"
      and {v["host"]: v["start"] for v in d["verdicts"]}["new"] != "block"
      and [v["host"] for v in d["verdicts"]] == ["new", "new2", "old"]' check "$scratch/late.xml"
[ "$status" = 0 ] || fail "check over several hosts, one of which will do: $status"
json 'len(d["verdicts"]) == 1 and d["instead"] == ["new", "new2"]
      and [f for f in d["verdicts"][0]["findings"] if f["verdict"] == "block" and f["fix"]]
      and d["verdicts"][0]["onward_hosts"] == 2' check "$scratch/late.xml" --to old
[ "$status" = 1 ] || fail "check against a host that blocks: $status"
expect 1 check "$scratch/late.xml" --to old
shows '^late: start on old: BLOCK' '^target  old, class' '^BLOCK +[a-z]+-' '^  fix ' \
	'^instead new new2' '^not judged: storage, networks, capacity' '^decision [0-9a-f]{6}'
expect 0 check "$scratch/late.xml" --to all
shows '^late: start on 3 hosts: ' '1 block' '^BLOCK .* old$' ' new new2$'
expect 0 -v check "$scratch/late.xml" --to new
shows '^ok .*[a-z]+-[a-z]+ [a-z]+-'

# Targets: repeated, in a row, by cluster, label and class.
for targets in '--to new --to old' '--to new old' 'cluster=one old --to new'; do
	# shellcheck disable=SC2086 # a list of words
	json '{"new", "old"} <= {v["host"] for v in d["verdicts"]}' check "$scratch/plain.xml" $targets
done
json '[v["host"] for v in d["verdicts"]] == ["new", "new2"]' check "$scratch/plain.xml" --to cluster=one
class=$(capbroker --json hosts old | sed -n 's/.*"class": "\(.*\)".*/\1/p')
json '[v["host"] for v in d["verdicts"]] == ["old"]' check "$scratch/plain.xml" --to "class=$class"

# --from asks for migration; by default to its cluster, and not to itself.
json 'd["question"] == "migrate" and d["from"] == "new"
      and [v["host"] for v in d["verdicts"]] == ["new2"]' check "$scratch/late.xml" --from new
expect 1 check "$scratch/late.xml" --from new --to old
shows '^late: live new -> old: BLOCK +\(cold start there: block\)'

# A known running guest asks for migration, from where it is.
expect 0 import --host new "$scratch/live.xml"
json 'd["question"] == "migrate" and d["from"] == "new" and d["guest"]["running"]
      and [v["host"] for v in d["verdicts"]] == ["new2"]' check live
json 'd["guest"]["name"] == "live"' check 00000000-0000-4000-8000-000000000004
expect 1 check live --to old

# A bare <cpu>: only the CPU is judged. From standard input, too.
echo "<cpu><model>Penryn</model></cpu>" >"$scratch/need.xml"
expect 0 import "$scratch/bare.xml"
json 'd["guest"]["cpu_only"] and d["verdicts"][0]["cpu"]["relation"] == "identical"
      and d["verdicts"][0]["start"] == "ok" and d["verdicts"][0]["cpu"]["missing"] == []' \
	check "$scratch/need.xml" --to bare
echo "<cpu><model>Penryn</model><feature policy='require' name='avx'/></cpu>" |
	capbroker --json check - --to bare >"$scratch/out"
[ $? = 1 ] || fail "check - of a CPU that the host lacks: not 1"
grep -q '"avx"' "$scratch/out" || fail "check -: avx is not missing"

# Unknown is its own answer: a bare <cpu> says nothing of machine types.
expect 3 check "$scratch/plain.xml" --to bare
json 'd["verdicts"][0]["start"] == "unknown"' check "$scratch/plain.xml" --to bare
# One unknown and one block: unknown; with one ok: ok.
expect 3 check "$scratch/late.xml" --to bare old
expect 0 check "$scratch/late.xml" --to bare old new

# What isn't there blocks; the same question gives the same decision, another one another.
json '[f["check"] for f in d["verdicts"][0]["findings"] if f["verdict"] == "block"]
      and "avx512f" in d["verdicts"][0]["cpu"]["missing"]' check "$scratch/wide.xml" --to old
capbroker check "$scratch/plain.xml" --to old | grep ^decision >"$scratch/one"
capbroker check "$scratch/plain.xml" --to old | grep ^decision >"$scratch/two"
capbroker check "$scratch/plain.xml" --to new | grep ^decision >"$scratch/three"
cmp -s "$scratch/one" "$scratch/two" || fail "the same question, another decision"
cmp -s "$scratch/one" "$scratch/three" && fail "another question, the same decision"

refused 'neither a file nor a known guest' check nobody
refused 'names no host' check "$scratch/plain.xml" --to nowhere
refused 'no host of that name' check "$scratch/plain.xml" --from nowhere
refused 'describes a host, not a guest' check "$scratch/new/capabilities.xml"

finish
