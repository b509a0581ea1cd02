# SPDX-License-Identifier: LGPL-2.1-or-later
# cli-fixture.sh: what the tests of capbroker's command line share. Sourced; makes a scratch
# folder with hosts and guests of its own, and a database's name there.
set -u

scratch=$(mktemp -d "${TMPDIR:-/tmp}/capbroker-cli-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
CAPBROKER_DB=$scratch/fleet.db
export CAPBROKER_DB
unset XDG_STATE_HOME
failed=0

if [ "${PYTHON:-:}" = : ] || ! "$PYTHON" -c '' 2>/dev/null; then
	echo "no Python that runs to look at answers with (install python3)"
	exit 77
fi

fail()
{
	echo "FAIL: $*"
	failed=$((failed + 1))
}

# expect STATUS ARGS…: capbroker ends so; its output is in $scratch/out and err.
expect()
{
	wanted=$1
	shift
	status=0
	capbroker "$@" >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
	[ "$status" = "$wanted" ] && return
	fail "capbroker $*: exit status $status, not $wanted"
	sed 's/^/    /' "$scratch/out" "$scratch/err" | head -n 20
}

# refused WORDS ARGS…: exit status 2, one line on stderr that has the words, nothing on stdout;
# with --json the same error as a document.
refused()
{
	words=$1
	shift
	expect 2 "$@"
	[ ! -s "$scratch/out" ] || fail "capbroker $*: printed something although it failed"
	[ "$(wc -l <"$scratch/err")" = 1 ] ||
		fail "capbroker $*: not one line but: $(cat "$scratch/err")"
	grep -q '^capbroker: [^ ].*: ' "$scratch/err" ||
		fail "capbroker $*: not 'capbroker: WHERE: WHAT': $(cat "$scratch/err")"
	grep -qF -- "$words" "$scratch/err" ||
		fail "capbroker $*: '$words' is not in: $(cat "$scratch/err")"
}

# json EXPRESSION ARGS…: the answer is valid, and the Python expression over `d` is true. The
# exit status is $status afterwards.
json()
{
	expression=$1
	shift
	status=0
	capbroker --json "$@" >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
	"$PYTHON" "$top_srcdir/tests/cli_json.py" "$top_srcdir/schema/answers.schema.json" \
		"$expression" <"$scratch/out" >"$scratch/why" 2>&1
	case $? in
	0) ;;
	77)
		cat "$scratch/why"
		exit 77
		;;
	*)
		fail "capbroker --json $*: $(cat "$scratch/why" "$scratch/err")"
		;;
	esac
}

# shows PATTERN…: each pattern (grep -E) is in the last output, which fits into 80 columns.
shows()
{
	for pattern in "$@"; do
		grep -qE -- "$pattern" "$scratch/out" && continue
		fail "nothing matches '$pattern' in:"
		sed 's/^/    /' "$scratch/out"
	done
	if LC_ALL=C.UTF-8 grep -qE '^.{81}' "$scratch/out"; then
		fail "wider than 80 columns: $(LC_ALL=C.UTF-8 grep -E '^.{81}' "$scratch/out" | head -n 1)"
	fi
	if grep -q "$(printf '\033')" "$scratch/out"; then
		fail "colours although nobody's terminal shows it"
	fi
}

finish()
{
	[ "$failed" = 0 ] && exit 0
	echo "$failed failed"
	exit 1
}

# cpu FILE FEATURE…: a host's <cpu> as libvirt's host view.
cpu()
{
	file=$1
	shift
	{
		echo "<cpu><arch>x86_64</arch><model>Penryn</model><vendor>Intel</vendor>"
		for feature in "$@"; do
			echo "<feature name='$feature'/>"
		done
		echo "</cpu>"
	} >"$file"
}

# domain FILE NAME NUMBER MACHINE ATTRIBUTE CPU: a guest, live where ATTRIBUTE is an id.
domain()
{
	cat >"$1" <<-END
	<domain type='kvm' $5>
	  <name>$2</name>
	  <uuid>00000000-0000-4000-8000-0000000000$3</uuid>
	  <memory unit='MiB'>256</memory>
	  <vcpu>2</vcpu>
	  <os><type arch='x86_64' machine='$4'>hvm</type></os>
	  $6
	  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator></devices>
	</domain>
	END
}

# qemu_host DIR VERSION MACHINES FEATURES: what a QEMU host's replies look like, as files. MACHINES
# and FEATURES are separated by blanks; the first machine type is the default.
qemu_host()
{
	mkdir -p "$1"
	"$PYTHON" - "$@" <<-'END'
	import json, sys
	folder, version, machines, features = sys.argv[1:]
	major, minor, micro = map(int, version.split("."))

	def write(name, value):
	    with open(f"{folder}/{name}.json", "w") as f:
	        json.dump({"return": value}, f)

	write("qmp-kvm-none-query-version",
	      {"qemu": {"major": major, "minor": minor, "micro": micro}, "package": ""})
	write("qmp-kvm-none-query-machines",
	      [{"name": m, "cpu-max": 288, "is-default": i == 0, "deprecated": False,
	        "hotpluggable-cpus": True, "numa-mem-supported": True}
	       for i, m in enumerate(machines.split())])
	props = dict.fromkeys(features.split(), True)
	props.update({"vmx": False, "svm": False, "avx512f": "avx512f" in props})
	write("qmp-kvm-none-query-cpu-model-expansion-full-host",
	      {"model": {"name": "host", "props": props}})
	write("qmp-kvm-none-query-cpu-definitions",
	      [{"name": "qemu64", "typename": "qemu64-x86_64-cpu", "static": False,
	        "migration-safe": True, "deprecated": False, "unavailable-features": ["svm"]}])
	END
	cat >"$1/capabilities.xml" <<-END
	<capabilities>
	  <host>
	    <uuid>11111111-0000-4000-8000-$(printf %012d "$(echo "$1" | wc -c)")</uuid>
	    <cpu><arch>x86_64</arch><model>Penryn</model><vendor>Intel</vendor></cpu>
	  </host>
	  <guest>
	    <os_type>hvm</os_type>
	    <arch name='x86_64'>
	      <wordsize>64</wordsize>
	      <emulator>/usr/bin/qemu-system-x86_64</emulator>
	      <domain type='kvm'/>
	    </arch>
	  </guest>
	</capabilities>
	END
}
