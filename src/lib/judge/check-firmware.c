/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check-firmware.c: is the firmware that the definition asks for on the host, and, for a move, of
 * the same size as at its source?
 *
 * Theory of operation: firmware='efi' is chosen by libvirt from descriptions. Where a host's are
 * known, the same choice is made here; else its domain capabilities tell whether there is any.
 * A loader named by path is looked for among the files that the probe saw, or that libvirt lists.
 * QEMU loads a stream only into flash of the very size: 2 and 4 MB builds don't mix.
 */
#include "config.h"

#include <string.h>

#include "judge/firmware-choice.h"
#include "judge/judgement.h"
#include "judge/rule-host.h"

#define OS "/domain/os"
#define LOADER "/domain/os/loader"

static const char *arch_of(const struct judgement *j)
{
	const char *arch = j->needs->arch ? j->needs->arch : j->target.profile->arch;

	return arch ? arch : "x86_64";
}

static const json_t *enum_values(const struct judgement *j, const char *key)
{
	return j->target.libvirt ? json_object_get(json_object_get(j->target.libvirt->json, "enums"), key) :
				   NULL;
}

/* 1, 0 or -1: do libvirt's domain capabilities for that machine type list the value? */
static int enum_lists(const struct judgement *j, const char *key, const char *value)
{
	const json_t *values = enum_values(j, key), *member;
	size_t i;

	if (!json_is_array(values))
		return -1;
	json_array_foreach (values, i, member)
		if (!g_strcmp0(json_string_value(member), value))
			return 1;
	return 0;
}

static struct finding *add(struct judgement *j, enum verdict verdict, unsigned int on, const char *where,
			   char *text, const char *fix)
{
	struct finding *f = finding_add(j, verdict, EFFECT_FAILS_SAFELY, on, g_strdup(where), text,
					g_strdup(fix));

	f->capability = "firmware.descriptor";
	return f;
}

/* --- firmware that libvirt chooses ------------------------------------------------------------ */

/* What is asked for beside the kind, for people; NULL: nothing. */
static char *asked_beside(const struct firmware_wish *wish)
{
	const struct {
		const char *value, *what;
	} asked[] = {
		{ wish->secure_boot, "secure-boot" }, { wish->enrolled_keys, "enrolled-keys" },
		{ wish->secure, "loader secure" },    { wish->stateless, "stateless" },
		{ wish->format, "format" },	      { wish->type, "type" },
		{ wish->readonly, "readonly" },	      { wish->path, "path" },
		{ wish->template_file, "template" },  { wish->s3, "suspend-to-mem" },
		{ wish->s4, "suspend-to-disk" },      { wish->smm, "smm" },
		{ wish->security, "launch security" },
	};
	GString *text = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(asked); i++)
		if (asked[i].value)
			g_string_append_printf(text, "%s%s=%s", text->len ? ", " : "", asked[i].what,
					       asked[i].value);
	return g_string_free(text, text->len == 0);
}

static void none_fits(struct judgement *j, const struct firmware_wish *wish, enum verdict verdict)
{
	g_autofree char *beside = asked_beside(wish);
	struct finding *f;
	char *text;

	if (verdict == V_UNKNOWN)
		text = g_strdup_printf("whether the host has %s firmware%s%s isn't known", wish->choose,
				       beside ? " with " : "", beside ? beside : "");
	else
		text = g_strdup_printf("libvirt finds no %s firmware there for %s%s%s", wish->choose,
				       j->target.machine ? j->target.machine : "the machine type",
				       beside ? " with " : "", beside ? beside : "");
	f = add(j, verdict, ON_BOTH, OS "/@firmware", text,
		verdict == V_UNKNOWN ? "run 'capbroker probe' on the host" :
				       "install firmware there (ovmf, edk2), or ask for less");
	finding_item(f->need, "firmware.descriptor", json_string(beside ? beside : wish->choose));
}

/*
 * Has libvirt nothing to choose for the machine types that most firmware is for? Then it has
 * nothing for others either.
 */
static bool none_at_all(const struct judgement *j)
{
	for (guint i = 0; i < j->target.profile->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(j->target.profile->emulators, i);
		const json_t *kinds = json_object_get(json_object_get(e->json, "enums"), "os.firmware");
		const char *family = machine_family(e->scope.machine);

		if (json_is_array(kinds) && !json_array_size(kinds) &&
		    !g_strcmp0(e->scope.emulator, j->target.path) &&
		    (!strcmp(family, "q35") || !strcmp(family, "virt")))
			return true;
	}
	return false;
}

/* Without descriptions: what domain capabilities tell of that machine type. */
static void choose_by_enums(struct judgement *j, const struct firmware_wish *wish)
{
	static const struct {
		size_t offset;
		const char *key;
	} features[] = {
		{ offsetof(struct firmware_wish, secure_boot), "os.firmwareFeatures.secureBoot" },
		{ offsetof(struct firmware_wish, enrolled_keys), "os.firmwareFeatures.enrolledKeys" },
		{ offsetof(struct firmware_wish, secure), "os.loader.secure" },
	};
	int kind = enum_lists(j, "os.firmware", wish->choose);
	/* what is written as builds mostly are anyway asks for nothing */
	bool sure = (!wish->stateless || !strcmp(wish->stateless, "no")) &&
		    (!wish->format || !strcmp(wish->format, "raw")) &&
		    (!wish->type || !strcmp(wish->type, "pflash")) &&
		    (!wish->readonly || !strcmp(wish->readonly, "yes")) &&
		    (!wish->path || enum_lists(j, "os.loader.value", wish->path) > 0) &&
		    !wish->template_file && !wish->s4 && !wish->security &&
		    g_strcmp0(wish->smm, "off");
	bool lacks = false;

	for (size_t i = 0; i < G_N_ELEMENTS(features); i++) {
		const char *value = *(const char *const *)((const char *)wish + features[i].offset);
		int has = value ? enum_lists(j, features[i].key, value) : 1;

		lacks |= has == 0;
		sure &= has > 0;
	}
	if (kind == 0 || (kind > 0 && lacks) || (kind < 0 && none_at_all(j)))
		none_fits(j, wish, V_BLOCK);
	else if (kind < 0 || !sure)
		none_fits(j, wish, V_UNKNOWN);
}

/* Flash of a file is of another size here than at the source. */
static void compare_size(struct judgement *j, const char *path, const char *what, uint64_t there,
			 uint64_t here)
{
	struct finding *f;

	if (!there || !here || there == here)
		return;
	f = add(j, V_BLOCK, ON_MIGRATE, LOADER,
		g_strdup_printf("%s %s has %" G_GUINT64_FORMAT " bytes here and %" G_GUINT64_FORMAT
				" at the source: QEMU loads a guest's state only into flash of the same size",
				what, path, here, there),
		"install the same build of the firmware on both hosts");
	finding_item(f->need, "firmware.file", json_integer((json_int_t)there));
	finding_item(f->have, "firmware.file", json_integer((json_int_t)here));
}

static void compare_file(struct judgement *j, const char *path, const char *what)
{
	uint64_t there, here;

	if (path && j->source && firmware_file(j->source, path, &there) > 0 &&
	    firmware_file(j->target.profile, path, &here) > 0)
		compare_size(j, path, what, there, here);
}

/* What the source chose for this definition must be here. */
static void moved_choice(struct judgement *j, const struct firmware_wish *wish)
{
	g_autoptr(Firmware) there = NULL;
	uint64_t size;

	if (!j->source || wish->path || !j->target.machine ||
	    !firmware_choose(j->source, profile_string(j->source, "libvirt.version"), arch_of(j),
			     j->target.machine, wish, &there) ||
	    !there)
		return;
	if (!firmware_file(j->target.profile, there->file, &size)) {
		struct finding *f = add(j, V_BLOCK, ON_MIGRATE, OS "/@firmware",
					g_strdup_printf("the source gives the guest %s, which isn't here",
							there->file),
					"install the same firmware here");

		finding_item(f->need, "firmware.file", json_string(there->file));
		return;
	}
	compare_file(j, there->file, "firmware");
	compare_file(j, there->template_file, "the template of variables");
}

/* Older libvirt takes it, and then refuses it. */
static void needs_smm(struct judgement *j, const struct firmware *choice)
{
	struct finding *f = add(j, V_BLOCK, ON_BOTH, "/domain/features/smm",
				g_strdup_printf("libvirt %s chooses %s, which needs SMM",
						j->target.libvirt_version, choice->file),
				"switch SMM on, or upgrade libvirt there to 9.2.0");

	finding_item(f->need, "firmware.descriptor", json_string(choice->name));
}

static void check_chosen(struct judgement *j, const struct firmware_wish *wish)
{
	g_autoptr(Firmware) choice = NULL;
	const char *version = j->target.libvirt_version;

	if (!j->target.machine || (strcmp(wish->choose, "efi") && strcmp(wish->choose, "bios")))
		return; /* settled by other checks */
	if (!firmware_choose(j->target.profile, version, arch_of(j), j->target.machine, wish, &choice))
		choose_by_enums(j, wish);
	else if (!choice)
		none_fits(j, wish, V_BLOCK);
	else if (wish->has_varstore)
		none_fits(j, wish, V_UNKNOWN); /* which build keeps variables so isn't told */
	else if (firmware_has(choice, "requires-smm") && !g_strcmp0(wish->smm, "off"))
		needs_smm(j, choice);
	else
		moved_choice(j, wish);
}

/* --- a loader named by path ------------------------------------------------------------------- */

/* 1, 0 or -1: is it among the files libvirt says it has firmware in? */
static int listed_loader(const struct judgement *j, const char *path)
{
	const json_t *kinds = enum_values(j, "os.firmware");
	int listed = enum_lists(j, "os.loader.value", path);
	bool none = json_is_array(kinds) ? !json_array_size(kinds) && listed == 0 : none_at_all(j);

	if (listed > 0)
		return 1;
	/* without descriptions the list is those of libvirt's own that exist */
	if (none)
		for (size_t i = 0; firmware_known_pairs[i]; i += 2)
			if (!strcmp(firmware_known_pairs[i], path))
				return 0;
	return -1;
}

/* QEMU's packages there need the package that has the machine types' own BIOS. */
static bool is_packaged_bios(const struct judgement *j, const char *path)
{
	static const char *const files[] = { "/usr/share/seabios/bios.bin",
					     "/usr/share/seabios/bios-256k.bin", NULL };

	if (!g_strv_contains(files, path))
		return false;
	for (guint i = 0; i < j->target.profile->emulators->len; i++) {
		const struct emulator *e = g_ptr_array_index(j->target.profile->emulators, i);
		const char *package = json_string_value(json_object_get(e->json, "package"));

		if (package && strstr(package, "Debian"))
			return true;
	}
	return false;
}

static int have_loader(const struct judgement *j, const char *path)
{
	uint64_t size;
	int have = firmware_file(j->target.profile, path, &size);

	if (have < 0)
		have = listed_loader(j, path);
	return have < 0 && is_packaged_bios(j, path) ? 1 : have;
}

/* Has libvirt a template for the variables of flash that a definition names by its path? */
static bool has_template(const struct judgement *j, const struct firmware_wish *wish)
{
	g_autoptr(Firmware) choice = NULL;

	if (wish->template_file)
		return true;
	for (size_t i = 0; firmware_known_pairs[i]; i += 2)
		if (!strcmp(firmware_known_pairs[i], wish->path))
			return true;
	/* what domain capabilities list comes from descriptions, with their templates */
	if (enum_lists(j, "os.loader.value", wish->path) > 0)
		return true;
	return j->target.machine &&
	       firmware_choose(j->target.profile, j->target.libvirt_version, arch_of(j), j->target.machine,
			       wish, &choice) &&
	       choice;
}

static void check_variables(struct judgement *j, const struct firmware_wish *wish)
{
	bool flash = !g_strcmp0(wish->type, "pflash") && !g_strcmp0(wish->readonly, "yes");

	if (wish->has_varstore || !g_strcmp0(wish->stateless, "yes") || (!flash && !wish->nvram) ||
	    has_template(j, wish))
		return;
	add(j, V_UNKNOWN, ON_START, flash ? LOADER : OS "/nvram",
	    g_strdup_printf("libvirt knows no template of variables for %s there: the guest starts only where its own are there already",
			    wish->path),
	    "write <nvram template='…'>");
}

static void check_loader(struct judgement *j, const struct firmware_wish *wish)
{
	int have = have_loader(j, wish->path);
	struct finding *f;

	compare_file(j, wish->path, "firmware");
	compare_file(j, wish->template_file, "the template of variables");
	if (have > 0) {
		if (cpu_by_libvirt(j))
			check_variables(j, wish);
		return;
	}
	if (have == 0)
		f = add(j, V_BLOCK, ON_ALL, LOADER, g_strdup_printf("the host has no firmware file %s", wish->path),
			j->needs->argv ? "install the firmware there" :
					 "install the firmware there, or let libvirt choose (firmware='efi')");
	else
		f = add(j, V_UNKNOWN, ON_ALL, LOADER,
			g_strdup_printf("whether the host has the firmware file %s isn't known", wish->path),
			j->needs->argv ? "run 'capbroker probe' on the host" :
					 "run 'capbroker probe' on the host, or let libvirt choose (firmware='efi')");
	f->capability = "firmware.file";
	finding_item(f->need, "firmware.file", json_string(wish->path));
}

void check_firmware(struct judgement *j)
{
	guint before = j->out->findings->len;
	struct firmware_wish wish;

	check_rules(j);
	if (!j->needs->definition || j->out->findings->len > before)
		return;
	firmware_wish(xml_root(j->needs->definition), &wish);
	/* a running guest has what was chosen when it started */
	if (wish.path && (!wish.choose || j->needs->live))
		check_loader(j, &wish);
	else if (wish.choose && cpu_by_libvirt(j))
		check_chosen(j, &wish);
}
