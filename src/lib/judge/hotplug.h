/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hotplug.h: may a device be plugged into a running guest, whose contract stands since it was started.
 *
 * Theory of operation: the guest with the device (plug.h) and the guest without it are judged on the
 * host it runs on; what only the former has against it comes of the device. Checks called hotplug-*
 * ask what a start doesn't: what was frozen, the room that was promised. A finding that bears on
 * moves alone doesn't keep the device out: the guest is trapped with it.
 */
#ifndef JUDGE_HOTPLUG_H
#define JUDGE_HOTPLUG_H

#include "judge/verdict.h"

/**
 * judge_hotplug - judge a device that is to be plugged into a guest
 * @needs: the guest as it runs
 * @plugged: the same with the device, by needs_plug()
 * @cpu: expanded @needs->cpu, or NULL where the guest defines none
 * @host: the profile of the host it runs on
 *
 * Returns the verdicts on the guest with the device, of which only those findings are left that
 * the guest alone doesn't have, and whose hotplug is the answer; to be freed by verdicts_free().
 */
struct verdicts *judge_hotplug(const struct judge *judge, const struct needs *needs,
			       const struct needs *plugged, const struct cpu_need *cpu,
			       const struct profile *host);

/**
 * hotplug_onward - tell of a guest that no other host would take with the device
 * @before, @after: how many other hosts would take it without, and with the device
 *
 * Adds a finding where the device takes the last of them away, and nothing else told so before.
 */
void hotplug_onward(struct verdicts *verdicts, const struct judge *judge, guint before, guint after);

#endif
