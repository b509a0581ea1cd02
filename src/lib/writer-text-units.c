/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* writer-text-units.c: IOMMU units and what is behind them, as text; see writer-text.h. */
#include "config.h"

#include <string.h>

#include "writer-text-out.h"

#define INDENT 9
#define FEW 6u

/* "4K", "2M", "1G", of a number of bytes that is a power of two. */
static char *size_text(unsigned int bit)
{
	static const char *const units[] = { "", "K", "M", "G", "T", "P", "E" };

	return g_strdup_printf("%u%s", 1u << bit % 10, units[bit / 10]);
}

/* Page sizes of a bitmap; a run of more than four is shortened to its ends. */
static char *page_sizes(const char *hex)
{
	guint64 sizes = g_ascii_strtoull(hex, NULL, 16);
	GString *text = g_string_new(NULL);

	for (unsigned int bit = 0; bit < 64; bit++) {
		unsigned int end = bit;
		g_autofree char *first = size_text(bit), *last = NULL;

		if (!(sizes >> bit & 1))
			continue;
		while (end < 63 && sizes >> (end + 1) & 1)
			end++;
		last = size_text(end);
		if (text->len)
			g_string_append_c(text, ' ');
		if (end - bit > 3) {
			g_string_append_printf(text, "%s…%s", first, last);
			bit = end;
		} else {
			g_string_append(text, first);
		}
	}
	return g_string_free(text, FALSE);
}

static const char *yes_no(const json_t *unit, const char *key)
{
	const json_t *value = json_object_get(unit, key);

	return json_is_true(value) ? "yes" : json_is_false(value) ? "no" : "not known";
}

/* "0x0-0x7fff, 0x9000-…", and by whose word. */
static void maps(struct out *out, const json_t *unit)
{
	const json_t *ranges = json_object_get(unit, "ranges");
	const char *view = get_text(json_object_get(unit, "views"), "ranges", "");
	g_autofree char *text = value_text(ranges);

	if (!ranges)
		out_item(out, "  maps", INDENT + 2, "which addresses isn't known");
	else
		out_itemf(out, "  maps", INDENT + 2, "%s%s", json_array_size(ranges) ? text : "nothing",
			  strcmp(view, "raw") ? "" : " (reckoned from registers, not asked of the kernel)");
}

static void holes(struct out *out, const json_t *unit)
{
	const json_t *list = json_object_get(unit, "holes"), *reserved = json_object_get(unit, "reserved");
	g_autofree char *text = value_text(list);
	g_autofree char *names = join_strings(reserved, " ");

	if (json_array_size(list))
		out_item(out, "  holes", INDENT + 2, text);
	if (*names && out->options->verbose)
		out_item(out, "  keeps", INDENT + 2, names);
}

static void unit_head(struct out *out, const json_t *unit)
{
	const json_t *bits = json_object_get(unit, "address_bits");
	const char *hex = get_text(unit, "page_sizes", NULL);
	g_autofree char *pages = hex ? page_sizes(hex) : NULL;
	g_autofree char *width = bits ? g_strdup_printf(", %d bits", (int)json_integer_value(bits))
				      : g_strdup("");

	out_itemf(out, "iommu", INDENT, "%s (%s)%s%s%s", get_text(unit, "id", "?"),
		  get_text(unit, "type", "?"), width, pages ? ", pages of " : "", pages ? pages : "");
}

static const json_t *device_of(const json_t *answer, const char *address)
{
	const json_t *d;
	size_t i;

	json_array_foreach (json_object_get(answer, "devices"), i, d)
		if (!strcmp(get_text(d, "address", ""), address))
			return d;
	return NULL;
}

/* "8086:10d3" of "0x8086" and "0x10d3". */
static char *number_text(const json_t *d)
{
	const char *vendor = get_text(d, "vendor", NULL), *number = get_text(d, "device", NULL);

	if (!vendor || !number)
		return g_strdup("");
	return g_strdup_printf(" %s:%s", g_str_has_prefix(vendor, "0x") ? vendor + 2 : vendor,
			       g_str_has_prefix(number, "0x") ? number + 2 : number);
}

static void device_line(struct out *out, const json_t *d, const char *head)
{
	g_autofree char *has = join_strings(json_object_get(d, "has"), " ");
	g_autofree char *number = number_text(d);
	const json_t *group = json_object_get(d, "group");
	g_autofree char *in = json_is_integer(group)
				      ? g_strdup_printf(", group %d", (int)json_integer_value(group))
				      : g_strdup("");
	const json_t *eligible = json_object_get(d, "eligible");
	const char *why = get_text(d, "why", json_is_true(eligible) ? "can be given" : "not known whether it can be given");

	out_itemf(out, head, INDENT + 2, "%s%s%s%s%s%s: %s", get_text(d, "address", "?"), number, in,
		  *has ? " (" : "", has, *has ? ")" : "", why);
}

/* Devices that can be given first; of the others only with -v. */
static void behind(struct out *out, const json_t *answer, const json_t *unit)
{
	const json_t *names = json_object_get(unit, "devices");
	const json_t *name;
	size_t i, shown = 0, n = json_array_size(names);

	json_array_foreach (names, i, name) {
		const json_t *d = device_of(answer, json_string_value(name));

		if (!d || (!out->options->verbose && (!json_is_true(json_object_get(d, "eligible")) ||
						      shown == FEW)))
			continue;
		device_line(out, d, shown ? "" : "  behind");
		shown++;
	}
	if (shown < n)
		out_itemf(out, shown ? "" : "  behind", INDENT + 2, "%zu %sdevice%s (-v)", n - shown,
			  shown ? "other " : "", n - shown == 1 ? "" : "s");
	if (!n)
		out_item(out, "  behind", INDENT + 2, "no device that is known of");
}

static void unit_text(struct out *out, const json_t *answer, const json_t *unit)
{
	const json_t *formats = json_object_get(unit, "formats");
	g_autofree char *names = join_strings(formats, " ");

	unit_head(out, unit);
	maps(out, unit);
	holes(out, unit);
	out_itemf(out, "  gives", INDENT + 2,
		  "nesting %s; dirty tracking %s; PASIDs %s; interrupt remapping %s",
		  yes_no(unit, "nested"), yes_no(unit, "dirty_tracking"), yes_no(unit, "pasid"),
		  yes_no(unit, "interrupt_remapping"));
	if (formats)
		out_item(out, "  tables", INDENT + 2, *names ? names : "none");
	behind(out, answer, unit);
}

/* Devices behind no unit, which can't be given to guests in earnest. */
static void unbacked(struct out *out, const json_t *answer)
{
	const json_t *d;
	size_t i, n = 0;

	json_array_foreach (json_object_get(answer, "devices"), i, d)
		n += json_is_null(json_object_get(d, "iommu"));
	if (!n)
		return;
	if (!out->options->verbose) {
		out_itemf(out, "devices", INDENT, "%zu behind no IOMMU (-v)", n);
		return;
	}
	n = 0;
	json_array_foreach (json_object_get(answer, "devices"), i, d)
		if (json_is_null(json_object_get(d, "iommu")))
			device_line(out, d, n++ ? "" : "no iommu");
}

void text_units(struct out *out, const json_t *answer)
{
	const json_t *list = json_object_get(answer, "iommus");
	const json_t *unit;
	size_t i;

	json_array_foreach (list, i, unit) {
		if (i == FEW && !out->options->verbose) {
			out_itemf(out, "", INDENT, "and %zu more units (-v)",
				  json_array_size(list) - i);
			break;
		}
		unit_text(out, answer, unit);
	}
	unbacked(out, answer);
}
