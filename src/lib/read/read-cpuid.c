/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read-cpuid.c: register values as facts, by the dictionary's places of fields in registers.
 */
#include "config.h"

#include <string.h>

#include "model/error.h"
#include "read/read-security.h"

#define MAX_ROWS 65536u
#define MAX_MSRS 4096u

static const struct cpuid_row *find_row(const struct cpuid_row *rows, size_t n, uint32_t leaf,
					uint32_t subleaf)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].leaf == leaf && rows[i].subleaf == subleaf)
			return &rows[i];
	return NULL;
}

static uint32_t part_of(const struct cpuid_row *row, char part)
{
	return part == 'a'   ? row->eax
	       : part == 'b' ? row->ebx
	       : part == 'c' ? row->ecx
			     : row->edx;
}

static json_t *hex(uint64_t value)
{
	char text[24];

	g_snprintf(text, sizeof(text), "0x%" G_GINT64_MODIFIER "x", value);
	return json_string(text);
}

static json_t *number(uint64_t value)
{
	return value < (1ull << 53) ? json_integer((json_int_t)value) : hex(value);
}

/* The value of a register's field. */
static json_t *field_value(const struct capability *cap, uint64_t reg)
{
	unsigned int width = cap->high - cap->low + 1u;
	uint64_t value = reg >> cap->low;
	json_t *low, *high;

	if (width < 64)
		value &= (1ull << width) - 1;
	switch (cap->type) {
	case CAP_BOOL:
		return json_boolean(value != 0);
	case CAP_UINT:
		return number(value);
	case CAP_BITMAP:
		return hex(value);
	case CAP_PAIR:
		low = hex(reg & 0xffffffffu);
		high = hex(reg >> 32);
		return json_pack("{s:o, s:o}", "allowed0", low, "allowed1", high);
	default:
		return NULL;
	}
}

/* A width or a version of zero says nothing. */
static bool says_nothing(const struct capability *cap, uint64_t reg)
{
	return cap->type == CAP_UINT && cap->unit && !strcmp(cap->unit, "bits") &&
	       !((reg >> cap->low) & ((1ull << (cap->high - cap->low + 1u)) - 1));
}

static void put_unnamed(json_t *facts, const char *name, uint64_t bits, const struct scope *scope,
			const char *origin)
{
	for (unsigned int i = 0; i < 64; i++) {
		g_autofree char *id = NULL;

		if (!(bits >> i & 1))
			continue;
		id = g_strdup_printf("cpu.unnamed.%s.%u", name, i);
		document_fact(facts, id, json_true(), scope, origin);
	}
}

/* Every field that the dictionary has in one register. @read: it was, and isn't zero by default. */
static void put_register(json_t *facts, int reg, uint64_t value, bool read,
			 const struct scope *scope, const char *origin)
{
	for (size_t i = 0; i < cap_count; i++) {
		const struct capability *cap = &cap_table[i];
		json_t *json;

		if (cap->reg != reg || (!read && cap->type != CAP_BOOL) ||
		    says_nothing(cap, value))
			continue;
		json = field_value(cap, value);
		if (json)
			document_fact(facts, cap->id, json, scope, origin);
	}
	put_unnamed(facts, cap_registers[reg].name, value & ~cap_registers[reg].known, scope,
		    origin);
}

static void put_vendor(json_t *facts, const struct cpuid_row *row, const struct scope *scope,
		       const char *origin)
{
	char vendor[13];

	memcpy(vendor, &row->ebx, 4);
	memcpy(vendor + 4, &row->edx, 4);
	memcpy(vendor + 8, &row->ecx, 4);
	vendor[12] = 0;
	for (char *c = vendor; *c; c++)
		if (!g_ascii_isprint(*c))
			*c = '?';
	if (*vendor)
		document_fact(facts, "cpu.vendor", json_string(read_vendor(vendor)), scope, origin);
}

/* Base and extended fields put together as the kernel does. */
static void put_signature(json_t *facts, uint32_t eax, const struct scope *scope,
			  const char *origin)
{
	uint32_t family = eax >> 8 & 0xf, model = eax >> 4 & 0xf;

	if (family == 0xf)
		family += eax >> 20 & 0xff;
	if (family >= 6)
		model |= eax >> 12 & 0xf0;
	document_fact(facts, "cpu.family", json_integer(family), scope, origin);
	document_fact(facts, "cpu.model", json_integer(model), scope, origin);
	document_fact(facts, "cpu.stepping", json_integer(eax & 0xf), scope, origin);
}

static void put_brand(json_t *facts, const struct cpuid_row *rows, size_t n,
		      const struct scope *scope, const char *origin)
{
	char brand[49] = "";

	for (uint32_t i = 0; i < 3; i++) {
		const struct cpuid_row *row = find_row(rows, n, 0x80000002u + i, 0);

		if (!row)
			return;
		memcpy(brand + 16 * i, &row->eax, 16);
	}
	for (char *c = brand; *c; c++)
		if (!g_ascii_isprint(*c))
			*c = '?';
	g_strstrip(brand);
	if (*brand)
		document_fact(facts, "host.cpu-model-name", json_string(brand), scope, origin);
}

/* New subleaves of leaf 7 hold nothing but features: their bits are news to the dictionary. */
static void put_new_subleaves(json_t *facts, const struct cpuid_row *rows, size_t n,
			      const struct scope *scope, const char *origin)
{
	for (size_t i = 0; i < n; i++) {
		if (rows[i].leaf != 7 || !rows[i].subleaf || rows[i].subleaf > 64)
			continue;
		for (const char *part = "abcd"; *part; part++) {
			g_autofree char *name = g_strdup_printf("cpuid.7.%x.e%cx", rows[i].subleaf,
								*part);

			if (cap_find_register(REG_CPUID, 7, rows[i].subleaf, *part) < 0)
				put_unnamed(facts, name, part_of(&rows[i], *part), scope, origin);
		}
	}
}

/* KVM's leaves are KVM's only behind its own signature: others have theirs in the same place. */
static bool is_of_kvm(const struct cpuid_row *rows, size_t n)
{
	const struct cpuid_row *row = find_row(rows, n, 0x40000000, 0);

	return !row || (row->ebx == 0x4b4d564b && row->ecx == 0x564b4d56 && row->edx == 0x4d);
}

void read_cpuid(json_t *doc, const struct cpuid_row *rows, size_t n, bool complete,
		const struct scope *scope, const char *origin)
{
	json_t *facts = read_facts(doc);
	const struct cpuid_row *row;
	bool kvm;

	n = MIN(n, MAX_ROWS);
	kvm = is_of_kvm(rows, n);
	row = find_row(rows, n, 0, 0);
	if (row)
		put_vendor(facts, row, scope, origin);
	row = find_row(rows, n, 1, 0);
	if (row)
		put_signature(facts, row->eax, scope, origin);
	put_brand(facts, rows, n, scope, origin);
	for (size_t i = 0; i < cap_register_count; i++) {
		const struct cap_register *reg = &cap_registers[i];

		if (reg->kind != REG_CPUID)
			continue;
		row = reg->index >> 28 != 4 || kvm ? find_row(rows, n, reg->index, reg->subindex) : NULL;
		if (row || complete)
			put_register(facts, (int)i, row ? part_of(row, reg->part) : 0, row != NULL,
				     scope, origin);
	}
	put_new_subleaves(facts, rows, n, scope, origin);
	read_epc_leaves(facts, rows, n, scope, origin);
}

void read_msr(json_t *doc, uint32_t index, uint64_t value, const struct scope *scope,
	      const char *origin)
{
	int reg = cap_find_register(REG_MSR, index, 0, 0);

	if (reg >= 0)
		put_register(read_facts(doc), reg, value, true, scope, origin);
}

/* A word of a line: "1f", "0x1f", "0x1f:", "eax=0x1f". */
static bool parse_word(const char *word, uint32_t *out)
{
	g_autofree char *text = NULL;
	guint64 n;

	if (word[0] == 'e' && word[1] && word[2] == 'x' && word[3] == '=')
		word += 4;
	if (word[0] == '0' && (word[1] == 'x' || word[1] == 'X'))
		word += 2;
	text = g_strndup(word, strcspn(word, ":"));
	if (!g_ascii_string_to_unsigned(text, 16, 0, G_MAXUINT32, &n, NULL))
		return false;
	*out = (uint32_t)n;
	return true;
}

static bool parse_line(char *line, struct cpuid_row *row)
{
	uint32_t *const out[] = { &row->leaf, &row->subleaf, &row->eax,
				  &row->ebx,  &row->ecx,     &row->edx };
	char *rest = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(out); i++) {
		char *word = strtok_r(i ? NULL : line, " \t", &rest);

		if (!word || !parse_word(word, out[i]))
			return false;
	}
	return !strtok_r(NULL, " \t", &rest);
}

GArray *read_cpuid_lines(const char *bytes, size_t length, const char *where, GError **error)
{
	g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(struct cpuid_row));
	const char *end = bytes + length;

	for (unsigned int n = 1; bytes < end; n++) {
		const char *eol = memchr(bytes, '\n', (size_t)(end - bytes));
		size_t size = (size_t)((eol ? eol : end) - bytes);
		g_autofree char *line = g_strndup(bytes, MIN(size, 512));
		struct cpuid_row row;

		bytes += size + 1;
		g_strstrip(line);
		/* "CPU 0:" heads what cpuid(1) prints with -r; one processor is enough. */
		if (g_str_has_prefix(line, "CPU") && rows->len)
			break;
		if (!*line || *line == '#' || g_str_has_prefix(line, "CPU"))
			continue;
		if (size > 500 || rows->len == MAX_ROWS || !parse_line(line, &row)) {
			g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
				    "%s: line %u: expected 'leaf subleaf eax ebx ecx edx' in hexadecimal",
				    where, n);
			return NULL;
		}
		g_array_append_val(rows, row);
	}
	if (!rows->len) {
		read_fail(error, where, "holds no CPUID line");
		return NULL;
	}
	return g_steal_pointer(&rows);
}

static bool get_hex(const struct xml_node *node, const char *attribute, uint32_t *out,
		    GError **error)
{
	const char *value = xml_attr(node, attribute);

	*out = 0;
	if ((value || !strcmp(attribute, "ecx_in")) && (!value || parse_word(value, out)))
		return true;
	g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
		    "/cpudata (line %u): %s= is missing or not hexadecimal", node->line, attribute);
	return false;
}

static bool read_xml_msrs(json_t *doc, const struct xml_node *root, const struct scope *scope,
			  const char *origin, GError **error)
{
	unsigned int n = 0;

	for (const struct xml_node *msr = xml_child(root, "msr"); msr; msr = xml_same(msr)) {
		uint32_t index, eax, edx;

		if (n++ == MAX_MSRS)
			return read_fail(error, "/cpudata", "too many MSRs");
		if (!get_hex(msr, "index", &index, error) || !get_hex(msr, "eax", &eax, error) ||
		    !get_hex(msr, "edx", &edx, error))
			return false;
		read_msr(doc, index, (uint64_t)edx << 32 | eax, scope, origin);
	}
	return true;
}

bool read_cpuid_xml(json_t *doc, const struct xml_document *xml, const struct scope *scope,
		    const char *origin, GError **error)
{
	const struct xml_node *root = xml_root(xml);
	g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(struct cpuid_row));

	if (strcmp(root->name, "cpudata") || g_strcmp0(xml_attr(root, "arch"), "x86"))
		return read_fail(error, origin, "is no <cpudata arch='x86'>");
	for (const struct xml_node *c = xml_child(root, "cpuid"); c; c = xml_same(c)) {
		struct cpuid_row row;

		if (rows->len == MAX_ROWS)
			return read_fail(error, "/cpudata", "too many CPUID rows");
		if (!get_hex(c, "eax_in", &row.leaf, error) ||
		    !get_hex(c, "ecx_in", &row.subleaf, error) ||
		    !get_hex(c, "eax", &row.eax, error) || !get_hex(c, "ebx", &row.ebx, error) ||
		    !get_hex(c, "ecx", &row.ecx, error) || !get_hex(c, "edx", &row.edx, error))
			return false;
		g_array_append_val(rows, row);
	}
	read_cpuid(doc, (const struct cpuid_row *)(void *)rows->data, rows->len, true, scope,
		   origin);
	return read_xml_msrs(doc, root, scope, origin, error);
}
