/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bench-plan.c [HOSTS [CLASSES]]: how long coverage, tradeoff and pools take, and how far their
 * values may be from the best.
 */
#include "config.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench-hosts.h"
#include "datafiles.h"
#include "plan/coverage.h"
#include "plan/offering.h"
#include "plan/pools.h"

static double began;

static void start(void)
{
	began = (double)g_get_monotonic_time();
}

static void tell(const char *what, uint64_t value, uint64_t bound)
{
	double ms = ((double)g_get_monotonic_time() - began) / 1000;

	printf("  %-30s %9.1f ms   worth %" G_GUINT64_FORMAT ", no choice more than %" G_GUINT64_FORMAT "\n", what,
	       ms, value, bound);
}

static void bench_group(const struct plan_problem *p)
{
	static const guint shares[] = { 990000, 950000, 800000, 500000 };
	const struct pools_options options = { .max = 6 };
	g_autoptr(GPtrArray) groups = g_ptr_array_new();
	g_autoptr(GArray) steps = NULL;
	struct pools pools;
	uint64_t total = 0;

	for (guint i = 0; i < p->n; i++)
		total += p->weights[i];
	for (size_t i = 0; i < G_N_ELEMENTS(shares); i++) {
		g_autofree char *name = g_strdup_printf("coverage of %u %%", shares[i] / 10000);
		struct plan_choice c;

		start();
		c = coverage_choose(p, coverage_need(total, shares[i]), 0);
		tell(name, c.value, c.bound);
		choice_clear(&c);
	}
	start();
	steps = coverage_frontier(p, 32);
	if (steps->len) {
		const struct plan_choice *last = &g_array_index(steps, struct plan_choice, steps->len - 1);

		tell("tradeoff, its last step", last->value, last->bound);
	}
	g_ptr_array_add(groups, (void *)p);
	start();
	pools = pools_choose(groups, &options);
	tell("6 pools", pools.value, pools.bound);
	pools_clear(&pools);
}

static void bench(const struct judge *judge, const struct weights *weights, const struct fleet *fleet)
{
	const struct baseline_options baseline = { 0 };
	const struct offering_options options = { .baseline = &baseline, .shipped = weights };
	g_autoptr(GPtrArray) groups = NULL;

	start();
	groups = baseline_groups(judge, fleet->hosts, &baseline);
	printf("%u hosts, %u classes, %u groups (grouped and met in %.1f ms)\n", fleet->hosts->len,
	       fleet->classes->len, groups->len, ((double)g_get_monotonic_time() - began) / 1000);
	for (guint i = 0; i < groups->len; i++) {
		const struct baseline *b = g_ptr_array_index(groups, i);
		struct plan_problem *p;

		start();
		p = offering_problem(judge, b, &options);
		printf("%s %s: %u classes; as a problem in %.1f ms\n", b->arch, b->vendor, p->n,
		       ((double)g_get_monotonic_time() - began) / 1000);
		bench_group(p);
		problem_free(p);
	}
}

int main(int argc, char **argv)
{
	guint count = argc > 1 ? (guint)strtoul(argv[1], NULL, 10) : 20000;
	guint classes = argc > 2 ? (guint)strtoul(argv[2], NULL, 10) : 500;
	g_autoptr(GError) error = NULL;
	struct datafiles *files = datafiles_load(&error);
	struct judge judge = { .brief = true };
	struct bench_hosts *hosts;

	setlocale(LC_ALL, "C");
	if (!files)
		g_error("%s", error->message);
	hosts = bench_hosts_new(files->models, MAX(count, 1), CLAMP(classes, 1, MAX(count, 1)), 1);
	judge.models = files->models;
	judge.tables = files->tables;
	judge.rules = files->rules;
	judge.grammar = files->grammar;
	judge.universe = hosts->fleet->universe;
	bench(&judge, files->weights, hosts->fleet);
	bench_hosts_free(hosts);
	datafiles_free(files);
	return 0;
}
