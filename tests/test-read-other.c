/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-read-other.c: what is read of hosts of other architectures, and of what libvirt keeps of a
 * QEMU: its cache, recorded conversations; whole, and cut off anywhere.
 */
#include "config.h"

#include <string.h>

#include "read-fixture.h"
#include "read/read.h"

/* Documents are written with ' for " where they are JSON. */
#define CACHE(inside) "<qemuCaps>" inside "</qemuCaps>"
#define Z_CACHE                                                                                   \
	CACHE("<emulator>/opt/qemu-z</emulator><selfvers>11003000</selfvers><version>9002001</version>" \
	      "<package>v9.2.1</package><arch>s390x</arch>"                                       \
	      "<cpu type='kvm' name='gen16a' typename='t' usable='no'><blocker name='nnpa'/></cpu>" \
	      "<cpu type='kvm' name='gen16a-base' typename='t' usable='yes'/>"                    \
	      "<cpu type='tcg' name='qemu' typename='t'/>"                                        \
	      "<machine type='kvm' name='s390-ccw-virtio-9.2' alias='s390-ccw-virtio' maxCpus='248'" \
	      " default='yes'/>"                                                                  \
	      "<machine type='tcg' name='s390-ccw-virtio-2.8' maxCpus='248' deprecated='yes'/>"   \
	      "<hostCPU type='kvm' model='gen16a-base' migratability='no'>"                       \
	      "<property name='vx' type='boolean' value='true'/>"                                 \
	      "<property name='msa5' type='boolean' value='true'/>"                               \
	      "<property name='te' type='boolean' value='false'/></hostCPU>")
#define TURN(command, reply) "{'execute':'" command "','id':'a'}{'id':'a','return':" reply "}"
#define ASKED(command, arguments, reply)                                                          \
	"{'execute':'" command "','arguments':" arguments ",'id':'a'}{'id':'a','return':" reply "}"
#define MODEL(name, props) "{'model':{'name':'" name "','props':{" props "}}}"

static struct cpu_models *models;

static char *json_of(const char *text)
{
	return *text == '<' ? g_strdup(text) : g_strdelimit(g_strdup(text), "'", '"');
}

static bool try_read(json_t *doc, const char *name, const char *text, GError **error)
{
	const struct read_hints hints = { .name = name, .migratable = -1, .models = models };
	g_autofree char *bytes = json_of(text);

	return read_file(doc, bytes, strlen(bytes), &hints, error);
}

static json_t *read_doc(const char *arch, const char *name, const char *text)
{
	json_t *doc = document_new("h", NULL, arch);
	g_autoptr(GError) error = NULL;

	if (!try_read(doc, name, text, &error))
		g_error("%s", error->message);
	fixture_check_profile(doc);
	return doc;
}

/* The entry of an accelerator, with @machine "none". */
static const json_t *entry_of(const json_t *doc, const char *accel)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(doc, "emulators"), i, entry)
		if (!g_strcmp0(json_string_value(json_object_get(entry, "accel")), accel))
			return entry;
	return NULL;
}

static const json_t *value(const json_t *entry, const char *id)
{
	return json_object_get(fixture_fact(json_object_get(entry, "facts"), id, NULL), "value");
}

static const char *text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static size_t size(const json_t *object, const char *key)
{
	return json_array_size(json_object_get(object, key));
}

static void test_cache(void)
{
	json_t *doc = read_doc(NULL, "caps.xml", Z_CACHE);
	const json_t *kvm = entry_of(doc, "kvm"), *tcg = entry_of(doc, "tcg"), *m;

	g_assert_cmpuint(size(doc, "emulators"), ==, 2);
	g_assert_cmpstr(text(json_object_get(doc, "host"), "arch"), ==, "s390x");
	g_assert_cmpstr(text(kvm, "path"), ==, "/opt/qemu-z");
	g_assert_cmpstr(text(kvm, "version"), ==, "9.2.1");
	g_assert_cmpstr(text(tcg, "version"), ==, "9.2.1");
	g_assert_cmpuint(size(kvm, "machines"), ==, 1);
	m = json_array_get(json_object_get(tcg, "machines"), 0);
	g_assert_cmpstr(text(m, "name"), ==, "s390-ccw-virtio-2.8");
	g_assert_true(json_is_true(json_object_get(m, "deprecated")));
	m = json_array_get(json_object_get(kvm, "cpu_models"), 0);
	g_assert_cmpstr(text(m, "name"), ==, "gen16a");
	g_assert_true(json_is_false(json_object_get(m, "usable")));
	g_assert_cmpstr(json_string_value(json_array_get(json_object_get(m, "missing"), 0)), ==, "nnpa");
	m = json_array_get(json_object_get(tcg, "cpu_models"), 0);
	g_assert_null(json_object_get(m, "usable"));
	/* the model's, what comes to it, and each member of a group; what is false is absent */
	g_assert_true(json_is_true(value(kvm, "s390x.stfle53")));
	g_assert_true(json_is_true(value(kvm, "s390x.vx")));
	g_assert_true(json_is_true(value(kvm, "s390x.msa5")));
	g_assert_true(json_is_true(value(kvm, "s390x.ppno-sha-512-drng")));
	g_assert_false(json_is_true(value(kvm, "s390x.te")));
	g_assert_cmpstr(json_string_value(value(kvm, "s390x.model")), ==, "gen16a-base");
	g_assert_true(json_is_true(json_object_get(kvm, "complete")));
	g_assert_null(value(tcg, "s390x.vx"));
	g_assert_cmpstr(json_string_value(json_object_get(
				fixture_fact(json_object_get(doc, "facts"), "libvirt.version", NULL), "value")),
			==, "11.3.0");
	json_decref(doc);
}

/* POWER's host tells its generation by the model whose type is the host's own; Arm its GICs. */
static void test_cache_others(void)
{
	json_t *doc = read_doc(NULL, "caps.xml",
			       CACHE("<arch>ppc64</arch>"
				     "<cpu type='kvm' name='host' typename='host-powerpc64-cpu'/>"
				     "<cpu type='kvm' name='POWER9' typename='host-powerpc64-cpu'/>"
				     "<cpu type='kvm' name='POWER8' typename='power8_v2.0-powerpc64-cpu'/>"
				     "<machine type='kvm' name='pseries-9.2' maxCpus='2048'/>"));
	const json_t *kvm = entry_of(doc, "kvm"), *gic;

	g_assert_cmpstr(text(kvm, "path"), ==, "qemu-system-ppc64");
	g_assert_cmpstr(json_string_value(value(kvm, "ppc64.model")), ==, "POWER9");
	g_assert_cmpint(json_integer_value(value(kvm, "ppc64.compat")), ==, 4);
	json_decref(doc);

	doc = read_doc(NULL, "caps.xml",
		       CACHE("<arch>aarch64</arch><machine type='kvm' name='virt-9.2' maxCpus='512'/>"
			     "<hostCPU type='kvm' model='host' migratability='no'>"
			     "<property name='sve' type='boolean' value='false'/>"
			     "<property name='sve128' type='boolean' value='true'/></hostCPU>"
			     "<gic version='2' kernel='no' emulated='yes'/>"
			     "<gic version='3' kernel='yes' emulated='yes'/>"));
	kvm = entry_of(doc, "kvm");
	gic = json_object_get(fixture_fact(json_object_get(doc, "facts"), "arm64.gic-versions", "kvm"),
			      "value");
	g_assert_cmpuint(json_array_size(gic), ==, 1);
	g_assert_cmpstr(json_string_value(json_array_get(gic, 0)), ==, "3");
	g_assert_true(json_is_true(value(kvm, "arm64.sve128")));
	g_assert_false(json_is_true(json_object_get(kvm, "complete")));
	json_decref(doc);

	/* emulation alone tells nothing of the host */
	doc = read_doc(NULL, "caps.xml", CACHE("<arch>riscv64</arch><machine type='tcg' name='virt'/>"));
	g_assert_null(text(json_object_get(doc, "host"), "arch"));
	json_decref(doc);
}

/* A conversation with KVM, and the second one that libvirt has with TCG. */
static void test_transcript(void)
{
	json_t *doc = read_doc(
		NULL, "caps.replies",
		"{'QMP':{'version':{'qemu':{'micro':1,'minor':2,'major':9},'package':''},'capabilities':[]}}"
		TURN("qmp_capabilities", "{}")
		TURN("query-version", "{'qemu':{'micro':1,'minor':2,'major':9},'package':''}")
		TURN("query-target", "{'arch':'s390x'}")
		TURN("query-kvm", "{'enabled':true,'present':true}")
		"{'event':'X','data':{},'timestamp':{}}"
		TURN("query-machines", "[{'name':'s390-ccw-virtio-9.2','cpu-max':248}]")
		ASKED("query-cpu-model-expansion", "{'type':'static','model':{'name':'host'}}",
		      MODEL("gen16a-base", "'vx':true"))
		ASKED("query-cpu-model-expansion",
		      "{'type':'static','model':{'name':'host','props':{'vx':false}}}",
		      MODEL("z14-base", ""))
		TURN("qmp_capabilities", "{}")
		TURN("query-target", "{'arch':'s390x'}")
		TURN("query-kvm", "{'enabled':false,'present':true}")
		TURN("query-machines", "[{'name':'s390-ccw-virtio-9.2','cpu-max':248}]"));
	const json_t *kvm = entry_of(doc, "kvm");

	g_assert_cmpuint(size(doc, "emulators"), ==, 2);
	g_assert_nonnull(entry_of(doc, "tcg"));
	g_assert_cmpstr(text(kvm, "path"), ==, "qemu-system-s390x");
	g_assert_cmpstr(text(kvm, "version"), ==, "9.2.1");
	g_assert_cmpstr(json_string_value(value(kvm, "s390x.model")), ==, "gen16a-base");
	g_assert_true(json_is_true(value(kvm, "s390x.vx")));
	json_decref(doc);
}

/* Answers count by their question's id; what has none is left out. */
static void test_transcript_ids(void)
{
	json_t *doc = read_doc(NULL, "caps.replies",
			       "{'execute':'query-version','id':'x'}"
			       "{'id':'y','return':{'qemu':{'micro':0,'minor':0,'major':1},'package':''}}"
			       "{'id':'x','return':{'qemu':{'micro':0,'minor':1,'major':9},'package':''}}"
			       "{'execute':'query-kvm','id':'z'}"
			       "{'execute':'query-machines','id':'m'}{'id':'m','error':{'class':'C','desc':'d'}}");

	g_assert_cmpstr(text(entry_of(doc, "tcg"), "version"), ==, "9.1.0");
	g_assert_null(entry_of(doc, "kvm"));
	json_decref(doc);
	doc = read_doc(NULL, "caps.replies",
		       TURN("query-kvm", "{'enabled':false,'present':false}")
		       ASKED("qom-list-types", "{}", "[{'name':'hvf-accel','parent':'accel'}]")
		       TURN("query-machines", "[{'name':'virt-9.2','cpu-max':8}]"));
	g_assert_nonnull(entry_of(doc, "hvf"));
	json_decref(doc);
}

/* One reply alone: the emulated architecture by query-target, s390x in full and as a delta. */
static void test_replies(void)
{
	json_t *doc = read_doc("s390x", "qmp-kvm-none-query-cpu-model-expansion-full-host.json",
			       "{'return':" MODEL("host", "'vx':true,'te':false,'msa5-base':true,"
								  "'ppno-sha-512-drng':true") "}");
	const json_t *kvm = entry_of(doc, "kvm"), *gic;

	g_assert_true(json_is_true(value(kvm, "s390x.vx")));
	g_assert_true(json_is_true(json_object_get(kvm, "complete")));
	json_decref(doc);

	doc = read_doc("aarch64", "qmp-kvm-none-query-gic-capabilities.json",
		       "{'return':[{'emulated':true,'version':2,'kernel':false},"
		       "{'emulated':false,'version':3,'kernel':true}]}");
	gic = json_object_get(fixture_fact(json_object_get(doc, "facts"), "arm64.gic-versions", "kvm"),
			      "value");
	g_assert_cmpuint(json_array_size(gic), ==, 1);
	json_decref(doc);

	doc = read_doc(NULL, "qmp-tcg-none-query-target.json",
		       "{'return':{'arch':'ppc64'}}{'return':[{'name':'pseries-9.2','cpu-max':8}]}");
	g_assert_cmpstr(text(entry_of(doc, "tcg"), "path"), ==, "qemu-system-ppc64");
	json_decref(doc);
}

static const struct refusal {
	const char *text, *words;
} refusals[] = {
	{ CACHE(""), "arch" },
	{ CACHE("<arch></arch>"), "arch" },
	{ CACHE("<arch>s390x</arch><machine type='kvm'/>"), "name" },
	{ CACHE("<arch>s390x</arch><cpu type='kvm' usable='yes'/>"), "name" },
	{ "{'execute':'query-kvm','id':'1'}", "no command" },
	{ "{'execute':'query-kvm','id':'1'}{'id':'2','return':{}}", "no command" },
	{ TURN("query-machines", "[{'name':'','cpu-max':1}]"), "name" },
	{ TURN("query-cpu-model-expansion", "{'model':{'props':{}}}"), "return.model" },
};

static void test_refusals(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
		json_t *doc = document_new("h", NULL, NULL);
		GError *error = NULL;

		g_test_message("%s", refusals[i].text);
		g_assert_false(try_read(doc, "file", refusals[i].text, &error));
		if (error)
			fixture_one_line(&error, refusals[i].words);
		json_decref(doc);
	}
}

/* More than anybody has is refused, not kept. */
static void test_bounded(void)
{
	static const struct {
		const char *head, *each, *tail;
		guint n;
	} many[] = {
		{ "<qemuCaps><arch>s390x</arch>", "<machine type='kvm' name='m%u' maxCpus='1'/>", "</qemuCaps>",
		  6000 },
		{ "<qemuCaps><arch>s390x</arch>", "<cpu type='kvm' name='m%u' usable='yes'/>", "</qemuCaps>",
		  20000 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(many); i++) {
		GString *xml = g_string_new(many[i].head);
		json_t *doc = document_new("h", NULL, NULL);
		GError *error = NULL;

		for (guint k = 0; k < many[i].n; k++) {
			g_auto(GStrv) parts = g_strsplit(many[i].each, "%u", 2);

			g_string_append_printf(xml, "%s%u%s", parts[0], k, parts[1]);
		}
		g_string_append(xml, many[i].tail);
		g_assert_false(try_read(doc, "caps.xml", xml->str, &error));
		if (error)
			fixture_one_line(&error, NULL);
		json_decref(doc);
		g_string_free(xml, TRUE);
	}
}

/* Whatever is left of a file, it is read, or refused in one line. */
static void test_truncated(void)
{
	static const char *const whole[] = {
		Z_CACHE,
		TURN("qmp_capabilities", "{}") TURN("query-target", "{'arch':'s390x'}")
			ASKED("query-cpu-model-expansion", "{'type':'static','model':{'name':'host'}}",
			      MODEL("gen16a-base", "'vx':true")),
		"{'return':[{'emulated':true,'version':2,'kernel':false}]}",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(whole); i++) {
		g_autofree char *bytes = json_of(whole[i]);

		for (size_t n = 0; n < strlen(bytes); n++) {
			const struct read_hints hints = { .name = "file", .migratable = -1, .models = models };
			g_autofree char *copy = g_memdup2(bytes, n ? n : 1);
			json_t *doc = document_new("h", NULL, NULL);
			GError *error = NULL;

			if (read_file(doc, copy, n, &hints, &error))
				fixture_check_profile(doc);
			else
				fixture_one_line(&error, NULL);
			json_decref(doc);
		}
	}
}

/* The levels that QEMU's pseries can promise, by bits of KVM_PPC_GET_CPU_CHAR from the left. */
#define BIT(n) (UINT64_C(1) << (63 - (n)))
#define ALL UINT64_MAX
static const struct levels {
	uint64_t character, character_mask, behaviour, behaviour_mask;
	bool power8;
	int cfpc, sbbc, ibs;
	bool assist;
} levels[] = {
	{ 0, 0, 0, 0, false, 0, 0, 0, false },                  /* nothing is known */
	{ 0, ALL, ALL, ALL, false, 0, 0, 1, false },            /* nothing helps */
	{ 0, ALL, 0, ALL, false, 2, 2, 4, false },              /* nothing needs be done */
	{ BIT(2), ALL, ALL, ALL, true, 1, 0, 1, false },        /* flush by ori; POWER8 has no threads to part */
	{ BIT(2), ALL, ALL, ALL, false, 0, 0, 1, false },       /* … and others do */
	{ BIT(3) | BIT(4), ALL, ALL, ALL, false, 1, 0, 1, false }, /* flush by trig2, parted */
	{ BIT(2) | BIT(4), 0, ALL, ALL, false, 0, 0, 1, false }, /* but not told */
	{ BIT(0), ALL, ALL, ALL, false, 0, 1, 1, false },       /* a barrier */
	{ BIT(1), ALL, ALL & ~BIT(5), ALL, false, 0, 0, 2, false }, /* branches serialised */
	{ BIT(7), ALL, ALL & ~BIT(5), ALL, false, 0, 0, 3, false }, /* count cache off */
	{ BIT(1) | BIT(7), ALL, ALL & ~BIT(5), ALL, false, 0, 0, 3, false },
	{ BIT(9), ALL, ALL, ALL, false, 0, 0, 1, true },        /* help in flushing it */
	{ 0, 0, ALL & ~BIT(5), BIT(5), false, 0, 0, 0, false }, /* no flush needed, the rest not told */
};

static void test_power_levels(void)
{
	const struct scope kvm = { .view = VIEW_KVM, .migratable = -1 };

	for (size_t i = 0; i < G_N_ELEMENTS(levels); i++) {
		const struct levels *l = &levels[i];
		const struct power_characteristics c = { l->character, l->character_mask, l->behaviour,
							 l->behaviour_mask, l->power8 };
		json_t *doc = document_new("h", NULL, "ppc64le");

		g_test_message("row %zu", i);
		read_power_characteristics(doc, &c, &kvm);
		g_assert_cmpint(json_integer_value(value(doc, "pseries.cap-cfpc")), ==, l->cfpc);
		g_assert_cmpint(json_integer_value(value(doc, "pseries.cap-sbbc")), ==, l->sbbc);
		g_assert_cmpint(json_integer_value(value(doc, "pseries.cap-ibs")), ==, l->ibs);
		g_assert_true(json_is_true(value(doc, "pseries.cap-ccf-assist")) == l->assist);
		fixture_check_profile(doc);
		json_decref(doc);
	}
}

int main(int argc, char **argv)
{
	int failed;

	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	models = fixture_models();
	g_test_add_func("/read/other/cache", test_cache);
	g_test_add_func("/read/other/cache-others", test_cache_others);
	g_test_add_func("/read/other/transcript", test_transcript);
	g_test_add_func("/read/other/transcript-ids", test_transcript_ids);
	g_test_add_func("/read/other/replies", test_replies);
	g_test_add_func("/read/other/refusals", test_refusals);
	g_test_add_func("/read/other/bounded", test_bounded);
	g_test_add_func("/read/other/truncated", test_truncated);
	g_test_add_func("/read/other/power-levels", test_power_levels);
	failed = g_test_run();
	cpu_models_free(models);
	return failed;
}
