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
			 age(a, host_confirmed(host)));
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

/* An entry of capbroker.guests/1, with where and when it was seen. */
static json_t *one_guest(const struct answering *a, const struct guest *guest)
{
	json_t *json = needs_to_json(guest_needs(guest));

	json_object_set_new(json, "name", json_string(guest->name));
	json_object_set_new(json, "running", json_boolean(guest->running));
	json_object_set_new(json, "host", guest->host ? json_string(guest->host) : json_null());
	json_object_set_new(json, "age_s", age(a, guest->seen));
	return json;
}

json_t *answer_guests(const struct answering *a, const GPtrArray *guests)
{
	json_t *answer = answer_new("guests");
	json_t *array = json_array();

	for (guint i = 0; i < guests->len; i++)
		json_array_append_new(array, one_guest(a, g_ptr_array_index(guests, i)));
	json_object_set_new(answer, "complete", json_false());
	json_object_set_new(answer, "guests", array);
	return answer;
}
