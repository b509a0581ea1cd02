# SPDX-License-Identifier: LGPL-2.1-or-later
"""nova_handler.py SOCKET HOSTS GUEST: runs where Nova is installed. Nova's own handlers of filters and
weighers, its RequestSpec and HostState, with hosts n0…, a known guest and one that isn't there yet.
Prints what each question took and who passed, as JSON."""

import json
import statistics
import sys
import time
import types

import nova.conf
from nova import context
from nova import objects
from nova.scheduler import filters
from nova.scheduler import host_manager
from nova.scheduler import weights

from capbroker_nova import question

CONF = nova.conf.CONF
TURNS = 20


def request(instance, source):
    spec = objects.RequestSpec(context.get_admin_context(), instance_uuid=instance,
                               ignore_hosts=[source] if source else None, num_instances=1, scheduler_hints={})
    spec.flavor = objects.Flavor(flavorid="1", vcpus=2, memory_mb=1024,
                                 extra_specs={"trait:HW_CPU_X86_AVX2": "required"})
    spec.image = objects.ImageMeta.from_dict({"properties": {"hw_machine_type": "q35"}})
    return spec


def instance_of(state):
    return types.SimpleNamespace(task_state=state, system_metadata={}, flavor=types.SimpleNamespace(flavorid="1"))


def tries(handler, chosen, hosts, spec):
    times, passed = [], []
    for _ in range(TURNS):
        start = time.perf_counter()
        passed = handler.get_filtered_objects(chosen, hosts, spec) or []
        times.append((time.perf_counter() - start) * 1000)
    return times, [host.host for host in passed]


def main():
    url, number, guest = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    CONF([], project="nova", default_config_files=[])
    CONF.set_override("url", url, group="capbroker")
    objects.register_all()
    handler, weigher = filters.HostFilterHandler(), weights.HostWeightHandler()
    chosen = [cls() for cls in handler.get_matching_classes(["capbroker_nova.filter.CapbrokerFilter"])]
    weighers = [cls() for cls in weigher.get_matching_classes(["capbroker_nova.weigher.CapbrokerWeigher"])]
    hosts = [host_manager.HostState(f"n{i}", f"n{i}", None) for i in range(number)]
    for host in hosts:
        host.aggregates = []
    result = {}
    for name, uuid, source, state in (("boot", "00000000-0000-4000-8000-000000000000", None, None),
                                      ("live", guest, "n0", "migrating"), ("cold", guest, "n0", "resize_prep"),
                                      ("evacuate", guest, "n0", "rebuilding")):
        # There is no database here: what a look-up would find.
        question.find_instance = lambda spec, state=state: instance_of(state) if spec.ignore_hosts else None
        spec = request(uuid, source)
        times, passed = tries(handler, chosen, hosts, spec)
        best = [w.obj.host for w in weigher.get_weighed_objects(weighers, [h for h in hosts if h.host in passed], spec)]
        result[name] = {"first_ms": times[0], "median_ms": statistics.median(times), "most_ms": max(times[1:]),
                        "passed": passed, "best": best[:1]}
    print(json.dumps(result))


main()
