#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""capbroker-ovirt-scheduler [--config FILE] [--check-config]: oVirt's external scheduler, asking capbroker.

oVirt's engine asks over XML-RPC which hosts a VM may go to and what each would cost. It names hosts and
VMs by its own ids and waits for a tenth of a second to be connected. Hosts are known to the broker by
the alias that capbroker-ovirt-import gives them; a VM's id is its domain's UUID.

The engine doesn't say whether a VM is to be started or moved. The broker knows which run: the list of
its guests is read in the background, and who isn't known to be off is asked about as for a live move.
"""

import argparse
import configparser
import logging
import os
import sys
import threading
import time
from socketserver import ThreadingMixIn
from xmlrpc.server import SimpleXMLRPCRequestHandler, SimpleXMLRPCServer

from capbroker_client import BrokerError, Client, UnknownGuest

LOG = logging.getLogger("capbroker-ovirt-scheduler")
CONFIG = "/etc/capbroker/ovirt.conf"
FILTER = "capbroker_filter"
SCORE = "capbroker_onward"
DESCRIPTIONS = {
    FILTER: "Hosts that the VM can start on, or move to and live on (capbroker)",
    SCORE: "Prefers hosts that the VM can leave again (capbroker)",
}
BODY_MAX = 4 * 1024 * 1024
NAMES_MAX = 20000
CONNECTIONS = 64
IDLE_S = 10
OK, ERROR = 0, 1

DEFAULTS = {"listen": "127.0.0.1:18781", "broker": "unix:/run/capbroker/broker.sock", "token_file": "", "ca_file": "",
            "timeout": "0.1", "on_failure": "open", "guests_every": "10"}


class ConfigError(Exception):
    pass


def number(settings, key, least, most):
    try:
        value = float(settings[key])
    except ValueError:
        value = -1.0
    if not least <= value <= most:
        raise ConfigError(f"{key}: '{settings[key]}' is no number from {least:g} to {most:g} (see ovirt.conf.example)")
    return value


def read_settings(path, must_exist):
    """The group [scheduler] of a file, over the defaults."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        with open(path, encoding="utf-8") as file:
            parser.read_string(file.read(1024 * 1024), path)
    except FileNotFoundError as error:
        if must_exist:
            raise ConfigError(f"{error.strerror} (write one like ovirt.conf.example)") from error
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        raise ConfigError(f"{' '.join(str(error).split())} (see ovirt.conf.example)") from error
    settings = dict(DEFAULTS)
    if parser.has_section("scheduler"):
        settings.update(parser["scheduler"])
    wrong = [name for name in parser.sections() if name != "scheduler"] + sorted(set(settings) - set(DEFAULTS))
    if wrong:
        raise ConfigError(f"{wrong[0]}: no such group or key (see ovirt.conf.example)")
    settings["timeout"] = number(settings, "timeout", 0.01, 60)
    settings["guests_every"] = number(settings, "guests_every", 1, 3600)
    if settings["on_failure"] not in ("open", "closed"):
        raise ConfigError("on_failure: 'open' or 'closed' is expected (see ovirt.conf.example)")
    host, colon, port = settings["listen"].rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise ConfigError("listen: ADDRESS:PORT is expected (see ovirt.conf.example)")
    settings["listen"] = (host.strip("[]") or "127.0.0.1", int(port))
    return settings


class Off:
    """Which guests the broker knows to be off: read in the background, never while the engine waits."""

    def __init__(self, client, every):
        self.client, self.every = client, every
        self.off = frozenset()

    def read(self):
        answer = self.client.ask("/v1/guests", {})
        running, known = set(), set()
        for guest in answer.get("guests") or []:
            if isinstance(guest, dict) and isinstance(guest.get("uuid"), str):
                known.add(guest["uuid"].lower())
                if guest.get("running") is not False:
                    running.add(guest["uuid"].lower())
        self.off = frozenset(known - running)

    def keep_reading(self):
        while True:
            try:
                self.read()
            except BrokerError as error:
                self.off = frozenset()  # what was so may not be so any more
                LOG.warning("the guests can't be read: %s", error)
            time.sleep(self.every)


class Result:
    """What the engine reads: result_code, result, and where there are any, plugin_errors and errors."""

    def __init__(self):
        self.answer = {"result_code": OK, "result": []}

    def add(self, items):
        self.answer["result"].extend(items)

    def wrong(self, words):
        self.answer["result_code"] = ERROR
        self.answer.setdefault("errors", []).append(words)

    def plugin_wrong(self, plugin, words):
        self.answer["result_code"] = ERROR
        self.answer.setdefault("plugin_errors", {}).setdefault(plugin, []).append(words)


def texts(values, what):
    """Names as the engine sends them, typed or not."""
    if not isinstance(values, (list, tuple)) or len(values) > NAMES_MAX:
        raise ValueError(f"{what}: a list of at most {NAMES_MAX} names is expected")
    return [text(value, what) for value in values]


def text(value, what):
    if isinstance(value, (str, int)):
        return str(value).strip()
    raise ValueError(f"{what}: holds what is no name")


def pairs(values):
    """[name, weight] as the engine sends them; a weight may come as text."""
    if not isinstance(values, (list, tuple)) or len(values) > NAMES_MAX:
        raise ValueError("cost functions: a list is expected")
    found = []
    for value in values:
        if not isinstance(value, (list, tuple)) or len(value) != 2:
            raise ValueError("cost functions: a pair of a name and a weight is expected")
        try:
            found.append((text(value[0], "cost functions"), int(value[1])))
        except TypeError as error:
            raise ValueError("cost functions: a weight is no number") from error
    return found


class Scheduler:
    """The four methods that the engine calls."""

    def __init__(self, settings):
        self.client = Client(settings["broker"], settings["token_file"] or None, settings["ca_file"] or None,
                             settings["timeout"])
        self.closed = settings["on_failure"] == "closed"
        # The list of all guests takes longer than a verdict, and nobody waits for it.
        self.guests = Off(Client(settings["broker"], settings["token_file"] or None, settings["ca_file"] or None, 30.0),
                          settings["guests_every"])

    def ask(self, hosts, vm):
        op = "boot" if vm.lower() in self.guests.off else "live"
        return self.client.filter({"guest": vm, "op": op, "hosts": list(dict.fromkeys(hosts))})

    def discover(self):
        return {"filters": {FILTER: [DESCRIPTIONS[FILTER], ""]}, "scores": {SCORE: [DESCRIPTIONS[SCORE], ""]}, "balance": {}}

    def tell(self, vm, answer):
        refused = {}
        for host in answer["hosts"]:
            if not host["ok"]:
                refused.setdefault((host.get("class"), host.get("verdict")), []).append(host["host"])
        for (group, verdict), hosts in refused.items():
            why = answer["reasons"].get(group) or ["the broker doesn't know enough of it"]
            LOG.info("vm %s: not to %s: %s: %s", vm, " ".join(hosts), verdict, "; ".join(map(str, why)))

    def run_filter(self, hosts, vm, result):
        """The hosts that pass, or None where nobody can say."""
        try:
            answer = self.ask(hosts, vm)
        except BrokerError as error:
            kind = "isn't known to the broker" if isinstance(error, UnknownGuest) else "can't be judged"
            LOG.warning("vm %s %s: %s (on_failure=%s)", vm, kind, error, "closed" if self.closed else "open")
            result.plugin_wrong(FILTER, f"vm {vm} {kind}: {error}")
            return [] if self.closed else None
        self.tell(vm, answer)
        return [host["host"] for host in answer["hosts"] if host["ok"]]

    def runFilters(self, filters, hosts, vm, properties_map=None):
        result = Result()
        filters, hosts, vm = texts(filters, "filters"), texts(hosts, "hosts"), text(vm, "vm")
        for name in filters:
            if name != FILTER:
                result.plugin_wrong(name, f"plugin not found: '{name}'")
        passed = self.run_filter(hosts, vm, result) if FILTER in filters else None
        if passed is None:
            result.wrong("all filters failed")
            passed = hosts
        result.add(passed)
        return result.answer

    def costs(self, hosts, vm, result):
        """[(host, cost)]: 0 for the one with the most ways on, one more for each way less."""
        try:
            answer = self.ask(hosts, vm)
        except BrokerError as error:
            LOG.warning("vm %s has no cost: %s", vm, error)
            result.plugin_wrong(SCORE, f"vm {vm} has no cost: {error}")
            return []
        ways = {host["host"]: host.get("onward_hosts") or 0 for host in answer["hosts"]}
        most = max(ways.values(), default=0)
        return [(host, most - on) for host, on in ways.items()]

    def runCostFunctions(self, cost_functions, hosts, vm, properties_map=None):
        result = Result()
        wanted, hosts, vm = pairs(cost_functions), texts(hosts, "hosts"), text(vm, "vm")
        for name, _ in wanted:
            if name != SCORE:
                result.plugin_wrong(name, f"plugin not found: '{name}'")
        weights = [weight for name, weight in wanted if name == SCORE]
        if weights:
            result.add([host, cost * sum(weights)] for host, cost in self.costs(hosts, vm, result))
        return result.answer

    def runLoadBalancing(self, balance, hosts, properties_map=None):
        result = Result()
        name = text(balance, "balance")
        result.plugin_wrong(name, f"Load balance requested but was not found: {name}")
        return result.answer


class Handler(SimpleXMLRPCRequestHandler):
    rpc_paths = ()  # any: the engine asks at /, its older ones at /RPC2
    timeout = IDLE_S
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_POST(self):
        try:
            length = int(self.headers.get("content-length", ""))
        except ValueError:
            length = -1
        if not 0 <= length <= BODY_MAX:
            self.close_connection = True
            self.send_error(413 if length > BODY_MAX else 411)
            return
        super().do_POST()

    def decode_request_content(self, data):
        if self.headers.get("content-encoding", "identity").lower() != "identity":
            self.send_error(501)  # what unpacks to any size isn't bounded
            return None
        if b"<!DOCTYPE" in data:
            self.send_error(400)
            return None
        return data

    def log_message(self, format, *args):
        LOG.debug("%s " + format, self.client_address[0], *args)


class Server(ThreadingMixIn, SimpleXMLRPCServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = CONNECTIONS

    def __init__(self, address, scheduler):
        self.places = threading.BoundedSemaphore(CONNECTIONS)
        super().__init__(address, requestHandler=Handler, allow_none=True, logRequests=False)
        self.register_introspection_functions()
        for name in ("discover", "runFilters", "runCostFunctions", "runLoadBalancing"):
            self.register_function(getattr(scheduler, name), name)

    def process_request(self, request, client_address):
        if not self.places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address):
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.places.release()

    def handle_error(self, request, client_address):
        LOG.warning("%s: %s", client_address[0], sys.exc_info()[1])


def main():
    parser = argparse.ArgumentParser(description="oVirt's external scheduler, asking capbroker")
    parser.add_argument("--config", default=CONFIG)
    parser.add_argument("--check-config", action="store_true", help="say whether the file is understood, and end")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    try:
        settings = read_settings(options.config, options.config != CONFIG)
        if options.check_config:
            return 0
        scheduler = Scheduler(settings)
        server = Server(settings["listen"], scheduler)
    except ConfigError as error:
        print(f"capbroker-ovirt-scheduler: {options.config}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"capbroker-ovirt-scheduler: {settings['listen'][0]}:{settings['listen'][1]}: cannot listen: "
              f"{error.strerror} (is another one running?)", file=sys.stderr)
        return 2
    threading.Thread(target=scheduler.guests.keep_reading, daemon=True).start()
    LOG.info("listening on %s:%d, asking %s, process %d", *server.server_address[:2], settings["broker"], os.getpid())
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
