/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* answer-hosts.c: the answers "hosts" and "guests"; see answer.h. */
#include "config.h"

#include "answer/answer.h"

static json_t *age(const struct answering *a, int64_t since)
{
	return since > 0 ? json_integer(a->now > since ? a->now - since : 0) : json_null();
}

json_t *answer_host(const struct answering *a, const struct host *host)
{
	json_t *fingerprint = host->fingerprint ? json_loads(host->fingerprint, 0, NULL) : NULL;

	return json_pack("{s:s, s:s?, s:s?, s:s?, s:s, s:o, s:o, s:s?, s:o, s:o}", "name",
			 host->name, "uuid", host->uuid, "arch", host->profile->arch, "cluster",
			 host->cluster, "class", host->class->id, "aliases",
			 json_pairs(host->aliases), "labels", json_pairs(host->labels),
			 "profile_digest", host->digest, "fingerprint",
			 fingerprint ? fingerprint : json_object(), "age_s",
			 age(a, host->confirmed));
}

json_t *answer_hosts(const struct answering *a, const GPtrArray *hosts)
{
	json_t *answer = answer_new("hosts");
	json_t *array = json_array();

	for (guint i = 0; i < hosts->len; i++)
		json_array_append_new(array, answer_host(a, g_ptr_array_index(hosts, i)));
	json_object_set_new(answer, "hosts", array);
	return answer;
}

/* A CPU definition in a word or two: its model, or its mode. */
static const char *cpu_word(const struct needs *needs)
{
	if (!needs->cpu)
		return "default";
	if (needs->cpu->model)
		return needs->cpu->model;
	return needs->cpu->mode == CPU_MODE_NONE ? "default" : cpu_mode_name(needs->cpu->mode);
}

static json_t *one_guest(const struct answering *a, const struct guest *guest)
{
	const struct needs *needs = guest_needs(guest);

	return json_pack("{s:s, s:s?, s:s?, s:b, s:s?, s:s?, s:s, s:i, s:o}", "name", guest->name,
			 "uuid", guest->uuid, "host", guest->host, "running", guest->running,
			 "type", needs->type, "machine", needs->machine, "cpu", cpu_word(needs),
			 "unjudged_n", (int)needs->unjudged->len, "age_s", age(a, guest->seen));
}

json_t *answer_guests(const struct answering *a, const GPtrArray *guests)
{
	json_t *answer = answer_new("guests");
	json_t *array = json_array();

	for (guint i = 0; i < guests->len; i++)
		json_array_append_new(array, one_guest(a, g_ptr_array_index(guests, i)));
	json_object_set_new(answer, "guests", array);
	return answer;
}
