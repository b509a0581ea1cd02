/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * commands.h: the commands, each in its cmd-NAME.c.
 */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "cli.h"

extern const struct command cmd_allow, cmd_baseline, cmd_check, cmd_complete, cmd_decision, cmd_diff,
	cmd_drain, cmd_drift, cmd_explain, cmd_export, cmd_forget, cmd_guests, cmd_hook, cmd_hosts, cmd_import, cmd_level,
	cmd_matrix, cmd_policy, cmd_pools, cmd_probe, cmd_report, cmd_restore, cmd_show, cmd_status, cmd_stranded, cmd_sync, cmd_token,
	cmd_tradeoff;

#endif
