/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * level-story.c: what test-level-stories.py asks of the library: one question a line, as JSON, of hosts
 * as they are at one time; answers a line each.
 *
 * {"now", "hosts": [profile, …], "make": {"series", "number", "since"}} answers a level's document, or
 * null; {"now", "hosts", "levels": [{"document", "guests": [name, …], "retired"}, …]} answers what
 * "level propose" would.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "answer/answer-level.h"
#include "cli.h"
#include "datafiles.h"
#include "model/document.h"

/* The program's own errors, which the readers of its data files use. */
G_DEFINE_QUARK(level-story-error, cli_error)

struct story {
	struct datafiles *files;
	struct fleet *fleet;
	struct judge judge;
	struct answering a;
	GPtrArray *guests;
	struct level_site site;
};

static void fail(const char *what)
{
	fprintf(stderr, "level-story: %s\n", what);
	exit(2);
}

static void open_story(struct story *s, const json_t *question)
{
	const json_t *profile;
	size_t i;

	s->fleet = fleet_new();
	json_array_foreach (json_object_get(question, "hosts"), i, profile) {
		g_autoptr(GError) error = NULL;
		struct profile *parsed = profile_parse((json_t *)profile, s->fleet->universe, &error);

		if (!parsed)
			fail(error->message);
		fleet_own(s->fleet, parsed);
		fleet_add(s->fleet, parsed->name, parsed, NULL);
	}
	fleet_settle(s->fleet);
	/* rules about definitions are no matter of hosts' features, and cost the most */
	s->judge = (struct judge){ .universe = s->fleet->universe, .models = s->files->models,
				   .tables = s->files->tables };
	s->a = (struct answering){ &s->judge, s->fleet, json_integer_value(json_object_get(question, "now")),
				   s->files->digest, s->files->cpu_map, NULL, NULL, 0, 0 };
	s->guests = g_ptr_array_new();
	s->site = (struct level_site){ s->files->weights, NULL, s->guests };
}

static void close_story(struct story *s)
{
	g_ptr_array_unref(s->guests);
	fleet_free(s->fleet);
}

static json_t *make(struct story *s, const json_t *ask)
{
	const struct planning planning = { 0 };
	const char *since = member_text(ask, "since");
	g_autoptr(GError) error = NULL;
	json_t *document = level_make(&s->a, &s->site,
				      level_head(member_text(ask, "series"), (guint)g_ascii_strtoull(since, NULL, 10),
						 (guint)json_integer_value(json_object_get(ask, "number")), NULL, &planning,
						 NULL, since, NULL, NULL, NULL),
				      s->fleet->hosts, &error);

	return document ? document : json_pack("{s:s}", "error", error->message);
}

static json_t *propose(struct story *s, const json_t *levels)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify)level_free);
	const json_t *one, *guest;
	size_t i, k;

	json_array_foreach (levels, i, one) {
		json_t *document = json_incref(json_object_get(one, "document"));
		struct level *level = level_new(member_text(document, "name"), document);

		level->is_retired = json_is_true(json_object_get(one, "retired"));
		json_array_foreach (json_object_get(one, "guests"), k, guest)
			level_assign(level, json_string_value(guest), json_string_value(guest),
				     (struct level_act){ "test", 0, 0, "" });
		g_ptr_array_add(all, level);
	}
	return answer_level_propose(&s->a, &s->site, all, NULL);
}

int main(void)
{
	struct story story = { .files = datafiles_load(NULL) };
	char *line = NULL;
	size_t size = 0;

	if (!story.files)
		fail("no data files");
	while (getline(&line, &size, stdin) > 0) {
		json_t *question = json_loads(line, 0, NULL), *answer;
		char *text;

		if (!question)
			fail("no JSON");
		open_story(&story, question);
		answer = json_object_get(question, "make") ? make(&story, json_object_get(question, "make")) :
							     propose(&story, json_object_get(question, "levels"));
		close_story(&story);
		text = json_dumps(answer, JSON_COMPACT);
		puts(text);
		fflush(stdout);
		free(text);
		json_decref(answer);
		json_decref(question);
	}
	free(line);
	datafiles_free(story.files);
	return 0;
}
