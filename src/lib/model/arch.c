/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* arch.c: see arch.h. */
#include "config.h"

#include <glib.h>
#include <string.h>

#include "model/arch.h"
#include "model/power.h"

#define EMULATOR "qemu-system-"

static const struct {
	const char *arch, *emulator;
	enum arch_family family;
} archs[] = {
	{ "x86_64", EMULATOR "x86_64", ARCH_X86 },
	{ "i686", EMULATOR "x86_64", ARCH_X86 },
	{ "aarch64", EMULATOR "aarch64", ARCH_ARM64 },
	{ "armv7l", EMULATOR "arm", ARCH_ARM64 },
	{ "armv6l", EMULATOR "arm", ARCH_ARM64 },
	{ "ppc64", EMULATOR "ppc64", ARCH_PPC64 },
	{ "ppc64le", EMULATOR "ppc64", ARCH_PPC64 },
	{ "s390x", EMULATOR "s390x", ARCH_S390X },
	{ "riscv64", EMULATOR "riscv64", ARCH_RISCV64 },
	{ "loongarch64", EMULATOR "loongarch64", ARCH_LOONGARCH64 },
};

static const char *const rooms[] = {
	[ARCH_X86] = "cpu",	    [ARCH_ARM64] = "arm64", [ARCH_LOONGARCH64] = "loongarch64",
	[ARCH_PPC64] = "ppc64",	    [ARCH_RISCV64] = "riscv64", [ARCH_S390X] = "s390x",
	[ARCH_OTHER] = "other-cpu",
};
_Static_assert(G_N_ELEMENTS(rooms) == ARCH_FAMILIES, "a family without a room");

enum arch_family arch_family(const char *arch)
{
	for (size_t i = 0; arch && i < G_N_ELEMENTS(archs); i++)
		if (!strcmp(archs[i].arch, arch))
			return archs[i].family;
	return arch ? ARCH_OTHER : ARCH_X86;
}

const char *arch_room(enum arch_family family)
{
	return rooms[family];
}

enum arch_family arch_of_id(const char *id)
{
	const char *dot = strchr(id, '.');
	size_t n = dot ? (size_t)(dot - id) : 0;

	if (n == 3 && !memcmp(id, "msr", 3))
		return ARCH_X86;
	for (int i = 0; n && i < ARCH_FAMILIES; i++)
		if (strlen(rooms[i]) == n && !memcmp(rooms[i], id, n))
			return (enum arch_family)i;
	return ARCH_FAMILIES;
}

const char *arch_maker(enum arch_family family, const char *model)
{
	bool ibm = family == ARCH_S390X || (family == ARCH_PPC64 && power_level(model) > 0);

	return ibm ? "IBM" : NULL;
}

const char *arch_usual_emulator(const char *arch)
{
	for (size_t i = 0; arch && i < G_N_ELEMENTS(archs); i++)
		if (!strcmp(archs[i].arch, arch))
			return archs[i].emulator;
	return archs[0].emulator;
}

const char *arch_of_emulator(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (!g_str_has_prefix(name, EMULATOR))
		return NULL;
	for (size_t i = 0; i < G_N_ELEMENTS(archs); i++)
		if (!strcmp(archs[i].emulator, name))
			return archs[i].arch;
	if (g_str_has_prefix(name, EMULATOR "x86_64"))
		return "x86_64";
	name += strlen(EMULATOR);
	return !strcmp(name, "i386") ? "i686" : name;
}

bool arch_native(const char *host, const char *guest)
{
	if (!host || !guest || !strcmp(host, guest))
		return true;
	if (arch_family(host) != arch_family(guest) || arch_family(host) == ARCH_OTHER)
		return false;
	/* a 32-bit host runs no 64-bit guest */
	return strcmp(host, "i686") && !g_str_has_prefix(host, "armv");
}

int arch_find_alias(enum arch_family family, enum cap_namespace ns, const char *name)
{
	char spelled[128];

	if (family == ARCH_X86)
		return cap_find_alias(ns, name);
	if ((size_t)g_snprintf(spelled, sizeof(spelled), "%s/%s", rooms[family], name) >=
	    sizeof(spelled))
		return -1;
	return cap_find_alias(ns, spelled);
}

const char *arch_plain_name(const char *alias)
{
	const char *slash = strchr(alias, '/');

	return slash ? slash + 1 : alias;
}

char *arch_feature_id(enum arch_family family, enum cap_namespace ns, const char *name)
{
	int cap = arch_find_alias(family, ns, name);

	return cap >= 0 ? g_strdup(cap_table[cap].id) : g_strconcat(rooms[family], ".", name, NULL);
}
