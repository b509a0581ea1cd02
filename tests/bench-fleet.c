/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bench-fleet.c [HOSTS [CLASSES]]: how long the library takes over a large fleet, beside libvirt
 * in the same run: one guest against all hosts, and the baseline of all of them, once with few
 * classes (500) and once with every host a class of its own. Hosts are in memory when a time
 * begins; nothing is printed within it.
 */
#include "config.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench-hosts.h"
#include "bench-peer.h"
#include "datafiles.h"
#include "guest/xml.h"
#include "judge/verdict.h"
#include "plan/baseline.h"

#define SEED 20261122u
#define LONG_ENOUGH (G_USEC_PER_SEC * 2) /* a measurement isn't repeated beyond that */
#define REPEATS 15u

static const char guest_xml[] =
	"<domain type='kvm'><name>bench</name>"
	"<uuid>5f3a4b1e-1111-4222-8333-444455556666</uuid><memory unit='KiB'>4194304</memory>"
	"<vcpu>4</vcpu><os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>"
	"<cpu mode='custom' match='exact' check='partial'>"
	"<model fallback='forbid'>Broadwell-noTSX-IBRS</model><vendor>Intel</vendor>"
	"<feature policy='require' name='md-clear'/><feature policy='require' name='ssbd'/>"
	"</cpu><devices><emulator>/usr/bin/qemu-system-x86_64</emulator></devices></domain>";
static const char guest_cpu[] =
	"<cpu mode='custom' match='exact'><model fallback='forbid'>Broadwell-noTSX-IBRS</model>"
	"<vendor>Intel</vendor><feature policy='require' name='md-clear'/>"
	"<feature policy='require' name='ssbd'/></cpu>";

struct bench {
	struct judge judge;
	struct bench_hosts *hosts;
	struct needs *needs;
	guint8 *verdicts;  /* one a host */
	GPtrArray *groups; /* the last baseline */
	struct peer *peer;
	const char **cpus; /* one a host, for the peer */
	guint count;
	bool ok;
};

static int compare_times(const void *a, const void *b)
{
	gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;

	return (x > y) - (x < y);
}

/* The median of some runs, in microseconds. */
static double median(void (*run)(struct bench *bench), struct bench *bench)
{
	gint64 times[REPEATS], begin = g_get_monotonic_time();
	guint n = 0;

	do {
		gint64 t = g_get_monotonic_time();

		run(bench);
		times[n++] = g_get_monotonic_time() - t;
	} while (n < REPEATS && g_get_monotonic_time() - begin < LONG_ENOUGH);
	qsort(times, n, sizeof(times[0]), compare_times);
	return (double)times[n / 2];
}

static void line(const char *what, double us)
{
	printf("  %-52s %12.3f ms\n", what, us / 1000);
}

/* One guest against every host: the verdict once a class, told for each host. */
static void check_all(struct bench *b)
{
	const struct fleet *fleet = b->hosts->fleet;
	g_autofree guint8 *by_class = g_new(guint8, fleet->classes->len);
	struct cpu_need *cpu = cpu_need_new(b->needs->cpu, b->needs->arch, b->judge.models, fleet->universe);

	for (guint i = 0; i < fleet->classes->len; i++) {
		const struct host_class *class = g_ptr_array_index(fleet->classes, i);
		struct verdicts *v = judge_guest(&b->judge, b->needs, cpu, NULL, class->profile);

		by_class[class->index] = (guint8)v->start;
		verdicts_free(v);
	}
	for (guint i = 0; i < fleet->hosts->len; i++) {
		const struct host *host = g_ptr_array_index(fleet->hosts, i);

		b->verdicts[i] = by_class[host->class->index];
	}
	cpu_need_free(cpu);
}

static void baseline_all(struct bench *b)
{
	const struct baseline_options options = { 0 };

	g_clear_pointer(&b->groups, g_ptr_array_unref);
	b->groups = baseline_groups(&b->judge, b->hosts->fleet->hosts, &options);
}

static void peer_compare_once(struct bench *b)
{
	b->ok &= peer_compare(b->peer, guest_cpu);
}

static void peer_baseline_all(struct bench *b)
{
	b->ok &= peer_baseline(b->peer, b->cpus, b->count);
}

/* The peer's baseline knows one vendor: only hosts of the largest group are given to it. */
static void list_cpus(struct bench *b, guint classes)
{
	const GPtrArray *cpus = b->hosts->cpus;
	guint distinct = MIN(classes, cpus->len);

	b->count = 0;
	for (guint i = 0; i < b->hosts->fleet->hosts->len; i++) {
		const char *cpu = g_ptr_array_index(cpus, i % classes % distinct);

		if (strstr(cpu, "<vendor>Intel<"))
			b->cpus[b->count++] = cpu;
	}
}

static void beside_peer(struct bench *b, double check, double baseline, guint classes)
{
	guint hosts = b->hosts->fleet->hosts->len;
	double compare, meet;

	list_cpus(b, classes);
	b->ok = true;
	compare = median(peer_compare_once, b);
	meet = median(peer_baseline_all, b);
	if (!b->ok) {
		printf("  %s failed: no comparison\n", peer_name(b->peer));
		return;
	}
	printf("  %s, in process:\n", peer_name(b->peer));
	line("compare of the guest's CPU with one host", compare);
	line("baseline of the Intel hosts' CPUs", meet);
	printf("  ratio, one guest and one host                        %12.1f : 1\n",
	       compare / (check / hosts));
	printf("  ratio, baseline, a host                              %12.1f : 1\n",
	       meet / b->count / (baseline / hosts));
}

static bool told_apart(const struct bench *b)
{
	guint seen[VERDICTS] = { 0 };

	for (guint i = 0; i < b->hosts->fleet->hosts->len; i++)
		seen[b->verdicts[i]]++;
	printf("  verdicts: %u ok, %u warn, %u unknown, %u block; %u groups\n", seen[V_OK],
	       seen[V_WARN], seen[V_UNKNOWN], seen[V_BLOCK], b->groups->len);
	return seen[V_OK] + seen[V_WARN] && seen[V_BLOCK] && b->groups->len;
}

static bool run(struct bench *b, guint count, guint classes)
{
	double check, baseline;
	bool ok;

	printf("%u hosts, %u classes\n", count, classes);
	b->hosts = bench_hosts_new(b->judge.models, count, classes, SEED);
	b->judge.universe = b->hosts->fleet->universe;
	b->verdicts = g_new0(guint8, count);
	b->cpus = g_new(const char *, count);
	check = median(check_all, b);
	line("one guest against all hosts", check);
	fflush(stdout);
	baseline = median(baseline_all, b);
	line("baseline of all hosts", baseline);
	ok = told_apart(b);
	if (b->peer)
		beside_peer(b, check, baseline, classes);
	g_clear_pointer(&b->groups, g_ptr_array_unref);
	g_free(b->verdicts);
	g_free(b->cpus);
	bench_hosts_free(b->hosts);
	if (!ok)
		fprintf(stderr, "bench-fleet: verdicts are all alike: nothing was measured\n");
	return ok;
}

int main(int argc, char **argv)
{
	guint count = argc > 1 ? (guint)strtoul(argv[1], NULL, 10) : 100000;
	guint classes = argc > 2 ? (guint)strtoul(argv[2], NULL, 10) : 500;
	g_autoptr(GError) error = NULL;
	struct datafiles *files = datafiles_load(&error);
	struct bench b = { .judge = { .brief = true } };
	struct xml_document *xml = xml_parse(guest_xml, strlen(guest_xml), "guest", NULL);
	const char *why = NULL;
	bool ok;

	setlocale(LC_ALL, "C");
	if (!files)
		g_error("%s", error->message);
	b.judge.models = files->models;
	b.judge.tables = files->tables;
	b.judge.rules = files->rules;
	b.judge.grammar = files->grammar;
	b.needs = needs_from_xml(xml, NULL);
	b.peer = peer_open(&why);
	if (!b.peer)
		printf("no peer to compare with: %s\n", why);
	ok = run(&b, MAX(count, 1), CLAMP(classes, 1, count)) && run(&b, MAX(count, 1), MAX(count, 1));
	if (b.peer)
		peer_close(b.peer);
	needs_free(b.needs);
	xml_free(xml);
	datafiles_free(files);
	return ok ? 0 : 1;
}
