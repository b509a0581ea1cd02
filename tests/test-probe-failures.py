# SPDX-License-Identifier: LGPL-2.1-or-later
"""A QEMU or a libvirt that hangs, crashes or talks nonsense costs only itself, within --timeout."""

import os
import socket
import subprocess
import threading
import time

from probe_fixture import (PROBE, VALGRIND, check, done, facts, profile, refused, scratch, seconds,
                           sources, timeless, write)

# How long what hangs would; no other process has this argument.
LONG = f"1000.{os.getpid()}"

# Failures put in the place of a QEMU: what each does, and the source's state.
QUICK = {
    "garbage": (f"echo hello; sleep {LONG}", "failed"),
    "crashes": ("kill -SEGV $$", "failed"),
    "ends": ("exit 0", "failed"),
    "refuses": ("echo no such thing >&2; exit 1", "failed"),
    "endless-line": ("exec tr '\\0' x </dev/zero", "failed"),
    "deep": (f"head -c 200000 /dev/zero | tr '\\0' '['; echo; sleep {LONG}", "failed"),
}
HANGING = {
    "hangs": (f"sleep {LONG}; true", "timed-out"),
    "hangs-after-greeting": (f"echo '{{\"QMP\": {{}}}}'; sleep {LONG}", "timed-out"),
    "shouts": ("exec yes >&2", "timed-out"),
}


def processes(marker):
    """Ids of processes whose command line has the marker."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if marker.encode() in file.read():
                    found.append(int(pid))
        except OSError:
            pass
    return found


def bad_emulator(folder, name, body):
    path = write(folder, name, f"#!/bin/sh\n{body}\n")
    os.chmod(path, 0o755)
    return path


def bad_emulators(folder, bad, timeout):
    paths = {name: bad_emulator(folder, name, body) for name, (body, _) in bad.items()}
    options = [o for path in paths.values() for o in ("--emulator", path)]
    recording = os.path.join(folder, "recording-" + "-".join(bad))
    start = time.monotonic()
    live, document = profile("--only", "qemu", "--timeout", seconds(timeout), "--record", recording,
                             *options)
    check(time.monotonic() - start < int(seconds(timeout)) + 30, f"--timeout {timeout} is not kept")
    for name, path in paths.items():
        source = sources(document)["qemu:" + path]
        check(source["state"] == bad[name][1],
              f"{name}: {source['state']} ({source.get('reason')})")
        check(source["reason"], f"{name}: no reason")
    check(facts(document, "kernel"), "a bad QEMU costs the kernel's facts")
    check(not processes(folder + "/") and not processes(LONG),
          f"processes of {list(bad)} are left over")
    replayed, _ = profile("--replay", recording)
    check(timeless(live) == timeless(replayed), f"the replay of {list(bad)} differs")
    return document, paths


def quick_failures(folder):
    document, paths = bad_emulators(folder, QUICK, 10)
    check("no such thing" in sources(document)["qemu:" + paths["refuses"]]["reason"],
          "QEMU's own words are not told")


def hanging(folder):
    for name, how in HANGING.items():
        bad_emulators(folder, {name: how}, 3)


def aborts_over_devices(folder):
    """A QEMU whose modules don't fit it aborts when it is asked for devices: the rest stands."""
    path = bad_emulator(folder, "half", r"""echo '{"QMP": {}}'
while line=$(dd bs=65536 count=1 2>/dev/null) && [ -n "$line" ]; do
	case $line in
	*qom-list-types*) kill -ABRT $$ ;;
	*query-version*) echo '{"return": {"qemu": {"major": 7, "minor": 2, "micro": 1}}}' ;;
	*query-machines*) echo '{"return": []}' ;;
	*) echo '{"return": {}}' ;;
	esac
done""")
    _, document = profile("--only", "qemu", "--timeout", seconds(5), "--emulator", path)
    source = sources(document)["qemu:" + path]
    check(source["state"] == "partial" and "devices" in source["reason"],
          f"{source['state']}: {source.get('reason')}")
    entries = [e for e in document["emulators"] if e["path"] == path]
    check(entries and all(e["version"] == "7.2.1" for e in entries), "the version is lost")
    check(not any("devices_complete" in e for e in entries), "devices are known")


def not_executable(folder):
    path = write(folder, "noexec", "#!/bin/sh\n")
    _, document = profile("--only", "qemu", "--timeout", seconds(3), "--emulator", path)
    check("qemu:" + path not in sources(document), "a file that isn't executable is asked")
    if VALGRIND: # which ends a process whose execve() fails, and calls that an error
        print("left out under valgrind: a program whose interpreter is not there")
        return
    os.chmod(write(folder, "nointerpreter", "#!/nonexistent\n"), 0o755)
    path = os.path.join(folder, "nointerpreter")
    _, document = profile("--only", "qemu", "--timeout", seconds(3), "--emulator", path)
    check(sources(document)["qemu:" + path]["state"] == "failed", "a program that can't be run")


def dies_with_parent(folder):
    """A probe that is killed leaves no QEMU behind."""
    path = bad_emulator(folder, "outlives", f"exec sleep {LONG}")
    os.rename(path, path + "-1")
    path += "-1"
    with subprocess.Popen([PROBE, "--only", "qemu", "--timeout", "60", "--emulator", path],
                          stdout=subprocess.DEVNULL, start_new_session=True) as running:
        for _ in range(600):
            if any(is_sleep(pid) for pid in children_of(running.pid)):
                break
            time.sleep(0.05)
        family = [pid for pid in children_of(running.pid) if pid != running.pid]
        check(any(is_sleep(pid) for pid in family), "the bad QEMU was not started")
        running.kill()
        running.wait()
    for _ in range(100):
        left = [pid for pid in family if is_sleep(pid)]
        if not left:
            return
        time.sleep(0.05)
    check(False, f"processes outlive the probe: {left}")


def children_of(pid):
    """A process's descendants."""
    found = []
    for task in (pid,):
        try:
            with open(f"/proc/{task}/task/{task}/children", encoding="ascii") as file:
                own = [int(child) for child in file.read().split()]
        except OSError:
            own = []
        for child in own:
            found += [child] + children_of(child)
    return found


def is_sleep(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().split(b"\0")[:2] == [b"sleep", LONG.encode()]
    except OSError:
        return False


def libvirt(folder):
    """One that takes connections and never says a word; one that isn't there."""
    path = os.path.join(folder, "silent-socket")
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(8)
    taken = []

    def accept():
        try:
            while True:
                taken.append(server.accept())
        except OSError:
            pass

    threading.Thread(target=accept, daemon=True).start()
    start = time.monotonic()
    line = refused("--timeout", seconds(3), "--connect", f"qemu+unix:///system?socket={path}")
    check("built without libvirt" in line or taken, "the silent libvirt was not asked")
    check(time.monotonic() - start < 60, "a silent libvirt holds the probe up")
    server.close()
    line = refused("--connect", f"qemu+unix:///system?socket={folder}/nonexistent")
    check("nonexistent" in line, f"which libvirt is not there: {line}")


with scratch() as place:
    for test in (quick_failures, hanging, aborts_over_devices, not_executable, dies_with_parent, libvirt):
        sub = os.path.join(place, test.__name__)
        os.mkdir(sub)
        test(sub)
done()
