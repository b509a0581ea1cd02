/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-units.c: a profile's IOMMU units and devices: what is refused of them, what follows from their
 * facts, and what a host as a whole has of its units.
 *
 * Documents are written with ' for ", registers in short: "vtd CAP ECAP", "amd EFR EFR2",
 * "smmu IDR0 IDR1 IDR3 IDR5 IIDR".
 */
#include "config.h"

#include <string.h>

#include "model/error.h"
#include "model/fleet.h"
#include "model/units.h"
#include "read-fixture.h"
#include "read/read-iommu.h"

/* Registers of public machines: tests/test-read-registers.py has what they hold. */
#define SANDY "vtd 0xc9008020660262 0xf0105a"
#define HASWELL "vtd 0xd2078c106f0466 0xf020df"
#define SAPPHIRE "vtd 0x9ed008c40780466 0x3ee9e86f050df"
#define GRANITE "vtd 0xf9ed008cee780c66 0x3fef9ea6f0efdf"
#define NAPLES "amd 0xf77ef22294ada"
#define TURIN "amd 0x25bf732fa2295afe 0x53d"

static json_t *parse_text(const char *text)
{
	g_autofree char *json = g_strdelimit(g_strdup(text), "'", '"');
	json_error_t error;
	json_t *doc = json_loads(json, 0, &error);

	if (!doc)
		g_error("%s: %s", error.text, json);
	return doc;
}

static void add_registers(json_t *facts, const char *text)
{
	g_auto(GStrv) words = g_strsplit(text, " ", -1);
	uint64_t n[6] = { 0 };
	guint count = g_strv_length(words) - 1;

	for (guint i = 0; i < count && i < G_N_ELEMENTS(n); i++)
		n[i] = g_ascii_strtoull(words[i + 1], NULL, 0);
	if (!strcmp(words[0], "vtd")) {
		read_vtd(facts, n[0], n[1], &scope_raw, "sysfs");
	} else if (!strcmp(words[0], "amd")) {
		read_amdvi(facts, n[0], n[1], count > 1, &scope_raw, "sysfs");
	} else {
		struct smmuv3_registers r = { .idr = { (uint32_t)n[0], (uint32_t)n[1], 0,
						       (uint32_t)n[2], 0, (uint32_t)n[3] },
					      .iidr = (uint32_t)n[4] };

		read_smmuv3(facts, &r, "hw info");
	}
}

/* A unit of registers (or NULL) and further facts, "ID=JSON" by ';', all as the kernel says. */
static void add_facts(json_t *facts, const char *registers, const char *more)
{
	g_auto(GStrv) pairs = g_strsplit(more ? more : "", ";", -1);

	for (char **pair = pairs; *pair; pair++) {
		g_auto(GStrv) sides = g_strsplit(*pair, "=", 2);
		g_autofree char *wrapped = sides[0] ? g_strdup_printf("[%s]", sides[1]) : NULL;
		json_t *value = wrapped ? parse_text(wrapped) : NULL;

		if (!value)
			continue;
		document_fact(facts, sides[0], json_incref(json_array_get(value, 0)), &scope_kernel,
			      "told");
		json_decref(value);
	}
	if (registers)
		add_registers(facts, registers);
}

static void add_unit(json_t *doc, const char *id, const char *type, const char *registers,
		     const char *more, bool serves)
{
	json_t *unit = json_pack("{s:s, s:s, s:[], s:[]}", "id", id, "type", type, "facts", "devices");
	g_autofree char *address = g_strdup_printf("0000:%s:00.0", id);

	add_facts(json_object_get(unit, "facts"), registers, more);
	json_array_append_new(json_object_get(doc, "iommus"), unit);
	json_array_append_new(json_object_get(doc, "devices"),
			      json_pack("{s:s, s:s, s:b, s:i, s:[]}", "address", address, "iommu", id,
					"eligible", serves, "group", 1, "facts"));
}

static struct profile *parse(json_t *doc, struct universe *universe)
{
	GError *error = NULL;
	struct profile *p = profile_parse(doc, universe, &error);

	g_assert_no_error(error);
	json_decref(doc);
	return p;
}

static char *text_of(const struct fact *f)
{
	if (!f)
		return g_strdup("nothing");
	return f->state == FACT_KNOWN ? json_dumps(f->value, JSON_ENCODE_ANY | JSON_COMPACT)
				      : g_strdup(fact_state_name(f->state));
}

static void expect(const struct fact *f, const char *id, const char *wanted, const char *what)
{
	g_autofree char *found = text_of(f);

	g_strdelimit(found, "\"", '\'');
	if (strcmp(found, wanted))
		g_error("%s: %s is %s, not %s", what, id, found, wanted);
}

/* --- what follows from registers ----------------------------------------------------------------- */

static const struct derivation {
	const char *what, *type, *registers, *more, *host;
	const char *wanted; /* "ID=VALUE" by ';'; "nothing" where it can't be told */
} derivations[] = {
	/* Legacy hardware nests in no mode. */
	{ "no scalable mode", "vtd", HASWELL, NULL, "iommu.option.super-pages=true",
	  "iommu.nested=false;iommu.dirty-tracking=false;iommu.pasid=false;iommu.snoop=true;"
	  "iommu.type='vtd';iommu.page-sizes='0x40201000'" },
	{ "no large pages", "vtd", SANDY, NULL, NULL, "iommu.page-sizes='0x1000';iommu.snoop=false" },
	{ "mode not known", "vtd", SAPPHIRE, NULL, NULL,
	  "iommu.nested=nothing;iommu.dirty-tracking=nothing;iommu.pasid=false" },
	{ "mode on", "vtd", SAPPHIRE, NULL, "iommu.option.scalable-mode=true",
	  "iommu.nested=true;iommu.dirty-tracking=true;iommu.pasid=false" },
	{ "mode off", "vtd", SAPPHIRE, NULL, "iommu.option.scalable-mode=false",
	  "iommu.nested=false;iommu.dirty-tracking=false" },
	{ "PASIDs", "vtd", GRANITE, NULL, "iommu.option.scalable-mode=true", "iommu.pasid=true" },
	{ "large pages, perhaps", "vtd", HASWELL, NULL, NULL, "iommu.page-sizes=nothing" },
	{ "large pages off", "vtd", HASWELL, NULL,
	  "iommu.option.super-pages=false;iommu.option.given=['intel_iommu=sp_off']",
	  "iommu.page-sizes='0x1000'" },
	{ "a trial beats registers", "vtd", SAPPHIRE, "iommu.hwpt-nest-parent=false;iommu.hwpt-dirty=false",
	  "iommu.option.scalable-mode=true", "iommu.nested=false;iommu.dirty-tracking=false" },
	{ "hw info beats registers", "vtd", SAPPHIRE, "hwinfo.dirty-tracking=false",
	  "iommu.option.scalable-mode=true", "iommu.dirty-tracking=false" },
	{ "interrupts", "vtd", HASWELL, NULL, "acpi.dmar.interrupt-remapping=false",
	  "iommu.interrupt-remapping=false" },
	{ "interrupts, told", "vtd", HASWELL, NULL, "iommu.interrupt-remapping=true",
	  "iommu.interrupt-remapping=true" },
	{ "interrupts, maybe", "vtd", HASWELL, NULL, "acpi.dmar.interrupt-remapping=true",
	  "iommu.interrupt-remapping=nothing" },
	{ "39 bits", "vtd", SANDY, "iommu.ranges=[['0x0','0xfedfffff'],['0xfef00000','0x7fffffffff']]",
	  NULL, "iommu.address-bits=39" },
	{ "all bits", "amdvi", NAPLES, "iommu.ranges=[['0x0','0xffffffffffffffff']]", NULL,
	  "iommu.address-bits=64" },
	{ "no address", "amdvi", NAPLES, "iommu.ranges=[]", NULL, "iommu.address-bits=0" },
	{ "no EFR2", "amdvi", NAPLES, NULL, NULL, "iommu.nested=nothing;iommu.dirty-tracking=false" },
	{ "Zen 5", "amdvi", TURIN, NULL, "iommu.option.given=[]",
	  "iommu.nested=true;iommu.dirty-tracking=true;iommu.pasid=true;iommu.snoop=true" },
	/* as QEMU's emulated one is, and what a kernel was seen to do with it */
	{ "QEMU's AMD", "amdvi", "amd 0x29d3 0", NULL, "iommu.option.given=[]",
	  "iommu.nested=false;iommu.dirty-tracking=false;iommu.pasid=false;iommu.page-sizes='0x7ffffff000'" },
	{ "options not read", "amdvi", TURIN, NULL, NULL, "iommu.dirty-tracking=nothing" },
	{ "hatdis", "amdvi", TURIN, NULL,
	  "iommu.option.host-tables=false;iommu.option.given=['amd_iommu=hatdis']",
	  "iommu.dirty-tracking=false;iommu.nested=true" },
	/* QEMU's nested SMMUv3 lacks FWB: only a trial tells. With FWB registers do. */
	{ "no FWB", "smmuv3", "smmu 0xd44101b 0x2730010 0x1414 0x74 0", NULL, NULL,
	  "iommu.nested=nothing;iommu.dirty-tracking=false;iommu.pasid=false" },
	{ "no FWB, tried", "smmuv3", "smmu 0xd44101b 0x2730010 0x1414 0x74 0",
	  "iommu.hwpt-nest-parent=true", NULL, "iommu.nested=true" },
	{ "FWB", "smmuv3", "smmu 0xd44109b 0x2730510 0x1514 0x74 0", NULL, NULL,
	  "iommu.nested=true;iommu.dirty-tracking=true;iommu.pasid=true" },
	{ "erratum", "smmuv3", "smmu 0xd44109b 0x2730510 0x1514 0x74 0x4870043b", NULL, NULL,
	  "iommu.nested=false" },
	{ "granules to choose from", "smmuv3", "smmu 0xd44109b 0x2730510 0x1514 0x74 0", NULL, NULL,
	  "iommu.page-sizes=nothing" },
	{ "the kernel's own granule", "smmuv3", "smmu 0xd44109b 0x2730510 0x1514 0x74 0", NULL,
	  "host.page-size=4096", "iommu.page-sizes='0x40201000'" },
	{ "one granule", "smmuv3", "smmu 0xd44109b 0x2730510 0x1514 0x44 0", NULL, NULL,
	  "iommu.page-sizes='0x20010000'" },
	{ "one stage", "smmuv3", "smmu 0xd44109a 0x2730510 0x1514 0x74 0", NULL, NULL,
	  "iommu.nested=false" },
	{ "of no kind", "virtio", NULL, NULL, NULL, "iommu.nested=nothing;iommu.type='virtio'" },
	{ "VFIO's page sizes", "virtio", NULL, "vfio.type1.page-sizes='0x1000'", NULL,
	  "iommu.page-sizes='0x1000'" },
};

static json_t *host_of(const char *facts)
{
	json_t *doc = document_new("h", NULL, "x86_64");

	add_facts(json_object_get(doc, "facts"), NULL, facts);
	return doc;
}

static void test_derivations(void)
{
	struct universe *universe = universe_new();

	for (size_t i = 0; i < G_N_ELEMENTS(derivations); i++) {
		const struct derivation *d = &derivations[i];
		json_t *doc = host_of(d->host);
		g_auto(GStrv) wanted = g_strsplit(d->wanted, ";", -1);
		g_autoptr(Profile) p = NULL;

		add_unit(doc, "u", d->type, d->registers, d->more, true);
		p = parse(doc, universe);
		for (char **pair = wanted; *pair; pair++) {
			g_auto(GStrv) sides = g_strsplit(*pair, "=", 2);
			const struct iommu_unit *u = profile_unit(p, "u");
			const struct scope scope = { .view = VIEW_KERNEL, .migratable = -1 };

			expect(facts_find(u->facts, sides[0], VIEWS), sides[0], sides[1], d->what);
			expect(profile_fact(p, sides[0], &scope), sides[0], sides[1], d->what);
		}
	}
	universe_free(universe);
}

/* --- formats ---------------------------------------------------------------------------------- */

static const struct {
	const char *type, *registers, *host;
	const char *raw, *kernel;
} formats[] = {
	{ "vtd", HASWELL, "iommu.option.given=[]", "['vtdss/2/4/4K+2M+1G/48/-/-']",
	  "['vtdss/2/4/4K+2M+1G/48/-/-']" },
	{ "vtd", HASWELL, NULL, "['vtdss/2/4/4K+2M+1G/48/-/-']", "nothing" },
	/* SAGAW says 48 bits, MGAW 39 */
	{ "vtd", "vtd 0xd2008020660462 0xf010da", NULL, "['vtdss/2/4/4K/39/-/-']",
	  "['vtdss/2/4/4K/39/-/-']" },
	{ "vtd", SAPPHIRE, NULL, "['vtdss/2/4/4K+2M+1G/48/-/ad','x86_64/1/4/4K+2M+1G/48/-/ad']",
	  "nothing" },
	{ "vtd", SAPPHIRE, "iommu.option.scalable-mode=false;iommu.option.given=[]",
	  "['vtdss/2/4/4K+2M+1G/48/-/ad','x86_64/1/4/4K+2M+1G/48/-/ad']",
	  "['vtdss/2/4/4K+2M+1G/48/-/ad']" },
	{ "vtd", GRANITE, "iommu.option.scalable-mode=true;iommu.option.super-pages=false",
	  "['vtdss/2/4/4K+2M+1G/48/-/ad','vtdss/2/5/4K+2M+1G/57/-/ad','x86_64/1/4/4K+2M+1G/48/-/ad',"
	  "'x86_64/1/5/4K+2M+1G/57/-/ad']",
	  "['vtdss/2/4/4K/48/-/ad','vtdss/2/5/4K/57/-/ad','x86_64/1/4/4K+2M+1G/48/-/ad',"
	  "'x86_64/1/5/4K+2M+1G/57/-/ad']" },
	/* first stage alone: legacy mode has a second one, scalable mode not */
	{ "vtd", "vtd 0x81d2008c222f0606 0x880000f00f4a",
	  "iommu.option.scalable-mode=true;iommu.option.given=[]",
	  "['vtdss/2/3/4K+2M+1G/39/-/-','vtdss/2/4/4K+2M+1G/48/-/-','x86_64/1/4/4K+2M+1G/48/-/ad']",
	  "['x86_64/1/4/4K+2M+1G/48/-/ad']" },
	{ "vtd", "vtd 0x81d2008c222f0606 0x880000f00f4a",
	  "iommu.option.scalable-mode=false;iommu.option.given=[]",
	  "['vtdss/2/3/4K+2M+1G/39/-/-','vtdss/2/4/4K+2M+1G/48/-/-','x86_64/1/4/4K+2M+1G/48/-/ad']",
	  "['vtdss/2/3/4K+2M+1G/39/-/-','vtdss/2/4/4K+2M+1G/48/-/-']" },
	{ "vtd", "vtd 0x81d2008c222f0606 0x880000f00f4a", NULL,
	  "['vtdss/2/3/4K+2M+1G/39/-/-','vtdss/2/4/4K+2M+1G/48/-/-','x86_64/1/4/4K+2M+1G/48/-/ad']",
	  "nothing" },
	/* HATS 10b: 6 levels; GATS 00b: 4 */
	{ "amdvi", NAPLES, "iommu.option.given=[]",
	  "['amdv1/2/4/4K-2^n/48/52/a','amdv1/2/5/4K-2^n/57/52/a','amdv1/2/6/4K-2^n/64/52/a',"
	  "'x86_64/1/4/4K+2M+1G/48/52/ad']",
	  "['amdv1/2/4/4K-2^n/48/52/a','amdv1/2/5/4K-2^n/57/52/a','amdv1/2/6/4K-2^n/64/52/a',"
	  "'x86_64/1/4/4K+2M+1G/48/52/ad']" },
	/* 11b is QEMU's word for no translation */
	{ "amdvi", "amd 0xcd3 0", "iommu.option.given=[]", "['x86_64/1/4/4K+2M+1G/48/52/ad']",
	  "['x86_64/1/4/4K+2M+1G/48/52/ad']" },
	{ "smmuv3", "smmu 0xd44101b 0x2730010 0x1414 0x74 0", NULL,
	  "['lpae/1/4/4K+2M+1G/48/44/-','lpae/1/4/16K+32M/48/44/-','lpae/1/3/64K+512M/48/44/-',"
	  "'lpae/2/4/4K+2M+1G/44/44/-','lpae/2/3/16K+32M/44/44/-','lpae/2/3/64K+512M/44/44/-']",
	  NULL },
};

static void test_formats(void)
{
	struct universe *universe = universe_new();

	for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
		json_t *doc = host_of(formats[i].host);
		const struct iommu_unit *u;
		g_autoptr(Profile) p = NULL;

		add_unit(doc, "u", formats[i].type, formats[i].registers, NULL, false);
		p = parse(doc, universe);
		u = profile_unit(p, "u");
		expect(facts_find(u->facts, "iommu.formats", VIEW_RAW), "formats", formats[i].raw, "raw");
		if (formats[i].kernel)
			expect(facts_find(u->facts, "iommu.formats", VIEW_KERNEL), "formats",
			       formats[i].kernel, "kernel");
	}
	universe_free(universe);
}

/* --- the host as a whole ------------------------------------------------------------------------ */

static void expect_host(const struct profile *p, const char *id, enum view view, const char *wanted)
{
	const struct scope scope = { .view = view, .migratable = -1 };

	expect(profile_fact(p, id, &scope), id, wanted, "host");
}

static void test_host(void)
{
	struct universe *universe = universe_new();
	json_t *doc = host_of("iommu.option.scalable-mode=true");
	g_autoptr(Profile) p = NULL;

	add_unit(doc, "dmar0", "vtd", SANDY, "iommu.ranges=[['0x0','0x7fffffffff']]", false);
	add_unit(doc, "dmar1", "vtd", SAPPHIRE, "iommu.ranges=[['0x0','0xffff'],['0x20000','0xffffffffffff']];"
		 "iommu.alignment=4096", true);
	add_unit(doc, "dmar2", "vtd", HASWELL, "iommu.ranges=[['0x1000','0x2ffff']];iommu.alignment=65536", true);
	p = parse(doc, universe);
	/* dmar0 serves no device that a guest could have */
	expect_host(p, "vtd.cap.mgaw", VIEW_RAW, "48");
	expect_host(p, "vtd.cap.mgaw", VIEW_KERNEL, "nothing");
	expect_host(p, "vtd.ecap.nest", VIEW_RAW, "false");
	expect_host(p, "vtd.cap.sslps", VIEW_RAW, "'0x3'");
	expect_host(p, "vtd.ecap.pss", VIEW_RAW, "absent");
	expect_host(p, "iommu.nested", VIEW_KERNEL, "false");
	expect_host(p, "iommu.ranges", VIEW_KERNEL, "[['0x1000','0xffff'],['0x20000','0x2ffff']]");
	expect_host(p, "iommu.alignment", VIEW_KERNEL, "65536");
	expect_host(p, "vtd.cap.fro", VIEW_RAW, "nothing"); /* host-only */
	expect_host(p, "iommu.type", VIEW_KERNEL, "'vtd'");
	g_assert_true(profile_unit(p, "dmar1")->serves);
	g_assert_false(profile_unit(p, "dmar0")->serves);
	g_assert_true(profile_device(p, "0000:dmar1:00.0")->unit == profile_unit(p, "dmar1"));
	universe_free(universe);
}

/* What one unit doesn't know, the host doesn't. */
static void test_host_unknown(void)
{
	struct universe *universe = universe_new();
	json_t *doc = host_of(NULL);
	g_autoptr(Profile) p = NULL;

	add_unit(doc, "a", "vtd", HASWELL, "iommu.ranges=[['0x0','0xffff']]", true);
	add_unit(doc, "b", "vtd", NULL, NULL, true);
	add_unit(doc, "c", "amdvi", NULL, "iommu.alignment=4096", true);
	p = parse(doc, universe);
	expect_host(p, "vtd.cap.mgaw", VIEW_RAW, "unknown");
	expect_host(p, "iommu.ranges", VIEW_KERNEL, "unknown");
	expect_host(p, "iommu.alignment", VIEW_KERNEL, "unknown");
	expect_host(p, "iommu.type", VIEW_KERNEL, "unknown"); /* they differ */
	expect_host(p, "iommu.nested", VIEW_KERNEL, "unknown");
	universe_free(universe);
}

/* What devices tell of their unit, where it says nothing itself. */
static void test_told_by_devices(void)
{
	struct universe *universe = universe_new();
	json_t *doc = parse_text(
		"{'format':'capbroker.profile/1','host':{'name':'h'},'iommus':[{'id':'i','type':'vtd',"
		"'devices':['d1','d2','gone']}],'devices':["
		"{'address':'d1','eligible':true,'facts':[{'id':'iommu.ranges','value':[['0x0','0xffff']]},"
		"{'id':'hwinfo.dirty-tracking','value':true},{'id':'iommu.hwpt-pasid','value':true}]},"
		"{'address':'d2','eligible':false,'facts':[{'id':'iommu.ranges','value':[['0x1000','0xfffff']]},"
		"{'id':'hwinfo.dirty-tracking','state':'unsupported-by-kernel'},"
		"{'id':'iommu.hwpt-pasid','state':'absent'}]},"
		"{'address':'d3','iommu':'nowhere','eligible':true,'facts':["
		"{'id':'iommu.ranges','value':[]}]}]}");
	g_autoptr(Profile) p = parse(doc, universe);

	g_assert_cmpuint(profile_unit(p, "i")->devices->len, ==, 2);
	g_assert_null(profile_device(p, "d3")->unit);
	g_assert_null(profile_device(p, "gone"));
	expect_host(p, "iommu.ranges", VIEW_KERNEL, "[['0x1000','0xffff']]");
	expect_host(p, "iommu.hwpt-pasid", VIEW_KERNEL, "absent");
	expect_host(p, "iommu.pasid", VIEW_KERNEL, "false");
	expect_host(p, "hwinfo.dirty-tracking", VIEW_KERNEL, "unknown");
	expect_host(p, "iommu.dirty-tracking", VIEW_KERNEL, "nothing");
	universe_free(universe);
}

/* --- classes, and what is refused --------------------------------------------------------------- */

static char *class_of(json_t *doc, struct universe *universe)
{
	g_autoptr(Profile) p = parse(doc, universe);
	char digest[65];

	profile_class(p, digest);
	return g_strdup(digest);
}

#define ONE_DEVICE(members)                                                                         \
	"{'format':'capbroker.profile/1','host':{'name':'h'},'devices':[{'address':'d'," members "}]}"

static void test_classes(void)
{
	static const struct {
		const char *a, *b;
		bool same;
	} pairs[] = {
		/* what drives a device, and its group's number, come and go */
		{ ONE_DEVICE("'eligible':true,'driver':'e1000e','group':3"),
		  ONE_DEVICE("'eligible':true,'driver':'vfio-pci','group':7"), true },
		{ ONE_DEVICE("'eligible':true,'vendor':'0x8086'"),
		  ONE_DEVICE("'eligible':true,'vendor':'0x8087'"), false },
		{ ONE_DEVICE("'eligible':false,'vendor':'0x8086'"),
		  ONE_DEVICE("'eligible':false,'vendor':'0x8087'"), true },
		{ ONE_DEVICE("'eligible':true,'facts':[{'id':'pci.ats','value':true}]"),
		  ONE_DEVICE("'eligible':true,'facts':[{'id':'pci.ats','value':false}]"), false },
		{ ONE_DEVICE("'eligible':true,'facts':[{'id':'pci.ats-enabled','value':true}]"),
		  ONE_DEVICE("'eligible':true,'facts':[{'id':'pci.ats-enabled','value':false}]"), true },
		{ "{'format':'capbroker.profile/1','host':{'name':'h'}}",
		  "{'format':'capbroker.profile/1','host':{'name':'h'},'iommus':[{'id':'i'}]}", false },
	};
	struct universe *universe = universe_new();

	for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
		g_autofree char *a = class_of(parse_text(pairs[i].a), universe);
		g_autofree char *b = class_of(parse_text(pairs[i].b), universe);

		if (!strcmp(a, b) != pairs[i].same)
			g_error("pair %zu: %s and %s", i, a, b);
	}
	universe_free(universe);
}

static const struct {
	const char *members, *words;
} refused[] = {
	{ "'iommus':{}", "iommus: must be an array" },
	{ "'iommus':[3]", "iommus[0]: must be an object" },
	{ "'iommus':[{}]", "iommus[0]: id is missing" },
	{ "'iommus':[{'id':''}]", "id is missing, empty" },
	{ "'iommus':[{'id':3}]", "iommus[0].id: must be a string" },
	{ "'iommus':[{'id':'a'},{'id':'a'}]", "iommus[1]: a second unit" },
	{ "'iommus':[{'id':'a','devices':{}}]", "a: devices must be an array" },
	{ "'iommus':[{'id':'a','facts':{}}]", "iommus[0].facts: must be an array" },
	{ "'iommus':[{'id':'a','facts':[{'id':'vtd.cap.mgaw','value':'wide'}]}]",
	  "iommus[0].facts[0] (vtd.cap.mgaw): value must be a number" },
	{ "'iommus':[{'id':'a','facts':[{'id':'vtd.cap.mgaw','value':39},{'id':'vtd.cap.mgaw','value':48}]}]",
	  "iommus[0].facts[1]: contradicts" },
	{ "'devices':3", "devices: must be an array" },
	{ "'devices':[{}]", "devices[0]: address is missing" },
	{ "'devices':[{'address':'a','group':-1}]", "group must be a number" },
	{ "'devices':[{'address':'a','group':'b'}]", "group must be a number" },
	{ "'devices':[{'address':'a'},{'address':'a'}]", "devices[1]: a second device" },
	{ "'devices':[{'address':'a','driver':false}]", "devices[0].driver: must be a string" },
	{ "'devices':[{'address':'a','facts':[{'id':'pci.ats'}]}]", "a known fact needs a value" },
};

static void test_refused(void)
{
	struct universe *universe = universe_new();

	for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
		g_autofree char *text = g_strdup_printf(
			"{'format':'capbroker.profile/1','host':{'name':'h'},%s}", refused[i].members);
		json_t *doc = parse_text(text);
		GError *error = NULL;

		g_assert_null(profile_parse(doc, universe, &error));
		fixture_one_line(&error, refused[i].words);
		json_decref(doc);
	}
	universe_free(universe);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/units/derivations", test_derivations);
	g_test_add_func("/units/formats", test_formats);
	g_test_add_func("/units/host", test_host);
	g_test_add_func("/units/host-unknown", test_host_unknown);
	g_test_add_func("/units/told-by-devices", test_told_by_devices);
	g_test_add_func("/units/classes", test_classes);
	g_test_add_func("/units/refused", test_refused);
	return g_test_run();
}
