/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * firmware-choice.c: see firmware-choice.h.
 *
 * Descriptions are tried in the order of their names; the first that fits is taken. What must fit
 * is what libvirt 9.0.0 and 11.3.0 compare, and what 12.8.0 was seen to do. Before 9.2.0 the form
 * of the loader couldn't be asked for together with firmware=, and less was compared; from 12.0.0
 * on firmware without variables isn't given to who asks for some.
 */
#include "config.h"

#include <string.h>

#include "judge/firmware-choice.h"
#include "model/tables.h"

/* What of the comparison differs among versions. */
enum rules { BEFORE_9_2, BEFORE_12, NEWER };

static enum rules rules_of(const char *libvirt)
{
	if (libvirt && version_compare(libvirt, "9.2.0") < 0)
		return BEFORE_9_2;
	return libvirt && version_compare(libvirt, "12.0.0") < 0 ? BEFORE_12 : NEWER;
}

static const char *text_of(const struct xml_node *node)
{
	return node && *node->text ? node->text : NULL;
}

/* An attribute's value, NULL where it isn't there or empty. */
static const char *value_of(const struct xml_node *node, const char *attribute)
{
	const char *value = xml_attr(node, attribute);

	return value && *value ? value : NULL;
}

static void take_features(const struct xml_node *os, struct firmware_wish *wish)
{
	const struct xml_node *f = xml_at(os, "firmware/feature");

	for (; f; f = xml_same(f)) {
		if (!g_strcmp0(xml_attr(f, "name"), "secure-boot"))
			wish->secure_boot = xml_attr(f, "enabled");
		else if (!g_strcmp0(xml_attr(f, "name"), "enrolled-keys"))
			wish->enrolled_keys = xml_attr(f, "enabled");
	}
	/* keys make sense with Secure Boot alone */
	if (!g_strcmp0(wish->enrolled_keys, "yes"))
		wish->secure_boot = "yes";
}

static void take_security(const struct xml_node *domain, struct firmware_wish *wish)
{
	const struct xml_node *security = xml_child(domain, "launchSecurity");
	const char *policy = text_of(xml_child(security, "policy"));

	wish->security = value_of(security, "type");
	wish->sev_es = policy && g_ascii_strtoull(policy, NULL, 0) & 4;
}

void firmware_wish(const struct xml_node *domain, struct firmware_wish *wish)
{
	const struct xml_node *os = xml_child(domain, "os");
	const struct xml_node *loader = xml_child(os, "loader"), *nvram = xml_child(os, "nvram");
	const struct xml_node *smm = xml_at(domain, "features/smm");
	const char *state = xml_attr(smm, "state");

	*wish = (struct firmware_wish){
		.choose = value_of(os, "firmware"),
		.path = text_of(loader),
		.type = value_of(loader, "type"),
		.readonly = value_of(loader, "readonly"),
		.secure = value_of(loader, "secure"),
		.stateless = value_of(loader, "stateless"),
		.format = value_of(loader, "format"),
		.nvram = nvram ? (*nvram->text ? nvram->text : xml_attr(nvram, "type")) : NULL,
		.has_nvram = nvram != NULL,
		.nvram_format = value_of(nvram, "format"),
		.template_file = value_of(nvram, "template"),
		.template_format = value_of(nvram, "templateFormat"),
		.has_varstore = xml_child(os, "varstore") != NULL,
		.s3 = xml_attr(xml_at(domain, "pm/suspend-to-mem"), "enabled"),
		.s4 = xml_attr(xml_at(domain, "pm/suspend-to-disk"), "enabled"),
		.smm = !smm ? NULL : state && !strcmp(state, "off") ? "off" : "on",
	};
	if (wish->path && !wish->type && !wish->choose)
		wish->type = "rom";
	if (!wish->format && !loader)
		wish->format = wish->nvram_format;
	take_features(os, wish);
	take_security(domain, wish);
}

static bool is_yes(const char *text)
{
	return text && !strcmp(text, "yes");
}

static bool is_no(const char *text)
{
	return text && !strcmp(text, "no");
}

/* Is a switch of the description as asked for, or not asked for? */
static bool agrees(const char *asked, bool has)
{
	return !asked || (is_yes(asked) ? has : !is_no(asked) || !has);
}

static bool type_fits(const struct firmware *f, const struct firmware_wish *wish)
{
	if (!wish->choose)
		return firmware_is(f, !g_strcmp0(wish->type, "pflash") ? "uefi" : "bios");
	return firmware_is(f, !strcmp(wish->choose, "efi") ? "uefi" : wish->choose);
}

static bool paths_fit(const struct firmware *f, const struct firmware_wish *wish)
{
	if (wish->path && strcmp(wish->path, f->file))
		return false;
	return !wish->template_file || strcmp(f->device, "flash") ||
	       !g_strcmp0(wish->template_file, f->template_file);
}

static bool features_fit(const struct firmware *f, const struct firmware_wish *wish)
{
	static const struct {
		const char *security, *feature;
	} kinds[] = { { "sev", "amd-sev" }, { "sev-snp", "amd-sev-snp" }, { "tdx", "intel-tdx" } };

	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (!g_strcmp0(wish->security, kinds[i].security) && !firmware_has(f, kinds[i].feature))
			return false;
	if (!g_strcmp0(wish->security, "sev") && wish->sev_es && !firmware_has(f, "amd-sev-es"))
		return false;
	return (!is_yes(wish->s3) || firmware_has(f, "acpi-s3")) &&
	       (!is_yes(wish->s4) || firmware_has(f, "acpi-s4")) &&
	       agrees(wish->secure_boot, firmware_has(f, "secure-boot")) &&
	       agrees(wish->enrolled_keys, firmware_has(f, "enrolled-keys"));
}

static bool smm_fits(const struct firmware *f, const struct firmware_wish *wish, enum rules rules)
{
	if (!firmware_has(f, "requires-smm"))
		return !is_yes(wish->secure);
	return rules == BEFORE_9_2 || (g_strcmp0(wish->smm, "off") && !is_no(wish->secure));
}

static bool flash_fits(const struct firmware *f, const struct firmware_wish *wish, enum rules rules)
{
	const char *mode = is_yes(wish->stateless) ? "stateless" : "split";

	if (strcmp(f->mode, mode))
		return false;
	if (rules == BEFORE_9_2)
		return true;
	if ((wish->type && strcmp(wish->type, "pflash")) || is_no(wish->readonly))
		return false;
	if (strcmp(f->format, "raw") && strcmp(f->format, "qcow2"))
		return false;
	if (wish->format && strcmp(wish->format, f->format))
		return false;
	if (!f->template_format)
		return !wish->has_nvram || rules != NEWER;
	if (strcmp(f->template_format, "raw") && strcmp(f->template_format, "qcow2"))
		return false;
	return rules != NEWER ||
	       ((!wish->nvram_format || !strcmp(wish->nvram_format, f->template_format)) &&
		(!wish->template_format || !strcmp(wish->template_format, f->template_format)));
}

/* Memory that isn't flash: plain, read-only, without variables. */
static bool memory_fits(const struct firmware_wish *wish, enum rules rules)
{
	if (rules == NEWER && wish->has_nvram)
		return false;
	return rules == BEFORE_9_2 ||
	       ((!wish->type || !strcmp(wish->type, "rom")) && !is_no(wish->readonly));
}

static bool fits(const struct firmware *f, const char *arch, const char *machine,
		 const struct firmware_wish *wish, enum rules rules)
{
	if (!type_fits(f, wish) || !firmware_fits(f, arch, machine) || !features_fit(f, wish) ||
	    !smm_fits(f, wish, rules) || !paths_fit(f, wish))
		return false;
	if (!strcmp(f->device, "flash"))
		return flash_fits(f, wish, rules);
	return strcmp(f->device, "memory") || memory_fits(wish, rules);
}

bool firmware_choose(const struct profile *profile, const char *libvirt, const char *arch,
		     const char *machine, const struct firmware_wish *wish, struct firmware **choice)
{
	const struct fact *fact = profile_fact_any(profile, "firmware.descriptor");
	enum rules rules = rules_of(libvirt);
	const json_t *line;
	size_t i;

	*choice = NULL;
	if (!fact || fact->state != FACT_KNOWN || !json_is_array(fact->value))
		return false;
	json_array_foreach (fact->value, i, line) {
		struct firmware *f = firmware_from_line(json_string_value(line) ? json_string_value(line) : "");

		if (f && fits(f, arch, machine, wish, rules)) {
			*choice = f;
			return true;
		}
		firmware_free(f);
	}
	return true;
}

/* "PATH:SIZE" of the path, or NULL. */
static const char *size_in(const json_t *files, const char *path)
{
	size_t i, n = strlen(path);
	const json_t *member;

	json_array_foreach (files, i, member) {
		const char *text = json_string_value(member);

		if (text && !strncmp(text, path, n) && text[n] == ':' && !strchr(text + n + 1, ':'))
			return text + n + 1;
	}
	return NULL;
}

int firmware_file(const struct profile *profile, const char *path, uint64_t *size)
{
	const struct fact *files = profile_fact_any(profile, "firmware.file");
	const struct fact *lines = profile_fact_any(profile, "firmware.descriptor");
	const char *found;
	const json_t *line;
	size_t i;

	*size = 0;
	if (!files || files->state != FACT_KNOWN)
		return -1;
	found = size_in(files->value, path);
	if (found) {
		*size = g_ascii_strtoull(found, NULL, 10);
		return 1;
	}
	if (g_strv_contains(firmware_places, path))
		return 0;
	json_array_foreach (lines && lines->state == FACT_KNOWN ? lines->value : NULL, i, line) {
		g_autoptr(Firmware) f = firmware_from_line(json_string_value(line) ? json_string_value(line) : "");

		if (f && (!strcmp(f->file, path) || !g_strcmp0(f->template_file, path)))
			return 0;
	}
	return -1;
}
