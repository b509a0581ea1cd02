#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Machine types of distributions: the same name in another vendor's QEMU; aliases at the source; what
# deprecates them; and a QEMU newer than all that is known, judged by what it says itself.
. "$top_srcdir/tests/cli-fixture.sh"

# package FOLDER NAME: what query-version calls it there.
package()
{
	sed -i "s/\"package\": \"[^\"]*\"/\"package\": \"$2\"/" \
		"$1/qmp-kvm-none-query-version.json"
}

# machine FOLDER NAME MEMBERS: a machine type there gets JSON members; null takes one away.
machine()
{
	"$PYTHON" - "$@" <<-'END'
	import json, sys
	path = sys.argv[1] + "/qmp-kvm-none-query-machines.json"
	with open(path) as f:
	    reply = json.load(f)
	for machine in reply["return"]:
	    if machine["name"] == sys.argv[2]:
	        machine.update(json.loads(sys.argv[3]))
	        for key in [key for key, value in machine.items() if value is None]:
	            del machine[key]
	with open(path, "w") as f:
	    json.dump(reply, f)
	END
}

types='pc-q35-8.2 pc-q35-noble pc-i440fx-wily'
qemu_host "$scratch/deb" 10.0.13 "$types" 'fpu lm cx16'
package "$scratch/deb" 'Debian 1:10.0.13+ds-0+deb13u1'
qemu_host "$scratch/deb2" 8.2.4 "$types" 'fpu lm cx16'
package "$scratch/deb2" 'Debian 1:8.2.4+ds-1'
qemu_host "$scratch/ubu" 8.2.2 "$types" 'fpu lm cx16'
package "$scratch/ubu" 'Debian 1:8.2.2+ds-0ubuntu1.16'
qemu_host "$scratch/ubu2" 10.1.0 "$types" 'fpu lm cx16'
package "$scratch/ubu2" 'Debian 1:10.1.0+ds-5ubuntu2'
qemu_host "$scratch/own" 9.1.0 "$types" 'fpu lm cx16'
qemu_host "$scratch/odd" 9.1.0 "$types" 'fpu lm cx16'
package "$scratch/odd" 'Frobnix 9.1-3'
for host in deb deb2 ubu ubu2 own odd; do
	expect 0 import "$scratch/$host"
done

# verdict NAME FROM TO VERDICT [WORDS]: the verdict on the move, of machine-same alone, and its text.
verdict()
{
	domain "$scratch/$1.xml" "$1" 01 "$1" "id='1'" ""
	json "{f['check'] for v in d['verdicts'] for f in v['findings']} <= {'machine-same', 'qemu-version'}
	      and [f['verdict'] for v in d['verdicts'] for f in v['findings']
	           if f['check'] == 'machine-same'] == [v for v in ['$4'] if v != 'ok']
	      and '${5:-}' in str(d['verdicts'][0]['findings'])
	      and d['verdicts'][0]['start'] == 'ok'" check "$scratch/$1.xml" --from "$2" --to "$3"
}

verdict pc-q35-8.2 deb deb2 ok
verdict pc-q35-8.2 deb own ok
verdict pc-q35-8.2 deb ubu warn 'debian'
verdict pc-q35-8.2 ubu deb warn "isn\\'t known"
verdict pc-q35-8.2 ubu ubu2 ok
verdict pc-q35-8.2 deb odd ok
verdict pc-q35-noble ubu ubu2 ok
verdict pc-q35-noble ubu deb warn
verdict pc-i440fx-wily ubu ubu2 warn 'a mix of'
verdict pc-i440fx-wily ubu ubu ok
expect 0 check "$scratch/pc-q35-8.2.xml" --from deb --to ubu
shows '^warn +machine-same +HAZARD' 'ubuntu'
expect 0 explain machine-same
shows 'vendor'

# Proxmox's QEMU takes types that it doesn't list; others don't.
qemu_host "$scratch/pve" 9.1.0 'pc-q35-9.1' 'fpu lm cx16'
package "$scratch/pve" 'pve-qemu-kvm_9.1.0-3'
expect 0 import "$scratch/pve"
domain "$scratch/pve.xml" pve 05 pc-q35-9.1+pve0 "" ""
json 'd["verdicts"][0]["start"] == "ok"' check "$scratch/pve.xml" --to pve
json 'd["verdicts"][0]["start"] == "block"' check "$scratch/pve.xml" --to own

# An alias is what the source made of it.
qemu_host "$scratch/new" 11.1.0 'pc-q35-11.1 pc-q35-9.1' 'fpu lm cx16'
machine "$scratch/new" pc-q35-11.1 '{"alias": "q35"}'
qemu_host "$scratch/mid" 9.1.0 'pc-q35-9.1' 'fpu lm cx16'
machine "$scratch/mid" pc-q35-9.1 '{"alias": "q35"}'
expect 0 import "$scratch/new"
expect 0 import "$scratch/mid"
domain "$scratch/q35.xml" q35 02 q35 "" ""
json 'd["verdicts"][0]["migrate"] == "block" and d["verdicts"][0]["start"] == "ok"
      and "pc-q35-11.1 at the source" in str(d["verdicts"][0]["findings"])' \
	check "$scratch/q35.xml" --from new --to mid
json 'd["verdicts"][0]["migrate"] == "ok"' check "$scratch/q35.xml" --from mid --to new

# QEMU's own word comes first; where it says nothing, upstream's clock for upstream's names.
qemu_host "$scratch/aged" 10.0.0 'pc-q35-6.1 pc-q35-6.0 pc-q35-7.2 pc-q35-rhel8.6.0' 'fpu lm cx16'
machine "$scratch/aged" pc-q35-6.0 '{"deprecated": null}'
machine "$scratch/aged" pc-q35-7.2 '{"deprecated": null}'
machine "$scratch/aged" pc-q35-rhel8.6.0 '{"deprecated": true}'
expect 0 import "$scratch/aged"
for case in "pc-q35-6.1 None" "pc-q35-6.0 clock" "pc-q35-7.2 None" "pc-q35-rhel8.6.0 QEMU"; do
	set -- $case
	domain "$scratch/aged.xml" aged 03 "$1" "" ""
	json "['$2' in f['text'] for v in d['verdicts'] for f in v['findings']
	       if f['check'] == 'machine-deprecated'] == [True][:'$2' != 'None']" \
		check "$scratch/aged.xml" --to aged
done

# A QEMU of a version to come: its own word on machine types, features and models is believed.
all='apic clflush cmov cx16 cx8 de fpu fxsr lm mca mce mmx msr mtrr nx pae pat pge pse pse36 sep
	sse sse2 sse3 syscall tsc'
qemu_host "$scratch/far" 99.0.0 'pc-q35-99.0 pc-q35-11.1' "$all frobnicate"
package "$scratch/far" 'Debian 1:99.0+ds-1'
machine "$scratch/far" pc-q35-99.0 '{"alias": "q35"}'
machine "$scratch/far" pc-q35-11.1 '{"deprecated": true}'
expect 0 import "$scratch/far"
feature()
{
	printf '<cpu mode="custom" match="exact" check="partial"><model fallback="forbid">qemu64</model>'
	printf '<feature policy="disable" name="svm"/><feature policy="require" name="%s"/></cpu>' "$1"
}
domain "$scratch/f.xml" f 04 pc-q35-99.0 "" ""
json 'd["verdicts"][0]["start"] == "ok" and not d["verdicts"][0]["findings"]' check "$scratch/f.xml" --to far
domain "$scratch/f.xml" f 04 pc-q35-11.1 "" ""
json '[f["check"] for f in d["verdicts"][0]["findings"]] == ["machine-deprecated"]' check "$scratch/f.xml" --to far
domain "$scratch/f.xml" f 04 pc-q35-7.2 "" ""
json 'd["verdicts"][0]["start"] == "block"' check "$scratch/f.xml" --to far
domain "$scratch/f.xml" f 04 pc-q35-99.1 "" ""
json 'd["verdicts"][0]["start"] == "block" and "upgrade QEMU" in str(d)' check "$scratch/f.xml" --to far
# wanted START FEATURE: the verdict on a guest that requires it.
wanted()
{
	domain "$scratch/f.xml" f 04 pc-q35-99.0 "" "$(feature "$2")"
	json "d['verdicts'][0]['start'] == '$1'" check "$scratch/f.xml" --to far
}
wanted ok cx16
wanted ok frobnicate
wanted block avx512f
wanted block nonsense

# Which names a libvirt to come knows isn't known: nothing is held against those that QEMU has.
echo 'Using library: libvirt 99.0.0' >"$scratch/far/virsh-version.txt"
expect 0 import "$scratch/far"
wanted ok cx16
wanted ok frobnicate
wanted block avx512f

finish
