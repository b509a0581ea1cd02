# SPDX-License-Identifier: LGPL-2.1-or-later
"""What tests of capbroker's hook share: a database with a source and this host, calls as libvirt makes
them, and what was recorded."""

import os
import sqlite3
import subprocess

from hosts_fixture import HOSTS, Capbroker

UUID = "5e0f0000-1000-4000-8000-0000000000aa"
HERE, SOURCE = "here", "src"


def guest(more="", machine="pc-q35-7.2", metadata="", name="lab", uuid=UUID, attributes="id='7'"):
    return (f"<domain type='qemu' {attributes}><name>{name}</name><uuid>{uuid}</uuid>{metadata}"
            f"<memory unit='MiB'>256</memory><vcpu>1</vcpu>"
            f"<os><type arch='x86_64' machine='{machine}'>hvm</type></os>"
            f"<features><acpi/><apic/></features>{more if more.startswith('<cpu') else ''}"
            f"<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>"
            f"{'' if more.startswith('<cpu') else more}</devices></domain>")


FROM_SOURCE = ("<metadata><capbroker:contract xmlns:capbroker='urn:capbroker:contract:1' "
               f"host='{SOURCE}'/></metadata>")
FINE = guest()
# QEMU's CPU of everything differs between the two hosts, and nobody compares it
SILENT = guest("<cpu mode='maximum'/>", metadata=FROM_SOURCE)
REMOVED = guest(machine="pc-q35-99.0")
VIOMMU = guest("<iommu model='intel'><driver intremap='off' caching_mode='on'/></iommu>")


class Hook(Capbroker):
    """The program with a policy, on a database with two hosts."""

    def __enter__(self):
        self.policy()
        for name, profile in ((HERE, "lab-debian12"), (SOURCE, "lab-debian13")):
            self.run("import", "--name", name, os.path.join(HOSTS, profile, "profile.json"))
        return self

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def policy(self, mode="report", **keys):
        keys = {"host": HERE, "changed": "trust", "reprobe": "no", "kill-switch": self.path("off"),
                "libvirt-state": self.folder.name, "mode": mode, "limit-ms": 20000,
                **{key.replace("_", "-"): value for key, value in keys.items()}}
        with open(self.path("hook.conf"), "w", encoding="utf-8") as file:
            file.write("[hook]\n" + "".join(f"{key}={value}\n" for key, value in keys.items()))

    def arguments(self, *arguments, dialect="libvirt"):
        return ["capbroker", "--db", self.database, "hook", "--config", self.path("hook.conf"), dialect,
                *arguments]

    def call(self, xml, operation="migrate", sub="begin", extra="-", name="lab", **more):
        """(exit status, stdout, stderr) of a call as libvirt makes it."""
        result = subprocess.run(self.arguments(name, operation, sub, extra), input=xml.encode(),
                                capture_output=True, check=False, timeout=30, **more)
        return result.returncode, result.stdout.decode(), result.stderr.decode()

    def rows(self, sql, *values):
        connection = sqlite3.connect(self.database)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def last(self):
        """(verdict, mode, refused, outcome) of the newest decision."""
        rows = self.rows("SELECT verdict, mode, refused, outcome FROM decision ORDER BY id DESC LIMIT 1")
        return rows[0] if rows else None

    def count(self):
        return self.rows("SELECT count(*) FROM decision")[0][0]
