#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Where a guest could go from where it moves to: onward_hosts, back, islands, and a warning (move-onward)
# where it gets there and can't leave.
. "$top_srcdir/tests/cli-fixture.sh"

# QEMU 11.1 takes the state of this controller from 10.0, and no older one takes it from there.
esp="<controller type='scsi' index='0' model='am53c974'/>"
qemu_host "$scratch/old1" 10.0.13 'pc-q35-7.2' 'fpu lm cx16'
qemu_host "$scratch/old2" 10.0.13 'pc-q35-7.2' 'fpu lm cx16'
qemu_host "$scratch/trap" 11.1.3 'pc-q35-7.2' 'fpu lm cx16'
expect 0 import --cluster c "$scratch/old1" "$scratch/old2" "$scratch/trap"
domain "$scratch/esp.xml" esp 01 pc-q35-7.2 "id='1'" ""
sed -i "s|</emulator>|</emulator>$esp|" "$scratch/esp.xml"
domain "$scratch/plain.xml" plain 02 pc-q35-7.2 "id='2'" ""
expect 0 import --host old1 "$scratch/esp.xml" "$scratch/plain.xml"

# From each target all but itself would take it, also the one it comes from, whose QEMU is older than one's.
json '[(v["host"], v["migrate"], v["onward_hosts"], v["back"]) for v in d["verdicts"]]
      == [("old2", "ok", 2, "ok"), ("trap", "ok", 2, "warn")]
      and not any(v["findings"] for v in d["verdicts"])' check plain
expect 0 check plain --to trap
shows 'onward +2 other hosts would take it from there, old1 again among them'

# It gets there, and nowhere from there.
json '[(v["host"], v["migrate"], v["onward_hosts"], v["back"]) for v in d["verdicts"]]
      == [("old2", "ok", 2, "ok"), ("trap", "warn", 0, "block")]
      and [(f["check"], f["verdict"], f["effect"], f["start"], f["migrate"])
           for f in d["verdicts"][1]["findings"]] == [("move-onward", "warn", "trapped", False, True)]
      and ["move-onward" in c["passed"] for c in d["classes"]] == [True, False]' check esp
[ "$status" = 0 ] || fail "a move that warns has the exit status $status"
expect 0 check esp --to trap
shows 'live old1 -> trap: warn' "move-onward +gets there, can't come back" \
	'onward +0 other hosts would take it from there, not old1 \(block\)'
# A second one like it, and it is a trap no more.
json '[(v["host"], v["migrate"], v["onward_hosts"], v["back"]) for v in d["verdicts"]]
      == [("old2", "ok", 1, "block"), ("trap", "ok", 1, "block")]' check esp --to old2 trap --assume old2=trap
# No other host at all: nothing to be trapped by.
json 'd["verdicts"][0]["onward_hosts"] == 0 and d["verdicts"][0]["findings"] == []' \
	check "$scratch/esp.xml" --from old1 --to old1 --assume trap=gone --assume old2=gone
# What isn't known is said so, and isn't yes.
cpu "$scratch/bare.xml"
expect 0 --db "$scratch/bare.db" import "$scratch/old1" "$scratch/trap" "$scratch/bare.xml"
json '[(v["host"], v["migrate"], v["onward_hosts"]) for v in d["verdicts"]] == [("trap", "warn", 0)]
      and "of 1 it isn" in d["verdicts"][0]["findings"][0]["text"]' \
	--db "$scratch/bare.db" check "$scratch/esp.xml" --from old1 --to trap
# Where it can't go, nothing goes on from.
json '[(v["host"], v["migrate"], v["onward_hosts"], v["back"]) for v in d["verdicts"]]
      == [("old1", "block", 0, None)]' check "$scratch/esp.xml" --from trap --to old1
# Where it is it was before: that is no move to be warned of.
expect 0 check "$scratch/esp.xml" --from trap --to all
shows '^ok +.* 1 +0 trap' '^BLOCK +.* 2 +- old1-2'
# A start asks how many others it could start on, as before.
json '[(v["onward_hosts"], "back" in v) for v in d["verdicts"]] == [(2, False)] * 3
      and not any("move-onward" in c["passed"] for c in d["classes"])' \
	check "$scratch/esp.xml" --to all
# What its host decided when it started goes with it: host-model, a machine type's alias.
qemu_host "$scratch/more" 10.0.13 'pc-q35-7.2' 'fpu lm cx16 avx'
expect 0 import "$scratch/more"
domain "$scratch/model.xml" model 03 pc-q35-7.2 "" "<cpu mode='host-model'/>"
json '[(v["host"], v["migrate"], v["back"]) for v in d["verdicts"]] == [("more", "ok", "ok")]
      and d["verdicts"][0]["onward_hosts"] == 3' check "$scratch/model.xml" --from old1 --to more

# The matrix names the classes that a group gets to and can't leave.
json '[(g["guests"], [h for c in d["classes"] if c["id"] in g["islands"] for h in c["hosts"]])
       for g in d["guest_groups"]] == [(["esp"], ["trap"]), (["plain"], [])]' matrix
expect 0 matrix
shows 'gets there, and no host would take it from there \(islands\)' '^  esp +[0-9a-f]{8}$'

finish
