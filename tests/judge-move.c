/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * judge-move.c: lines "SOURCE-PROFILE<tab>TARGET-PROFILE<tab>SOURCE.xml<tab>TARGET.xml" on standard input; for each one
 * prints a verdict and why: may a guest that was started as the first definition move to what is
 * started as the second? Definitions differ where somebody, or a libvirt that drops attributes,
 * made them so.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "datafiles.h"
#include "guest/xml.h"
#include "judge/contract.h"
#include "model/profile.h"
#include "model/universe.h"

struct side {
	struct profile *profile;
	struct needs *needs;
	struct target target;
	struct viommu_scope scope;
	enum verdict starts;
};

static void fail(const char *what, GError *error)
{
	fprintf(stderr, "judge-move: %s: %s\n", what, error ? error->message : "is missing");
	exit(2);
}

static void open_side(struct side *s, const struct judge *judge, const char *profile, const char *definition)
{
	g_autofree char *json = NULL, *text = NULL;
	g_autoptr(XmlDocument) xml = NULL;
	g_autoptr(GError) error = NULL;
	struct verdicts *v;
	gsize size, length;

	if (!g_file_get_contents(profile, &json, &size, &error) ||
	    !g_file_get_contents(definition, &text, &length, &error))
		fail(profile, error);
	s->profile = profile_parse_bytes(json, size, judge->universe, &error);
	xml = xml_parse(text, length, definition, &error);
	s->needs = xml ? needs_from_xml(xml, &error) : NULL;
	if (!s->profile || !s->needs)
		fail(s->profile ? definition : profile, error);
	v = judge_guest(judge, s->needs, NULL, NULL, s->profile);
	s->starts = v->qemu_starts;
	verdicts_free(v);
	target_resolve_machine(s->needs, s->profile, &s->target);
	viommu_scope_init(&s->scope, s->needs, &s->target, judge->tables);
}

static void close_side(struct side *s)
{
	needs_free(s->needs);
	profile_free(s->profile);
}

static void judge_line(const struct judge *judge, char **fields)
{
	struct side here = { 0 }, there = { 0 };
	g_autofree char *why = NULL;
	enum verdict verdict;

	open_side(&here, judge, fields[0], fields[2]);
	open_side(&there, judge, fields[1], fields[3]);
	verdict = contract_verdict(&here.scope, &there.scope, &why);
	if (here.starts == V_BLOCK || there.starts == V_BLOCK) {
		verdict = V_BLOCK;
		g_free(why);
		why = g_strdup(here.starts == V_BLOCK ? "doesn't start at the source" : "doesn't start at the target");
	}
	printf("%s\t%s\n", verdict_name(verdict), why ? why : "-");
	close_side(&here);
	close_side(&there);
}

int main(void)
{
	g_autoptr(GError) error = NULL;
	struct datafiles *files = datafiles_load(&error);
	struct judge judge = { .universe = universe_new() };
	char line[16384];

	if (!files)
		fail("data", error);
	judge.models = files->models;
	judge.tables = files->tables;
	judge.rules = files->rules;
	judge.grammar = files->grammar;
	while (fgets(line, sizeof(line), stdin)) {
		g_auto(GStrv) fields = g_strsplit(g_strchomp(line), "\t", 5);

		if (g_strv_length(fields) != 4)
			fail("standard input", NULL);
		judge_line(&judge, fields);
	}
	universe_free(judge.universe);
	datafiles_free(files);
	return 0;
}
