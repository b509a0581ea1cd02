# SPDX-License-Identifier: LGPL-2.1-or-later
"""Nova's weigher: of the hosts left, rather one that the guest can leave again.

Nova itself prefers the newest hypervisors, from which there may be no way back; this is the counterweight.
"""

import nova.conf
from nova.scheduler import utils
from nova.scheduler import weights

from capbroker_nova import config
from capbroker_nova import question

CONF = nova.conf.CONF
config.register(CONF)


class CapbrokerWeigher(weights.BaseHostWeigher):
    minval = 0

    def weight_multiplier(self, host_state):
        return utils.get_weight_multiplier(host_state, "capbroker_weight_multiplier", CONF.capbroker.weight_multiplier)

    def weigh_objects(self, weighed_obj_list, weight_properties):
        names = [weighed.obj.host for weighed in weighed_obj_list]
        answer = question.kept(weight_properties, names)
        return [float(answer.onward(name)) for name in names]

    def _weigh_object(self, host_state, weight_properties):
        return float(question.kept(weight_properties, [host_state.host]).onward(host_state.host))
