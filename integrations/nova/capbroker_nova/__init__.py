# SPDX-License-Identifier: LGPL-2.1-or-later
"""capbroker in Nova's scheduler: filter.CapbrokerFilter and weigher.CapbrokerWeigher, see capbroker-nova(7)."""
