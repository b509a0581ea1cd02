/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* record.c: see record.h. */
#include "config.h"

#include <string.h>

#include "model/document.h"
#include "record.h"

#define RECORDED_MODE "broker"
#define AGAIN_S 3600
#define REMEMBERED_MAX 65536u
#define TARGETS_MAX 64u     /* more of them are recorded without their verdicts */
#define QUESTION_MAX (256u * 1024)

/* Decision → when it was recorded, so that a scheduler's retries don't fill the disk. */
static GMutex lock;
static GHashTable *remembered;

static bool is_due(const char *id, int64_t now)
{
	int64_t *before;
	bool due;

	g_mutex_lock(&lock);
	if (!remembered || g_hash_table_size(remembered) > REMEMBERED_MAX) {
		g_clear_pointer(&remembered, g_hash_table_unref);
		remembered = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	}
	before = g_hash_table_lookup(remembered, id);
	due = !before || now - *before >= AGAIN_S;
	if (due)
		g_hash_table_replace(remembered, g_strdup(id), g_memdup2(&now, sizeof(now)));
	g_mutex_unlock(&lock);
	return due;
}

static json_t *inputs(const struct session *s, const json_t *answer)
{
	const json_t *verdict;
	json_t *array = json_array();
	size_t i;

	json_array_foreach (json_object_get(answer, "verdicts"), i, verdict) {
		const char *name = member_text(verdict, "host");
		const struct host *host = name ? fleet_find(s->fleet, name) : NULL;

		if (!host)
			continue;
		json_array_append_new(array, json_pack("{s:s, s:s, s:o, s:O?}", "host", host->name, "profile_digest",
						       host->digest, "fingerprint",
						       json_loads(host->fingerprint ? host->fingerprint : "{}", 0, NULL), "age_s",
						       json_object_get(verdict, "age_s")));
	}
	return array;
}

static char *document_of(const struct session *s, const json_t *question, const json_t *answer)
{
	json_t *document = json_copy((json_t *)answer);
	g_autofree char *text = document_text(question);
	char *whole;

	if (json_array_size(json_object_get(answer, "verdicts")) > TARGETS_MAX) {
		json_object_del(document, "verdicts");
		json_object_del(document, "classes");
	}
	json_object_set_new(document, "asked", json_pack("{s:I, s:o, s:o}", "at", (json_int_t)s->answering.now, "question",
							strlen(text) <= QUESTION_MAX ? json_incref((json_t *)question) : json_null(),
							"inputs", inputs(s, answer)));
	whole = json_dumps(document, JSON_COMPACT);
	json_decref(document);
	return whole;
}

/* The best verdict: that of the question, as the command exits. */
static const char *verdict_of(const json_t *answer)
{
	static const char *const words[] = { [0] = "ok", [1] = "block", [3] = "unknown" };

	return words[answer_check_status(answer)];
}

void record_check(struct broker *b, const struct session *s, const json_t *question, const json_t *answer)
{
	const json_t *guest = json_object_get(answer, "guest"), *verdicts = json_object_get(answer, "verdicts");
	const char *id = member_text(json_object_get(answer, "decision"), "id");
	struct store_decision *d;
	struct change *c;
	char *text;

	if (!b->settings->decisions || !id || !is_due(id, s->answering.now))
		return;
	text = document_of(s, question, answer);
	d = g_new0(struct store_decision, 1);
	d->name = g_strdup(id);
	d->time = s->answering.now;
	d->guest_uuid = g_strdup(member_text(guest, "uuid"));
	d->guest_name = g_strdup(member_text(guest, "name"));
	d->source = g_strdup(member_text(guest, "host"));
	d->target = json_array_size(verdicts) == 1 ? g_strdup(member_text(json_array_get(verdicts, 0), "host")) :
						     g_strdup_printf("(%zu hosts)", json_array_size(verdicts));
	d->question = g_strdup(member_text(answer, "question"));
	d->verdict = g_strdup(verdict_of(answer));
	d->mode = g_strdup(RECORDED_MODE);
	d->document = g_strdup(text);
	free(text);
	c = g_new0(struct change, 1);
	c->kind = CHANGE_DECISION;
	c->decision = d;
	if (!keeper_put(b->keeper, c))
		change_free(c);
}
