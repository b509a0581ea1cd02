# SPDX-License-Identifier: LGPL-2.1-or-later
"""From Nova's request to the broker's question and back.

A request doesn't say what it is for. ``ignore_hosts`` names the host that a guest leaves; whether it is
to be moved alive is in the instance's task state alone, which is looked up in its cell then. What
names no such host is a start: a new guest, one that is unshelved, a rebuild where it is, a resize
that may stay. Nova writes those a new definition, so they are judged by flavor and image.
"""

import collections

from oslo_log import log as logging

import nova.conf
from nova import context as nova_context
from nova import exception
from nova import objects
from nova.virt.libvirt import utils as libvirt_utils

from capbroker_nova import config
from capbroker_nova import needs
from capbroker_nova.client import BrokerError
from capbroker_nova.client import Client
from capbroker_nova.client import UnknownGuest

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)
KEPT = "_capbroker_answer"
MACHINE = "image_hw_machine_type"
OPERATIONS = {"migrating": "live", "resize_prep": "cold", "resize_migrating": "cold", "rebuilding": "evacuate"}

config.register(CONF)


class Answer:
    """@hosts: name → (may the guest go there, onward hosts or None)"""

    def __init__(self, hosts):
        self.hosts = hosts

    def lets(self, host):
        return self.hosts[host][0]

    def onward(self, host):
        return self.hosts[host][1] or 0

    def covers(self, hosts):
        return all(host in self.hosts for host in hosts)


def find_instance(spec):
    """The instance with its task state, from its cell; None where it is in none."""
    if not spec.instance_uuid or not spec.ignore_hosts:
        return None
    context = spec._context.elevated()
    try:
        mapping = objects.InstanceMapping.get_by_instance_uuid(context, spec.instance_uuid)
        if mapping.cell_mapping is None:
            return None
        with nova_context.target_cell(context, mapping.cell_mapping) as cell:
            return objects.Instance.get_by_uuid(cell, spec.instance_uuid, expected_attrs=["system_metadata", "flavor"])
    except exception.NotFound:
        return None


def operation(spec, instance):
    """boot, live, cold or evacuate; a move of a kind that isn't known is held to the strictest."""
    if not spec.ignore_hosts:
        return "boot"
    return OPERATIONS.get(instance.task_state if instance else None, "live")


def definition(spec, instance):
    image = spec.image.properties if "image" in spec and spec.image else None
    machine = instance.system_metadata.get(MACHINE) if instance else None

    def value(name):
        return image.get(name) if image is not None and name in image.fields else None  # older Novas know fewer

    return needs.domain_xml(spec.flavor.extra_specs or {}, value, vcpus=spec.flavor.vcpus,
                            memory_mb=spec.flavor.memory_mb, mapping=libvirt_utils.CPU_TRAITS_MAPPING,
                            machine=machine, virt_type=CONF.capbroker.virt_type,
                            cpu_mode=CONF.capbroker.cpu_mode, cpu_model=CONF.capbroker.cpu_model)


def is_resized(spec, instance):
    """Gets a new flavor, so what it has now isn't what it will need."""
    return instance is not None and instance.flavor.flavorid != spec.flavor.flavorid


def doubt(answer):
    """A guest that the broker doesn't know has more to it than flavor and image tell: nothing is sure to work."""
    for host in answer["hosts"]:
        if host["verdict"] in ("ok", "warn"):
            host["verdict"], host["ok"] = "unknown", answer.get("unknown_ok") is True
    return answer


def ask_broker(client, spec, names):
    instance = find_instance(spec)
    op = operation(spec, instance)
    question = {"op": op, "hosts": names}
    if spec.ignore_hosts:
        question["source"] = spec.ignore_hosts[0]
    by_definition = dict(question, xml=definition(spec, instance))
    if op == "boot" or is_resized(spec, instance):
        return op, client.filter(by_definition)
    try:
        return op, client.filter(dict(question, guest=spec.instance_uuid))
    except UnknownGuest:
        LOG.warning("capbroker: instance %s isn't known to the broker: judged by flavor and image alone",
                    spec.instance_uuid)
    answer = client.filter(by_definition)
    return op, doubt(answer) if op == "live" else answer


def tell(spec, op, answer):
    """Each refused host once, hosts refused alike in one line."""
    refused = collections.OrderedDict()
    for host in answer["hosts"]:
        if not host["ok"]:
            refused.setdefault((host.get("class"), host["verdict"]), []).append(host["host"])
    for (group, verdict), names in refused.items():
        reasons = answer["reasons"].get(group) or ["the broker doesn't know enough of it"]
        LOG.info("capbroker: instance %(uuid)s (%(op)s): not to %(hosts)s: %(verdict)s: %(why)s",
                 {"uuid": spec.instance_uuid, "op": op, "hosts": " ".join(names), "verdict": verdict,
                  "why": "; ".join(str(reason) for reason in reasons)})


def fail(spec, names, why):
    lets = CONF.capbroker.on_failure == "open"
    LOG.warning("capbroker: no verdict on instance %(uuid)s: %(why)s: %(what)s (on_failure=%(policy)s)",
                {"uuid": spec.instance_uuid, "why": why, "policy": CONF.capbroker.on_failure,
                 "what": "all hosts pass" if lets else "no host passes"})
    return Answer({name: (lets, None) for name in names})


def ask(spec, hosts):
    """The broker's Answer about @hosts, Nova's names; by on_failure where it gives none. Kept with the request."""
    names = list(dict.fromkeys(hosts))
    options = CONF.capbroker
    try:
        client = Client(options.url, options.token_file, options.ca_file, options.timeout)
        op, answer = ask_broker(client, spec, names)
        tell(spec, op, answer)
        found = Answer({host["host"]: (host["ok"], host.get("onward_hosts")) for host in answer["hosts"]})
    except BrokerError as error:
        found = fail(spec, names, error)
    except Exception:  # whatever it is: by policy, so that a site that wants to go on scheduling does
        LOG.exception("capbroker: instance %s", spec.instance_uuid)
        found = fail(spec, names, "an error, see above")
    setattr(spec, KEPT, found)
    return found


def kept(spec, hosts):
    """What was answered to this request before, where it is about all of @hosts; else asks."""
    found = getattr(spec, KEPT, None)
    return found if found is not None and found.covers(hosts) else ask(spec, hosts)
