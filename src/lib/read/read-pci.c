/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read-pci.c: a function's configuration space, as facts; see read-iommu.h.
 *
 * Two lists are walked: capabilities in the first 256 bytes, and extended ones beyond, which only
 * PCI Express has. What a whole list doesn't have is absent; where a list's bytes were not read
 * (without privilege 64 bytes are given), or it is broken, what it might have had is unreadable.
 * Sources: PCI Express 6.2, 7.5 to 7.8, 9.3.3 and 10.5.
 */
#include "config.h"

#include <string.h>

#include "model/error.h"
#include "read/read-iommu.h"
#include "read/read-parts.h"

#define CONVENTIONAL 256u
#define EXTENDED 4096u

struct config {
	json_t *facts;
	const uint8_t *bytes;
	size_t length;
	const char *origin;
	json_t *set;        /* capabilities seen */
	bool express;
	bool conventional_whole, extended_whole; /* the lists were walked to their ends */
	unsigned int type;  /* device/port type, where express */
	bool flr;
	bool has_acs;
	uint16_t acs, acs_control;
};

static bool refuse(const struct config *c, size_t offset, const char *what, GError **error)
{
	g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "%s: offset 0x%zx: %s", c->origin, offset,
		    what);
	return false;
}

static void put(const struct config *c, const char *id, json_t *value)
{
	read_put_once(c->facts, id, value, &scope_raw, c->origin);
}

static void put_bool(const struct config *c, const char *id, bool truth)
{
	put(c, id, json_boolean(truth));
}

static void put_uint(const struct config *c, const char *id, uint64_t number)
{
	put(c, id, read_number(number));
}

static const char *const port_types[16] = {
	[0] = "endpoint",	    [1] = "legacy-endpoint",   [4] = "root-port",
	[5] = "upstream-port",	    [6] = "downstream-port",   [7] = "pcie-to-pci-bridge",
	[8] = "pci-to-pcie-bridge", [9] = "rc-endpoint",       [10] = "rc-event-collector",
};

static void read_express(struct config *c, size_t at)
{
	unsigned int type = read_le16(c->bytes + at + 2) >> 4 & 0xf;

	c->express = true;
	c->type = type;
	c->flr |= read_le32(c->bytes + at + 4) >> 28 & 1;
	put(c, "pci.port-type",
	    port_types[type] ? json_string(port_types[type]) : json_sprintf("type-%u", type));
}

static void read_msi(struct config *c, size_t at)
{
	(void)at;
	put_bool(c, "pci.msi", true);
}

static void read_msix(struct config *c, size_t at)
{
	(void)at;
	put_bool(c, "pci.msix", true);
}

/* Conventional PCI: Advanced Features. */
static void read_af(struct config *c, size_t at)
{
	c->flr |= c->bytes[at + 3] >> 1 & 1;
}

static void read_ats(struct config *c, size_t at)
{
	uint16_t control = read_le16(c->bytes + at + 6);

	put_bool(c, "pci.ats", true);
	read_register(c->facts, "pci.ats", read_le16(c->bytes + at + 4), 0xffff, &scope_raw,
		      c->origin);
	put_bool(c, "pci.ats-enabled", control >> 15);
	put_uint(c, "pci.ats-smallest-unit", control & 0x1f);
}

static void read_pri(struct config *c, size_t at)
{
	put_bool(c, "pci.pri", true);
	put_bool(c, "pci.pri-enabled", read_le16(c->bytes + at + 4) & 1);
	put_bool(c, "pci.pri-pasid-required", read_le16(c->bytes + at + 6) >> 15);
	put_uint(c, "pci.pri-capacity", read_le32(c->bytes + at + 8));
}

static void read_pasid(struct config *c, size_t at)
{
	put_bool(c, "pci.pasid", true);
	read_register(c->facts, "pci.pasid", read_le16(c->bytes + at + 4), 0xffff, &scope_raw,
		      c->origin);
	put_bool(c, "pci.pasid-enabled", read_le16(c->bytes + at + 6) & 1);
}

static void read_sriov(struct config *c, size_t at)
{
	const uint8_t *cap = c->bytes + at;

	put_bool(c, "pci.sriov", true);
	read_register(c->facts, "pci.sriov", read_le32(cap + 4), 0xffffffff, &scope_raw, c->origin);
	put_bool(c, "pci.sriov-enabled", read_le16(cap + 8) & 1);
	put_uint(c, "pci.sriov-initial-vfs", read_le16(cap + 0x0c));
	put_uint(c, "pci.sriov-total-vfs", read_le16(cap + 0x0e));
	put_uint(c, "pci.sriov-num-vfs", read_le16(cap + 0x10));
	put_uint(c, "pci.sriov-vf-offset", read_le16(cap + 0x14));
	put_uint(c, "pci.sriov-vf-stride", read_le16(cap + 0x16));
	put(c, "pci.sriov-vf-device", json_sprintf("0x%04x", read_le16(cap + 0x1a)));
	put(c, "pci.sriov-page-sizes", read_hex(read_le32(cap + 0x1c)));
}

static const char *const acs_names[] = {
	"source-validation", "translation-blocking", "request-redirect",  "completion-redirect",
	"upstream-forwarding", "egress-control",     "direct-translated",
};

static void read_acs(struct config *c, size_t at)
{
	json_t *enabled = json_array();

	c->has_acs = true;
	c->acs = read_le16(c->bytes + at + 4);
	c->acs_control = read_le16(c->bytes + at + 6);
	put_bool(c, "pci.acs", true);
	read_register(c->facts, "pci.acs", c->acs, 0xffff, &scope_raw, c->origin);
	for (size_t i = 0; i < G_N_ELEMENTS(acs_names); i++)
		if (c->acs_control >> i & 1)
			json_array_append_new(enabled, json_string(acs_names[i]));
	put(c, "pci.acs-enabled", enabled);
}

static void read_ari(struct config *c, size_t at)
{
	(void)at;
	put_bool(c, "pci.ari", true);
}

/* What is read of a capability, and the bytes that takes. */
struct reader {
	uint16_t id;
	size_t length;
	void (*read)(struct config *c, size_t at);
};

static const struct reader conventional[] = {
	{ 0x05, 4, read_msi }, { 0x10, 8, read_express }, { 0x11, 4, read_msix }, { 0x13, 4, read_af },
};
static const struct reader extended[] = {
	{ 0x0d, 8, read_acs },	 { 0x0e, 8, read_ari },	 { 0x0f, 8, read_ats },
	{ 0x10, 36, read_sriov }, { 0x13, 12, read_pri }, { 0x1b, 8, read_pasid },
};

/* Returns false where the capability's bytes end too early; @limit is the end of its space. */
static bool read_one(struct config *c, const struct reader *readers, size_t n, uint16_t id,
		     size_t at, size_t limit)
{
	for (size_t i = 0; i < n; i++) {
		if (readers[i].id != id)
			continue;
		if (limit - at < readers[i].length)
			return false;
		readers[i].read(c, at);
	}
	return true;
}

static bool walk_conventional(struct config *c, size_t at, GError **error)
{
	size_t limit = MIN(c->length, CONVENTIONAL);
	uint64_t seen = 0;

	while (at) {
		if (at < 0x40)
			return refuse(c, at, "a capability within the header", error);
		if (seen >> at / 4 & 1)
			return refuse(c, at, "the list of capabilities loops", error);
		seen |= UINT64_C(1) << at / 4;
		if (limit < 4 || at > limit - 4)
			return true; /* not read */
		if (c->bytes[at] == 0xff)
			return refuse(c, at, "a capability of all ones", error);
		json_array_append_new(c->set, json_sprintf("%02x", c->bytes[at]));
		if (!read_one(c, conventional, G_N_ELEMENTS(conventional), c->bytes[at], at, limit)) {
			if (limit == CONVENTIONAL)
				return refuse(c, at, "a capability that ends after its space", error);
			return true;
		}
		at = c->bytes[at + 1] & 0xfcu;
	}
	c->conventional_whole = true;
	return true;
}

static bool walk_extended(struct config *c, GError **error)
{
	uint8_t seen[EXTENDED / 4] = { 0 };
	size_t at = CONVENTIONAL;

	while (at) {
		uint32_t head;

		if (at < CONVENTIONAL)
			return refuse(c, at, "an extended capability below 0x100", error);
		if (seen[at / 4]++)
			return refuse(c, at, "the list of extended capabilities loops", error);
		if (at > c->length - 4)
			return true; /* not read */
		head = read_le32(c->bytes + at);
		if (!head || head == 0xffffffff) /* none at all, or the end of a list */
			break;
		json_array_append_new(c->set, json_sprintf("ext-%04x", head & 0xffff));
		if (!read_one(c, extended, G_N_ELEMENTS(extended), head & 0xffff, at, c->length)) {
			if (c->length == EXTENDED)
				return refuse(c, at, "a capability that ends after its space", error);
			return true;
		}
		at = head >> 20 & 0xffcu;
	}
	c->extended_whole = true;
	return true;
}

/* What a list would have told, had it been there or been read. */
static void put_rest(const struct config *c)
{
	static const struct {
		const char *id;
		bool extended;
	} told[] = {
		{ "pci.msi", false },  { "pci.msix", false },  { "pci.ats", true }, { "pci.pri", true },
		{ "pci.pasid", true }, { "pci.sriov", true },  { "pci.acs", true }, { "pci.ari", true },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(told); i++) {
		bool whole = told[i].extended ? c->extended_whole : c->conventional_whole;

		read_put_missing_once(c->facts, told[i].id, whole ? FACT_ABSENT : FACT_UNREADABLE,
				      &scope_raw, c->origin, 0);
	}
	if (c->flr || c->conventional_whole)
		put_bool(c, "pci.flr", c->flr);
	if (c->conventional_whole && !c->express)
		put(c, "pci.port-type", json_string("conventional"));
	put_bool(c, "pci.config-complete", c->conventional_whole && c->extended_whole);
}

/*
 * Is a function kept apart from its neighbours, as the kernel asks before it gives one away
 * (pci_acs_enabled() with REQ_ACS_FLAGS)? Its quirks, devices isolated without ACS, are not known
 * here; groups tell of them.
 */
static bool is_isolated(const struct config *c, bool multifunction)
{
	const uint16_t asked = 1u << 0 | 1u << 2 | 1u << 3 | 1u << 4; /* SV, RR, CR, UF */
	uint16_t needed = asked & c->acs;

	if (!c->express || c->type == 7 || c->type == 8)
		return false;
	if (c->type != 4 && c->type != 6 && !multifunction)
		return true;
	return c->has_acs && (c->acs_control & needed) == needed;
}

/* A device's base address registers: a memory region of 64 bits takes two of the six. */
static bool has_wide_region(const uint8_t *bytes)
{
	for (unsigned int at = 0x10; at < 0x28; at += 4) {
		bool wide = (bytes[at] & 7) == 4; /* memory; type 2 */

		if (wide && at < 0x24)
			return true;
	}
	return false;
}

static void put_header(const struct config *c)
{
	static const char *const headers[] = { "device", "bridge", "cardbus" };
	const uint8_t *b = c->bytes;
	unsigned int header = b[0x0e] & 0x7f;

	if (read_le16(b) != 0xffff) /* virtual functions have their numbers elsewhere */
		put(c, "pci.id",
		    header ? json_sprintf("%04x:%04x", read_le16(b), read_le16(b + 2))
			   : json_sprintf("%04x:%04x:%04x:%04x", read_le16(b), read_le16(b + 2),
					  read_le16(b + 0x2c), read_le16(b + 0x2e)));
	put(c, "pci.class", json_sprintf("0x%02x%02x%02x", b[0x0b], b[0x0a], b[0x09]));
	put_uint(c, "pci.revision", b[8]);
	put_bool(c, "pci.multifunction", b[0x0e] >> 7);
	put(c, "pci.header",
	    header < G_N_ELEMENTS(headers) ? json_string(headers[header])
					   : json_sprintf("type-%u", header));
	if (!header)
		put_bool(c, "pci.wide-regions", has_wide_region(b));
}

static bool is_gone(const uint8_t *config)
{
	for (size_t i = 0; i < 64; i++)
		if (config[i] != 0xff)
			return false;
	return true;
}

static bool walk(struct config *c, GError **error)
{
	unsigned int header = c->bytes[0x0e] & 0x7f;
	bool listed = read_le16(c->bytes + 6) >> 4 & 1;
	uint8_t first = header == 2 ? c->bytes[0x14] : c->bytes[0x34];

	if (header > 2)
		return true;
	if (!walk_conventional(c, listed ? first & 0xfcu : 0, error))
		return false;
	if (!c->express) { /* only PCI Express has the other list */
		c->extended_whole = c->conventional_whole;
		return true;
	}
	return c->length <= CONVENTIONAL + 4 || walk_extended(c, error);
}

bool read_pci_config(json_t *facts, const uint8_t *config, size_t length, const char *origin,
		     GError **error)
{
	struct config c = { .facts = facts,
			    .bytes = config,
			    .length = MIN(length, EXTENDED),
			    .origin = origin };
	bool good;

	if (length < 64)
		return refuse(&c, length, "configuration space has 64 bytes or more", error);
	if (is_gone(config))
		return refuse(&c, 0, "all ones: the device doesn't answer", error);
	put_header(&c);
	c.set = json_array();
	good = walk(&c, error);
	put(&c, "pci.capabilities", c.set);
	put_rest(&c);
	if (c.conventional_whole && (c.extended_whole || c.has_acs))
		put_bool(&c, "pci.isolated", is_isolated(&c, config[0x0e] >> 7));
	return good;
}
