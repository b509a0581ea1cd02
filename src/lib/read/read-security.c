/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read-security.c: what libvirt and QEMU say of encrypted guests (SEV, TDX) and of enclaves (SGX),
 * and the enclave memory that CPUID lists.
 *
 * These are facts of an emulator under KVM, whatever the machine type. Keys, certificates and the
 * processor's own id, which QEMU and libvirt tell as well, are never kept.
 */
#include "config.h"

#include <string.h>

#include "read/read-qmp.h"
#include "read/read-security.h"

#define MAX_NODES 256u
#define MAX_EPC_LEAVES 64u
#define ORIGIN "virsh domcapabilities, /domainCapabilities/features"

static void put_number(json_t *facts, const char *id, uint64_t n, const struct scope *scope,
		       const char *origin)
{
	if (n < (UINT64_C(1) << 53))
		read_put_once(facts, id, json_integer((json_int_t)n), scope, origin);
}

static void put_bool(json_t *facts, const char *id, bool yes, const struct scope *scope,
		     const char *origin)
{
	read_put_once(facts, id, json_boolean(yes), scope, origin);
}

/* --- enclave memory ---------------------------------------------------------------------------- */

struct epc {
	uint64_t total, first;
	unsigned int sections;
	json_t *nodes; /* array of "NODE:BYTES" */
};

static void epc_add(struct epc *epc, uint64_t node, uint64_t bytes)
{
	if (epc->sections >= MAX_NODES || bytes > (UINT64_C(1) << 52))
		return;
	if (!epc->sections++)
		epc->first = bytes;
	epc->total += bytes;
	json_array_append_new(epc->nodes,
			      json_sprintf("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, node, bytes));
}

static void epc_put(json_t *facts, const struct epc *epc, const struct scope *scope,
		    const char *origin)
{
	if (epc->sections) {
		put_number(facts, "sgx.epc-bytes", epc->total, scope, origin);
		put_number(facts, "sgx.first-epc-bytes", epc->first, scope, origin);
		read_put_once(facts, "sgx.epc-nodes", json_incref(epc->nodes), scope, origin);
	}
	json_decref(epc->nodes);
}

/* SDM 2A, CPUID 12H, subleaves from 2 on: sections of type 1 with their sizes. */
void read_epc_leaves(json_t *facts, const struct cpuid_row *rows, size_t n,
		     const struct scope *scope, const char *origin)
{
	uint64_t total = 0;
	unsigned int found = 0;

	for (size_t i = 0; i < n && found < MAX_EPC_LEAVES; i++) {
		const struct cpuid_row *r = &rows[i];

		if (r->leaf != 0x12 || r->subleaf < 2 || (r->eax & 0xf) != 1)
			continue;
		total += (uint64_t)(r->edx & 0xfffff) << 32 | (r->ecx & 0xfffff000u);
		found++;
	}
	if (found)
		put_number(facts, "sgx.epc-bytes", total, scope, origin);
}

/* --- libvirt's domain capabilities ------------------------------------------------------------- */

static int supported(const struct xml_node *node)
{
	const char *value = xml_attr(node, "supported");

	return !value ? -1 : !strcmp(value, "yes");
}

static bool number_of(const struct xml_node *node, uint64_t *n)
{
	return node && node->text &&
	       g_ascii_string_to_unsigned(node->text, 10, 0, (guint64)1 << 52, n, NULL);
}

static void read_sev(json_t *facts, const struct xml_node *sev, const struct scope *scope)
{
	static const char *const numbers[][2] = { { "cbitpos", "sev.cbitpos" },
						  { "reducedPhysBits", "sev.reduced-phys-bits" },
						  { "maxGuests", "sev.max-guests" },
						  { "maxESGuests", "sev.max-es-guests" } };
	uint64_t n;

	if (supported(sev) < 0)
		return;
	put_bool(facts, "sev.enabled", supported(sev), scope, ORIGIN "/sev");
	for (size_t i = 0; supported(sev) && i < G_N_ELEMENTS(numbers); i++)
		if (number_of(xml_child(sev, numbers[i][0]), &n))
			put_number(facts, numbers[i][1], n, scope, ORIGIN "/sev");
}

/* libvirt prints KiB, and says so. */
static bool size_of(const char *text, const char *unit, uint64_t *bytes)
{
	if (!text || g_strcmp0(unit, "KiB") ||
	    !g_ascii_string_to_unsigned(text, 10, 0, (guint64)1 << 42, bytes, NULL))
		return false;
	*bytes *= 1024;
	return true;
}

static void read_sections(json_t *facts, const struct xml_node *sgx, const struct scope *scope)
{
	const struct xml_node *size = xml_child(sgx, "section_size");
	struct epc epc = { .nodes = json_array() };
	uint64_t node, bytes;

	for (const struct xml_node *s = xml_at(sgx, "sections/section"); s; s = xml_same(s))
		if (xml_attr(s, "node") &&
		    g_ascii_string_to_unsigned(xml_attr(s, "node"), 10, 0, 65535, &node, NULL) &&
		    size_of(xml_attr(s, "size"), xml_attr(s, "unit"), &bytes))
			epc_add(&epc, node, bytes);
	if (!epc.sections && size && size_of(size->text, xml_attr(size, "unit"), &bytes))
		put_number(facts, "sgx.epc-bytes", bytes, scope, ORIGIN "/sgx");
	epc_put(facts, &epc, scope, ORIGIN "/sgx");
}

static void read_sgx(json_t *facts, const struct xml_node *sgx, const struct scope *scope)
{
	static const char *const words[][2] = { { "flc", "cpu.sgxlc" },
						{ "sgx1", "cpu.sgx1" },
						{ "sgx2", "cpu.sgx2" } };

	if (supported(sgx) < 0)
		return;
	put_bool(facts, "sgx.enabled", supported(sgx), scope, ORIGIN "/sgx");
	if (!supported(sgx))
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		const struct xml_node *word = xml_child(sgx, words[i][0]);

		if (word && word->text)
			put_bool(facts, words[i][1], !strcmp(word->text, "yes"), scope,
				 ORIGIN "/sgx");
	}
	read_sections(facts, sgx, scope);
}

void read_security_features(json_t *doc, const struct xml_node *root, const char *emulator,
			    const char *accel)
{
	const struct scope scope = { .view = VIEW_LIBVIRT, .emulator = emulator, .accel = accel,
				     .migratable = -1 };
	const struct xml_node *features = xml_child(root, "features");
	json_t *facts = read_facts(doc);

	/* libvirt lists them for emulation too, where QEMU can't have them. */
	if (!features || strcmp(accel, "kvm"))
		return;
	read_sev(facts, xml_child(features, "sev"), &scope);
	read_sgx(facts, xml_child(features, "sgx"), &scope);
	if (supported(xml_child(features, "tdx")) >= 0)
		put_bool(facts, "tdx.enabled", supported(xml_child(features, "tdx")), &scope,
			 ORIGIN "/tdx");
}

/* --- QEMU's replies ---------------------------------------------------------------------------- */

static bool get_size(const json_t *object, const char *key, uint64_t *n)
{
	const json_t *member = json_object_get(object, key);
	double value = json_number_value(member);

	if (!json_is_number(member) || value < 0 || value > 4503599627370496.0)
		return false;
	*n = (uint64_t)value;
	return true;
}

bool read_qmp_sev(json_t *doc, const json_t *value, const struct scope *asked, const char *origin,
		  GError **error)
{
	struct scope scope = { .view = VIEW_QEMU, .emulator = asked->emulator, .accel = "kvm",
			       .migratable = -1 };
	uint64_t cbitpos, bits;

	if (!get_size(value, "cbitpos", &cbitpos) || !get_size(value, "reduced-phys-bits", &bits) ||
	    cbitpos > 63 || bits > 63)
		return read_fail(error, origin,
				 "return: cbitpos and reduced-phys-bits must be numbers below 64");
	put_bool(read_facts(doc), "sev.enabled", true, &scope, origin);
	put_number(read_facts(doc), "sev.cbitpos", cbitpos, &scope, origin);
	put_number(read_facts(doc), "sev.reduced-phys-bits", bits, &scope, origin);
	return true;
}

bool read_qmp_sgx(json_t *doc, const json_t *value, const struct scope *asked, const char *origin,
		  GError **error)
{
	static const char *const words[][2] = { { "flc", "cpu.sgxlc" },
						{ "sgx", "sgx.enabled" },
						{ "sgx1", "cpu.sgx1" },
						{ "sgx2", "cpu.sgx2" } };
	struct scope scope = { .view = VIEW_QEMU, .emulator = asked->emulator, .accel = "kvm",
			       .migratable = -1 };
	struct epc epc = { .nodes = json_array() };
	const json_t *section;
	uint64_t node, bytes;
	size_t i;

	json_array_foreach (json_object_get(value, "sections"), i, section)
		if (get_size(section, "node", &node) && get_size(section, "size", &bytes))
			epc_add(&epc, node, bytes);
	epc_put(read_facts(doc), &epc, &scope, origin);
	for (i = 0; i < G_N_ELEMENTS(words); i++) {
		const json_t *word = json_object_get(value, words[i][0]);

		if (!json_is_boolean(word))
			return read_fail(error, origin, "return: sgx, sgx1, sgx2 and flc must be true or false");
		put_bool(read_facts(doc), words[i][1], json_is_true(word), &scope, origin);
	}
	return true;
}

void read_qmp_security_error(json_t *doc, const char *id, const json_t *reply,
			     const struct scope *asked, const char *origin)
{
	const char *why = json_string_value(json_object_get(json_object_get(reply, "error"), "desc"));
	struct scope scope = { .view = VIEW_QEMU, .emulator = asked->emulator, .accel = "kvm",
			       .migratable = -1 };
	g_autofree char *text = NULL;

	/* Asked under TCG, or of a QEMU that has no such command: no answer. */
	if (!why || strstr(why, "KVM not enabled") || strstr(why, "has not been found"))
		return;
	text = g_strdup_printf("%s: %.200s", origin, why);
	if (strstr(why, "Permission denied"))
		document_fact_missing(read_facts(doc), id, FACT_UNREADABLE, &scope, text, 0);
	else
		put_bool(read_facts(doc), id, false, &scope, text);
}
