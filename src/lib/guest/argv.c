/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* argv.c: a command that starts QEMU as a domain definition, and as needs; see argv.h. */
#include "config.h"

#include <string.h>

#include "guest/argv-parts.h"
#include "model/error.h"

static void argv_init(struct argv *argv, const char *program)
{
	*argv = (struct argv){ .program = program, .arch = arch_of_emulator(program) };
	argv->family = arch_family(argv->arch);
	argv->nodes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	argv->globals = g_ptr_array_new_with_free_func(g_free);
	argv->has = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	argv->order = g_ptr_array_new();
	argv->options = g_ptr_array_new_with_free_func(g_free);
	argv->unknown = g_ptr_array_new_with_free_func(g_free);
}

static void argv_clear(struct argv *argv)
{
	char **texts[] = { &argv->name,	  &argv->id,	   &argv->uuid,	  &argv->machine, &argv->accel,
			   &argv->fallback, &argv->cpu,   &argv->irqchip, &argv->below_4g, &argv->huge_path,
			   &argv->bios,	  &argv->pflash, &argv->pflash_node, &argv->secure, &argv->secure_id };

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
		g_free(*texts[i]);
	g_hash_table_unref(argv->nodes);
	g_clear_pointer(&argv->devices, g_ptr_array_unref);
	g_ptr_array_unref(argv->globals);
	g_ptr_array_unref(argv->order);
	g_hash_table_unref(argv->has);
	g_ptr_array_unref(argv->options);
	g_ptr_array_unref(argv->unknown);
	g_clear_pointer(&argv->secure_pairs, g_array_unref);
}

/* A program called kvm takes KVM, and emulates where there is none. */
static void resolve_accel(struct argv *argv)
{
	if (argv->accel)
		return;
	if (g_str_has_suffix(argv->program, "kvm")) {
		argv->accel = g_strdup("kvm");
		argv->fallback = g_strdup("tcg");
	} else {
		argv->accel = g_strdup("tcg");
	}
}

static const char *domain_type(const char *accel)
{
	return !strcmp(accel, "kvm") ? "kvm" : !strcmp(accel, "tcg") ? "qemu" : accel;
}

static void put_text(GString *out, const char *element, const char *text)
{
	g_autofree char *escaped = g_markup_escape_text(text, -1);

	for (const char *c = text; *c; c++)
		if ((guchar)*c < ' ')
			return;
	g_string_append_printf(out, "<%s>%s</%s>", element, escaped, element);
}

/* A name and a UUID as libvirt would have them. */
static void put_identity(GString *out, const struct argv *argv)
{
	g_autofree char *of_id = argv->id ? g_strconcat("vm-", argv->id, NULL) : NULL;
	const char *name = argv->name ? argv->name : of_id;

	if (name && strlen(name) <= 255)
		put_text(out, "name", name);
	if (argv->uuid)
		put_text(out, "uuid", argv->uuid);
}

static void put_size(GString *out, const struct argv *argv)
{
	guint64 mib = argv->memory_mib ? argv->memory_mib : 128; /* QEMU's own default */
	guint64 most = argv->max_cpus ? argv->max_cpus : MAX(argv->cpus, 1);

	g_string_append_printf(out, "<memory unit='MiB'>%" G_GUINT64_FORMAT "</memory>", mib);
	if (argv->max_memory_kib)
		g_string_append_printf(out, "<maxMemory slots='%u' unit='KiB'>%" G_GUINT64_FORMAT "</maxMemory>",
				       (guint)argv->slots, argv->max_memory_kib);
	g_string_append_printf(out, "<vcpu current='%u'>%u</vcpu>", (guint)MIN(argv->cpus ? argv->cpus : most, most),
			       (guint)most);
}

static void put_os(GString *out, const struct argv *argv)
{
	const char *code = argv->pflash_node ? g_hash_table_lookup(argv->nodes, argv->pflash_node) : argv->pflash;
	bool rom = argv->bios && !code;

	g_string_append(out, "<os><type");
	if (argv->arch)
		argv_put(out, "arch", argv->arch);
	if (argv->machine)
		argv_put(out, "machine", argv->machine);
	g_string_append(out, ">hvm</type>");
	if (rom || (code && g_path_is_absolute(code))) {
		g_autofree char *plain = g_canonicalize_filename(rom ? argv->bios : code, "/");
		g_autofree char *escaped = g_markup_escape_text(plain, -1);

		g_string_append_printf(out, "<loader type='%s'%s>%s</loader>", rom ? "rom" : "pflash",
				       rom ? "" : " readonly='yes'", escaped);
	}
	g_string_append(out, "</os>");
}

static void put_backing(GString *out, const struct argv *argv)
{
	if (!argv->huge_path && !argv->memory_shared)
		return;
	g_string_append(out, "<memoryBacking>");
	if (argv->huge_path) {
		g_string_append(out, "<hugepages>");
		if (argv->huge_kib)
			g_string_append_printf(out, "<page size='%" G_GUINT64_FORMAT "' unit='KiB'/>", argv->huge_kib);
		g_string_append(out, "</hugepages>");
	}
	if (argv->memory_shared)
		g_string_append(out, "<access mode='shared'/>");
	g_string_append(out, "</memoryBacking>");
}

/* sev-guest and its kin, as what libvirt calls them. */
static void put_security(GString *out, const struct argv *argv)
{
	static const char *const types[][2] = { { "sev-guest", "sev" },
						{ "sev-snp-guest", "sev-snp" },
						{ "tdx-guest", "tdx" } };
	static const char *const members[][2] = { { "policy", "policy" },
						  { "cbitpos", "cbitpos" },
						  { "reduced-phys-bits", "reducedPhysBits" } };

	if (!argv->secure || !argv->secure_id)
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
		if (!strcmp(types[i][0], argv->secure))
			g_string_append_printf(out, "<launchSecurity type='%s'>", types[i][1]);
	for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
		const char *value = argv_value(argv->secure_pairs, members[i][0]);

		if (value)
			put_text(out, members[i][1], value);
	}
	g_string_append(out, "</launchSecurity>");
}

static void put_arg(GString *out, const char *value)
{
	g_string_append(out, "<qemu:arg");
	argv_put(out, "value", value);
	g_string_append(out, "/>");
}

/* What dma.h and definition.h understand of QEMU's own words. */
static bool is_of_iommus(const char *driver)
{
	static const char *const drivers[] = { "amd-iommu", "arm-smmuv3", "intel-iommu", "vfio-pci",
					       "vfio-pci-nohotplug", "virtio-iommu-pci", NULL };

	return g_strv_contains(drivers, driver);
}

static void put_device(GString *out, const struct argv_device *device)
{
	g_autoptr(GString) text = g_string_new(device->driver);

	for (guint i = 0; i < device->pairs->len; i++) {
		const struct argv_pair *pair = &g_array_index(device->pairs, struct argv_pair, i);

		if (strcmp(pair->key, "driver"))
			g_string_append_printf(text, ",%s=%s", pair->key, pair->value);
	}
	put_arg(out, "-device");
	put_arg(out, text->str);
}

/* "DRIVER.PROPERTY=VALUE" or driver=…,property=…,value=…; those of IOMMUs and VFIO devices. */
static void put_global(GString *out, const char *given)
{
	g_autoptr(GArray) pairs = argv_pairs(given, NULL);
	const char *driver = argv_value(pairs, "driver"), *property = argv_value(pairs, "property");
	const char *value = argv_value(pairs, "value");
	g_autofree char *text = driver && property && value ?
					g_strdup_printf("%s.%s=%s", driver, property, value) : g_strdup(given);
	g_autofree char *whose = g_strndup(text, strcspn(text, "."));

	if (!is_of_iommus(whose))
		return;
	put_arg(out, "-global");
	put_arg(out, text);
}

static void put_machine(GString *out, const char *key, const char *value)
{
	g_autofree char *text = value ? g_strdup_printf("%s=%s", key, value) : NULL;

	if (!text)
		return;
	put_arg(out, "-machine");
	put_arg(out, text);
}

static void put_commandline(GString *out, const struct argv *argv)
{
	gsize before = out->len, begun;

	g_string_append(out, "<qemu:commandline>");
	begun = out->len;
	put_machine(out, "kernel-irqchip", argv->irqchip);
	put_machine(out, "max-ram-below-4g", argv->below_4g);
	if (argv->iommufd) {
		put_arg(out, "-object");
		put_arg(out, "iommufd");
	}
	for (guint i = 0; i < argv->globals->len; i++)
		put_global(out, g_ptr_array_index(argv->globals, i));
	for (guint i = 0; i < argv->devices->len; i++) {
		const struct argv_device *device = g_ptr_array_index(argv->devices, i);

		if (is_of_iommus(device->driver))
			put_device(out, device);
	}
	if (out->len == begun)
		g_string_truncate(out, before);
	else
		g_string_append(out, "</qemu:commandline>");
}

static void put_argv(GString *out, const struct argv *argv)
{
	g_string_append(out, "<argv");
	if (argv->fallback)
		argv_put(out, "fallback", argv->fallback);
	g_string_append_c(out, '>');
	for (guint i = 0; i < argv->order->len; i++)
		g_string_append_printf(out, "<has%s/>", (const char *)g_ptr_array_index(argv->order, i));
	for (guint i = 0; i < argv->options->len; i++)
		g_string_append_printf(out, "<given option='%s'/>", (const char *)g_ptr_array_index(argv->options, i));
	for (guint i = 0; i < argv->unknown->len; i++) {
		g_string_append(out, "<unknown");
		argv_put(out, "what", g_ptr_array_index(argv->unknown, i));
		g_string_append(out, "/>");
	}
	g_string_append(out, "</argv>");
}

/* By its path; "kvm" is a link to whichever QEMU the host has, and a bare name is looked up there. */
static void put_emulator(GString *out, const struct argv *argv)
{
	g_string_append(out, "<devices>");
	if (g_path_is_absolute(argv->program) && !g_str_has_suffix(argv->program, "/kvm"))
		put_text(out, "emulator", argv->program);
	g_string_append(out, "</devices>");
}

static char *write_definition(struct argv *argv)
{
	g_autoptr(GString) cpu = g_string_new(NULL), features = g_string_new(NULL), clock = g_string_new(NULL);
	struct argv_cpu_out parts = { cpu, features, clock };
	GString *out = g_string_new("<domain");

	resolve_accel(argv);
	argv_put(out, "type", domain_type(argv->accel));
	g_string_append_printf(out, " xmlns:qemu='%s'>", XML_QEMU_NAMESPACE);
	put_identity(out, argv);
	put_size(out, argv);
	put_os(out, argv);
	if (argv->cpu)
		argv_put_cpu(argv, &parts);
	g_string_append_printf(out, "<features>%s<apic/>%s%s</features>", argv->no_acpi ? "" : "<acpi/>",
			       argv->smm ? "<smm state='on'/>" : "", features->str);
	g_string_append_printf(out, "%s<clock offset='utc'>%s</clock>", cpu->str, clock->str);
	put_backing(out, argv);
	put_security(out, argv);
	put_emulator(out, argv);
	put_commandline(out, argv);
	put_argv(out, argv);
	g_string_append(out, "</domain>");
	return g_string_free(out, FALSE);
}

char *argv_definition(char *const *words, GError **error)
{
	struct argv argv;
	char *text;

	argv_init(&argv, words[0]);
	text = argv_read(&argv, words, error) ? write_definition(&argv) : NULL;
	argv_clear(&argv);
	return text;
}

struct needs *needs_from_argv(const char *bytes, size_t length, GError **error)
{
	g_auto(GStrv) words = argv_words(bytes, length, error);
	g_autofree char *text = words ? argv_definition(words, error) : NULL;
	g_autoptr(XmlDocument) xml = text ? xml_parse(text, strlen(text), "command", error) : NULL;

	return xml ? needs_from_xml(xml, error) : NULL;
}

struct needs *needs_read(const char *bytes, size_t length, const char *where, GError **error)
{
	bool argv = argv_is(bytes, length);
	g_autoptr(XmlDocument) xml = argv ? NULL : xml_parse(bytes, length, where, error);
	struct needs *needs = argv ? needs_from_argv(bytes, length, error) :
			      xml  ? needs_from_xml(xml, error) : NULL;

	if (!needs && (argv || xml))
		g_prefix_error(error, "%s: ", where);
	return needs;
}
