# SPDX-License-Identifier: LGPL-2.1-or-later
"""nova_functional.py: runs where Nova is installed, by its own functional harness: real API, conductor,
scheduler and placement, computes that only pretend. Whoever runs it answers the lines that begin with @
on standard output by a line on standard input: it knows the broker and its database."""

import os
import sys
import unittest

from nova.tests.functional import integrated_helpers

TALK = os.fdopen(os.dup(1), "w", buffering=1)
REPLIES = os.fdopen(os.dup(0), "r")
HOSTS = ["deb12-a", "deb12-b", "deb13-a", "deb13-b", "sid-a"]


def say(*words):
    TALK.write("@" + " ".join(words) + "\n")
    reply = REPLIES.readline().strip()
    if reply != "done":
        sys.exit(f"{words}: {reply or 'nobody answers'}")


class MovesTest(integrated_helpers.ProviderUsageBaseTestCase):
    compute_driver = "fake.MediumFakeDriver"

    def setUp(self):
        super().setUp()
        for host in HOSTS:
            self._start_compute(host)
        self.flavor = self.api.get_flavors()[0]["id"]
        self.new, self.newest = self.image("pc-q35-10.0"), self.image("pc-q35-11.1")

    def image(self, machine):
        return self.glance.create(None, {
            "name": machine, "created_at": self.glance.timestamp, "updated_at": self.glance.timestamp,
            "deleted_at": None, "deleted": False, "status": "active", "is_public": True, "container_format": "raw",
            "disk_format": "raw", "size": "74185822", "min_ram": 0, "min_disk": 0, "protected": False,
            "visibility": "public", "tags": [], "properties": {"hw_machine_type": machine, "architecture": "x86_64"},
        })["id"]

    def boot(self, expected="ACTIVE", **more):
        return self._create_server(networks="none", flavor_id=self.flavor, expected_state=expected, **more)

    def host_of(self, server):
        return self.admin_api.get_server(server["id"])["OS-EXT-SRV-ATTR:host"]

    def is_told(self, *words):
        """One line of the log has all these words."""
        lines = [line for line in self.stdlog.logger.output.splitlines() if "capbroker: instance" in line]
        self.assertTrue([line for line in lines if all(word in line for word in words)], (words, lines))

    def confirm(self, server):
        self.api.post_server_action(server["id"], {"confirmResize": None})
        self._wait_for_state_change(server, "ACTIVE")

    def guest(self):
        """One that runs at deb13-a, and that the broker knows. Its machine type is too new for Debian 12."""
        server = self.boot(host="deb13-a", image_uuid=self.new)
        self.assertEqual("deb13-a", self.host_of(server))
        say("guest", server["id"], "deb13-a", "pc-q35-10.0")
        return server

    def test_boot_and_rebuild(self):
        server = self.boot(image_uuid=self.new)
        self.assertIn(self.host_of(server), ("deb13-a", "deb13-b", "sid-a"))
        self.is_told(server["id"], "(boot)", "deb12-a", "deb12-b", "machine-present", "pc-q35-10.0")
        failed = self.boot("ERROR", image_uuid=self.new, host="deb12-b")
        self.assertIn("No valid host", failed["fault"]["message"])
        self.is_told(failed["id"], "not to deb12-b:", "pc-q35-10.0")
        old = self.boot(image_uuid=self.new, host="deb13-a")
        self._rebuild_server(old, self.image("pc-q35-9.2"))
        self.assertEqual("deb13-a", self.host_of(old))
        self.api.post_server_action(old["id"], {"rebuild": {"imageRef": self.newest}})
        self._wait_for_server_parameter(old, {"status": "ERROR", "OS-EXT-STS:task_state": None})
        self.is_told(old["id"], "(boot)", "not to deb13-a:", "pc-q35-11.1")

    def test_live_best(self):
        # Debian 13's virtio devices can't go on to sid's QEMU: from there it could go on to three, from Debian 12 to four.
        server = self.boot(host="deb12-a")
        say("guest", server["id"], "deb12-a", "pc-q35-7.2", "virtio")
        service = self.api.get_services(host="sid-a", binary="nova-compute")[0]
        self.api.put_service(service["id"], {"status": "disabled"})
        self._live_migrate(server)
        self.assertEqual("deb12-b", self.host_of(server))

    def test_live_refused(self):
        server = self.guest()
        self._live_migrate(server)
        host = self.host_of(server)
        self.assertIn(host, ("deb13-b", "sid-a"))
        self.is_told(server["id"], "(live)", "deb12-a", "deb12-b", "block", "machine-present", "pc-q35-10.0")
        self.api.post_server_action(server["id"], {"os-migrateLive": {"host": "deb12-a", "block_migration": "auto"}})
        self._wait_for_action_fail_completion(server, "live-migration", "conductor_live_migrate_instance")
        self.assertEqual(host, self.host_of(server))
        self.assertIn("NoValidHost", self.stdlog.logger.output)
        self.is_told(server["id"], "(live)", "not to deb12-a:", "block", "machine-present")

    def test_cold_and_evacuate(self):
        server = self.guest()
        self._migrate_server(server)
        self.assertIn(self.host_of(server), ("deb13-b", "sid-a"))
        self.is_told(server["id"], "(cold)", "deb12-a", "deb12-b", "machine-present")
        self.confirm(server)
        say("guest", server["id"], self.host_of(server), "pc-only-here")
        self.api.post_server_action(server["id"], {"migrate": None})
        self._wait_for_action_fail_completion(server, "migrate", "conductor_migrate_server")
        self.is_told(server["id"], "(cold)", "block", "only-here")
        say("guest", server["id"], self.host_of(server), "pc-q35-10.0")
        gone = self.computes[self.host_of(server)]
        gone.stop()
        service = self.api.get_services(host=gone.host, binary="nova-compute")[0]
        self.api.put_service_force_down(service["id"], True)
        self._evacuate_server(server, expected_state=os.environ["EVACUATED"])
        self.assertIn(self.host_of(server), {"deb13-a", "deb13-b", "sid-a"} - {gone.host})
        self.is_told(server["id"], "(evacuate)", "deb12-a", "machine-present")

    def test_broker_down(self):
        server = self.guest()
        say("down")
        self.flags(on_failure="open", group="capbroker")
        self._live_migrate(server)
        self.assertNotEqual("deb13-a", self.host_of(server))
        self.assertIn("all hosts pass (on_failure=open)", self.stdlog.logger.output)
        self.flags(on_failure="closed", group="capbroker")
        failed = self.boot("ERROR")
        self.assertIn("No valid host", failed["fault"]["message"])
        self.assertIn("no host passes (on_failure=closed)", self.stdlog.logger.output)
        say("up")
        self.boot(image_uuid=self.new)


def settings():
    """Before the services of a test read their configuration."""
    import nova.conf
    from capbroker_nova import config
    conf = nova.conf.CONF
    config.register(conf)
    conf.set_default("url", os.environ["CAPBROKER_URL"], group="capbroker")
    conf.set_default("virt_type", "qemu", group="capbroker")
    conf.set_default("available_filters", ["nova.scheduler.filters.all_filters", "capbroker_nova.filter.CapbrokerFilter"],
                     group="filter_scheduler")
    conf.set_default("enabled_filters", list(conf.filter_scheduler.enabled_filters) + ["CapbrokerFilter"],
                     group="filter_scheduler")
    conf.set_default("weight_classes", ["nova.scheduler.weights.all_weighers", "capbroker_nova.weigher.CapbrokerWeigher"],
                     group="filter_scheduler")


if __name__ == "__main__":
    from nova.tests.fixtures import conf as conf_fixture
    set_up = conf_fixture.ConfFixture.setUp

    def with_ours(fixture):
        set_up(fixture)
        settings()
    conf_fixture.ConfFixture.setUp = with_ours
    unittest.main(verbosity=2)
