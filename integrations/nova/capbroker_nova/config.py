# SPDX-License-Identifier: LGPL-2.1-or-later
"""The group [capbroker] of nova.conf."""

from oslo_config import cfg

GROUP = "capbroker"

OPTIONS = [
    cfg.StrOpt("url", default="unix:/run/capbroker/broker.sock",
               help="The broker: unix:/PATH, or https://HOST:PORT."),
    cfg.StrOpt("token_file", help="A file with the token for the broker. A unix socket needs none."),
    cfg.StrOpt("ca_file", help="Whom to trust for the broker's TLS. Default: as the system does."),
    cfg.FloatOpt("timeout", default=2.0, min=0.01, max=60, help="Seconds to wait for an answer."),
    cfg.StrOpt("on_failure", default="open", choices=["open", "closed"],
               help="Where the broker doesn't answer: let all hosts pass, or none."),
    cfg.FloatOpt("weight_multiplier", default=2.0,
                 help="How much it counts that a guest can leave a host again. An aggregate's "
                      "capbroker_weight_multiplier comes before it."),
    cfg.StrOpt("virt_type", default="kvm", choices=["kvm", "qemu"],
               help="[libvirt] virt_type of the compute nodes, for guests that aren't there yet."),
    cfg.StrOpt("cpu_mode", choices=["host-model", "host-passthrough", "maximum", "custom"],
               help="[libvirt] cpu_mode of the compute nodes, for guests that aren't there yet. Default: as "
                    "Nova's: host-passthrough on aarch64, host-model elsewhere."),
    cfg.StrOpt("cpu_model", help="With cpu_mode=custom: the first of [libvirt] cpu_models of the compute nodes."),
]


def register(conf):
    """Makes conf.capbroker; doing it twice is no harm."""
    conf.register_opts(OPTIONS, group=GROUP)


def list_opts():
    """For oslo-config-generator."""
    return [(GROUP, OPTIONS)]
