/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-writer-text.c: lines of 80 columns, runs of names, ages and values; every answer that there
 * is as text, also where it lacks what it ought to hold.
 */
#include "config.h"

#include <string.h>

#include "writer-text-out.h"

static const struct text_options plain = { 0 }, colored = { .color = true };

/* Written with ' for ". */
static json_t *parse(const char *text)
{
	g_autofree char *copy = g_strdup(text);
	json_t *json;

	g_strdelimit(copy, "'", '"');
	json = json_loads(copy, JSON_DECODE_ANY, NULL);
	g_assert_nonnull(json);
	return json;
}

static void test_item(void)
{
	static const struct {
		const char *head;
		size_t width;
		const char *text, *wanted;
	} cases[] = {
		{ "cpu", 6, "one two", "cpu   one two\n" },
		{ "longer than that", 6, "x", "longer than thatx\n" },
		{ "cpu", 6, "", "cpu\n" },
		{ "cpu", 6, "  blanks \n in  between ", "cpu   blanks in between\n" },
		/* 80 columns are a line, one more are two */
		{ "", 2, "234567890 234567890 234567890 234567890 234567890 234567890 234567890 12345678",
		  "  234567890 234567890 234567890 234567890 234567890 234567890 234567890 12345678\n" },
		{ "", 2, "234567890 234567890 234567890 234567890 234567890 234567890 234567890 123456789",
		  "  234567890 234567890 234567890 234567890 234567890 234567890 234567890\n"
		  "  123456789\n" },
		/* letters count, not bytes; colours take no room */
		{ "\xc3\xa4\xc3\xb6", 4, "x", "\xc3\xa4\xc3\xb6  x\n" },
		{ "\x1b[32mok\x1b[0m", 4, "x", "\x1b[32mok\x1b[0m  x\n" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct out out = { g_string_new(NULL), &plain };

		out_item(&out, cases[i].head, cases[i].width, cases[i].text);
		g_assert_cmpstr(out.text->str, ==, cases[i].wanted);
		g_string_free(out.text, TRUE);
	}
}

static void test_verdict(void)
{
	const struct out without = { NULL, &plain }, with = { NULL, &colored };
	g_autofree char *a = out_verdict(&without, "ok", 4), *b = out_verdict(&with, "ok", 4);
	g_autofree char *c = out_verdict(&with, "BLOCK", 2);

	g_assert_cmpstr(a, ==, "ok  ");
	g_assert_cmpstr(b, ==, "\x1b[32mok\x1b[0m  ");
	g_assert_cmpstr(c, ==, "\x1b[1;31mBLOCK\x1b[0m");
}

static void test_hosts(void)
{
	static const struct {
		const char *names;
		size_t most;
		const char *wanted;
	} cases[] = {
		{ "[]", 0, "" },
		{ "['web']", 0, "web" },
		{ "['r1n01','r1n02','r1n03','r1n05']", 0, "r1n01-03 r1n05" },
		{ "['r9','r10']", 0, "r9 r10" },
		{ "['a1b1','a2b2']", 0, "a1b1 a2b2" },
		{ "['n09','n10','n11']", 0, "n09-11" },
		{ "['n99999999999','n100000000000']", 0, "n99999999999 n100000000000" },
		{ "['1','2']", 0, "1 2" },
		{ "['a','b','c']", 2, "a b and 1 more (-v)" },
		{ "['a1','a2','b','c','d']", 2, "a1-2 b and 2 more (-v)" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		json_t *names = parse(cases[i].names);
		g_autofree char *text = join_hosts(names, cases[i].most);

		g_assert_cmpstr(text, ==, cases[i].wanted);
		json_decref(names);
	}
}

static void test_values(void)
{
	static const char *const values[][2] = {
		{ "null", "not known" }, { "true", "yes" }, { "false", "no" }, { "'x y'", "x y" },
		{ "['a','b']", "a b" },	 { "39", "39" },    { "[]", "[]" },    { "[[1,2]]", "[[1,2]]" },
		{ "{'b':1,'a':2}", "{\"a\":2,\"b\":1}" },
	};
	static const struct {
		const char *age, *wanted;
	} ages[] = {
		{ "0", "just now" },	   { "59", "just now" },       { "60", "1 min ago" },
		{ "7199", "119 min ago" }, { "7200", "2 hours ago" },  { "172800", "2 days ago" },
		{ "null", "at a time not known" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
		json_t *value = parse(values[i][0]);
		g_autofree char *text = value_text(value);

		g_assert_cmpstr(text, ==, values[i][1]);
		json_decref(value);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(ages); i++) {
		json_t *age = parse(ages[i].age);
		g_autofree char *text = age_text(age);

		g_assert_cmpstr(text, ==, ages[i].wanted);
		json_decref(age);
	}
}

static char *written(const char *answer, const struct text_options *options)
{
	json_t *json = parse(answer);
	char *text = writer_text(json, options);

	json_decref(json);
	return text;
}

static void test_answers(void)
{
	static const char *const answers[][2] = {
		{ "{'format':'capbroker.hosts/1','hosts':[]}", "0 hosts, 0 classes\n" },
		{ "{'format':'capbroker.guests/1','guests':[]}", "0 guests, 0 running\n" },
		{ "{'format':'capbroker.forget/1','forgotten':'r1n01'}", "forgotten: r1n01\n" },
		{ "{'format':'capbroker.forget/1','forgotten':'r1n01','assumed':['a=gone','b=+avx']}",
		  "assumed  a=gone, b=+avx\n\nforgotten: r1n01\n" },
		{ "{'format':'capbroker.import/1','hosts':[{'name':'h','change':'new'}],'guests':[],"
		  "'failed':[{'uri':'x://y','reason':'is gone'}]}",
		  "imported 1 host (1 new, 0 changed, 0 as before) and 0 guests\n"
		  "failed  x://y: is gone\n" },
		{ "{'format':'capbroker.nonsense/1'}", "" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(answers); i++) {
		g_autofree char *text = written(answers[i][0], &plain);

		g_assert_cmpstr(text, ==, answers[i][1]);
	}
}

/* An answer that lacks its members is poor text, and no crash. */
static void test_poor(void)
{
	static const char *const names[] = { "hosts",	"guests",   "import", "forget", "error", "matrix",
					     "check",	"baseline", "show",   "diff",	"explain" };
	static const char *const members[] = {
		"", ",'hosts':[{}],'guests':[{}],'guest_groups':[{}],'classes':[{}],'cells':[[]]",
		",'verdicts':[{}],'baselines':[{}],'scopes':[{}],'cpus':[{}],'emulators':[{}],'kind':'check'",
		",'hosts':3,'guests':'x','verdicts':{},'baselines':7,'scopes':null,'kind':'capability'",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		for (size_t m = 0; m < G_N_ELEMENTS(members); m++) {
			g_autofree char *answer =
				g_strdup_printf("{'format':'capbroker.%s/1'%s}", names[i], members[m]);
			g_autofree char *text = written(answer, &plain);
			g_autofree char *verbose = written(answer, &(struct text_options){ .verbose = true,
											   .expand = true });

			g_test_message("%s: %s", answer, text);
			g_assert_true(g_str_has_suffix(text, "\n"));
			g_assert_true(g_str_has_suffix(verbose, "\n"));
		}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/writer-text/item", test_item);
	g_test_add_func("/writer-text/verdict", test_verdict);
	g_test_add_func("/writer-text/hosts", test_hosts);
	g_test_add_func("/writer-text/values", test_values);
	g_test_add_func("/writer-text/answers", test_answers);
	g_test_add_func("/writer-text/poor", test_poor);
	return g_test_run();
}
