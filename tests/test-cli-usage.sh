#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The command line: options before and behind the command, help, wrong usage, where the database
# is looked for.
. "$top_srcdir/tests/cli-fixture.sh"

commands='probe import hosts guests show diff check baseline matrix tradeoff pools policy drain stranded drift allow explain forget hook decision report status token'
cpu "$scratch/h.xml"
expect 0 import "$scratch/h.xml"

expect 0 --version
shows '^capbroker [0-9]+\.[0-9]+\.[0-9]+ \(dictionary [0-9]{4}\.[0-9]+\)$'
expect 0 --help
for command in $commands; do
	grep -q "^  $command " "$scratch/out" || fail "--help doesn't list $command"
done
for command in $commands; do
	expect 0 "$command" --help
	grep -q "capbroker \[OPTION…\] $command" "$scratch/out" || fail "$command --help: $(cat "$scratch/out")"
	refused 'unknown option --later' --later x=y "$command"
	refused 'unknown option --earlier' "$command" --earlier x
done

# Before and behind, with and without "=".
for place in "--db $CAPBROKER_DB --json hosts" "hosts --json --db $CAPBROKER_DB" \
	"--json hosts --db=$CAPBROKER_DB"; do
	# shellcheck disable=SC2086 # a list of words
	(unset CAPBROKER_DB && HOME=$scratch/home capbroker $place) >"$scratch/out" ||
		fail "capbroker $place"
	grep -q '"capbroker.hosts/1"' "$scratch/out" || fail "capbroker $place: $(cat "$scratch/out")"
done

refused 'no command' -v
refused "not a broker's URL" --broker x hosts
refused "not a broker's URL" --broker http://r1n01:80 hosts
refused 'holds a name' --broker https://me:word@r1n01 hosts
refused "isn't asked of a broker" --broker unix:/nowhere import "$scratch/h.xml"
refused "isn't asked of a broker" --broker unix:/nowhere baseline --format libvirt
refused 'is capbrokerd running there' --broker unix:/nowhere hosts
refused 'which broker' status
refused '--role' token create
refused '--host' token create --role agent
refused 'goes without' token create --enrol --role reader
refused 'no such command' frobnicate
refused 'see capbroker --help' --what
refused 'exactly one host' show
refused 'exactly one host' show a b
refused 'exactly two hosts' diff a
refused 'neither a file nor a known guest' guests x
refused 'not expected' guests x y
refused 'goes with one guest' guests --contract
refused 'is expected' allow
refused 'no dialect' hook
refused 'is no hook' hook xen
refused 'four digits' decision
refused 'no duration' report --since never
refused 'not expected' matrix x
refused 'no guest given' check
refused 'follow --to' check "$scratch/h.xml" h
refused 'nothing to import' import
refused 'exactly one check' explain
for format in nova ovirt kubevirt proxmox; do
	refused 'not available in this version' baseline --format $format
done
refused 'is none of' baseline --format yaml
refused 'no share of hosts' baseline --coverage most
refused 'more than all hosts' baseline --coverage 101%
refused 'has no label' baseline --weight-label cores
refused 'no capability is called' tradeoff --pin nothing
refused 'needs a value' tradeoff --forbid qemu.machine --pin iommu.address-bits
refused 'max K is expected' pools
refused 'no number from 1' pools --max 0
refused 'no number from 1' pools --max 2 --min-size many
refused 'none of these hosts has such a label' pools --max 2 --spread rack
refused "'check', and at most one file" policy
refused "'check', and at most one file" policy check a b
refused 'cannot open' --policy "$scratch/none" hosts
refused 'cannot write' tradeoff --svg "$scratch/none/x.svg"
refused 'no host of that name' show nobody

# Without --db and $CAPBROKER_DB: below $XDG_STATE_HOME, else below the home folder.
if [ "$(id -u)" != 0 ]; then
	(
		unset CAPBROKER_DB
		XDG_STATE_HOME=$scratch/state capbroker import "$scratch/h.xml" >/dev/null
		HOME=$scratch/home capbroker import "$scratch/h.xml" >/dev/null
	)
	for place in state home/.local/state; do
		[ -s "$scratch/$place/capbroker/capbroker.db" ] || fail "no database below $place"
	done
else
	echo "the default place of the database: not tried as root"
fi

# Data files that are not there.
CAPBROKER_DATADIR=$scratch/nothing
export CAPBROKER_DATADIR
refused 'cpu-models.tsv' hosts

finish
