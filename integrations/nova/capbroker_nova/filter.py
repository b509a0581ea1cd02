# SPDX-License-Identifier: LGPL-2.1-or-later
"""Nova's filter: hosts that a guest can start on, or move to and live on."""

from nova.scheduler import filters

from capbroker_nova import question


class CapbrokerFilter(filters.BaseHostFilter):
    """Asks a broker once a request, about all hosts at once."""

    RUN_ON_REBUILD = True
    # The verdict doesn't depend on how full a host is: what passed for one instance does for all.
    run_filter_once_per_request = True

    def filter_all(self, filter_obj_list, spec_obj):
        hosts = list(filter_obj_list)
        if not hosts:
            return hosts
        answer = question.ask(spec_obj, [host.host for host in hosts])
        return [host for host in hosts if answer.lets(host.host)]

    def host_passes(self, host_state, filter_properties):
        """For whoever asks about one host."""
        return bool(self.filter_all([host_state], filter_properties))
