#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# libvirt's hook as it is installed: where it is put, what of others it leaves alone, and that the
# script ends by policy whatever becomes of the program.
set -u

built=${top_builddir:?is set by ./run}/integrations/libvirt-hook
source=$top_srcdir/integrations/libvirt-hook
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
hooks=$scratch/hooks conf=$scratch/etc/hook.conf
failed=0

fail()
{
	echo "FAIL: $*"
	failed=1
}

setup()
{
	sh "$built/hook-install" --hooks "$hooks" --config "$conf" --script "$built/capbroker-hook" \
		--example "$source/hook.conf.example" "$@" >"$scratch/out" 2>&1
}

# ends STATUS ARGS…: the script, called as libvirt does, ends so and prints nothing
ends()
{
	wanted=$1
	shift
	status=0
	CAPBROKER=$program CAPBROKER_HOOK_CONFIG=$conf "$built/capbroker-hook" "$@" >"$scratch/out" \
		2>"$scratch/err" </dev/null || status=$?
	[ "$status" = "$wanted" ] || fail "$program, $*: $status, not $wanted: $(cat "$scratch/err")"
	[ ! -s "$scratch/out" ] || fail "$program, $*: wrote to standard output"
}

# --- where it is put
mkdir -p "$hooks/qemu.d"
setup || fail "install: $(cat "$scratch/out")"
[ -L "$hooks/qemu.d/capbroker" ] && [ ! -e "$hooks/qemu" ] || fail "not in qemu.d alone"
grep -q '^mode=report$' "$conf" || fail "the policy isn't report-only"
echo "mode=enforce" >"$conf"
setup || fail "a second time: $(cat "$scratch/out")"
grep -q '^mode=enforce$' "$conf" || fail "a policy that was there was replaced"
setup --remove && [ ! -e "$hooks/qemu.d/capbroker" ] || fail "not removed"
echo "somebody's" >"$hooks/qemu.d/capbroker"
setup && fail "another hook was no reason to stop"
setup --remove
grep -q "somebody's" "$hooks/qemu.d/capbroker" || fail "somebody else's hook is gone"
rm -r "$hooks"

mkdir -p "$scratch/bin" "$hooks"
printf '#!/bin/sh\necho "libvirtd (libvirt) 6.0.0"\n' >"$scratch/bin/libvirtd"
chmod +x "$scratch/bin/libvirtd"
PATH=$scratch/bin:$PATH setup && [ -L "$hooks/qemu" ] || fail "an older libvirt: $(cat "$scratch/out")"
rm "$hooks/qemu"

# --- the policy of the example says what is usual anyway, in words that the program understands
program=$(command -v capbroker)
cp "$source/hook.conf.example" "$conf"
sed -i "s|^# database=.*|database=$scratch/none.db|; s|/run/capbroker|$scratch|" "$conf"
ends 0 web migrate begin -
grep -q 'definition:' "$scratch/err" || fail "not judged by the example's policy: $(cat "$scratch/err")"

# --- however the program ends
for way in 'exit 0:0:0' 'exit 1:1:1' 'exit 2:0:1' 'kill -9 $$:0:1' 'exit 127:0:1'; do
	program=$scratch/program
	printf '#!/bin/sh\necho noise\n%s\n' "${way%%:*}" >"$program"
	chmod +x "$program"
	rest=${way#*:}
	printf '[hook]\nmode=enforce\nkill-switch=%s/off\n' "$scratch" >"$conf"
	ends "${rest%:*}" web migrate begin -
	printf '[hook]\nmode = enforce\nfailure = refuse\nkill-switch=%s/off\n' "$scratch" >"$conf"
	ends "${rest#*:}" web migrate begin -
	[ "${rest%:*}" = 1 ] || ends 0 web stopped end -
	[ "${rest%:*}" = 1 ] && continue
	touch "$scratch/off"
	ends 0 web migrate begin -
	rm "$scratch/off"
done
program=$scratch/not-there
ends 1 web migrate begin -
printf '[hook]\nmode=report\nfailure=refuse\n' >"$conf"
ends 0 web migrate begin -
exit "$failed"
