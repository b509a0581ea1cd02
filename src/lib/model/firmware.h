/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * firmware.h: one description of installed guest firmware (QEMU docs/interop/firmware.json), and
 * how a profile keeps it: as one line of the set "firmware.descriptor",
 *
 *	60-edk2-x86_64.json types=uefi device=flash mode=split file=/usr/share/…/CODE.fd format=raw
 *	template=/usr/share/…/VARS.fd template-format=raw machines=x86_64:pc-q35-* features=acpi-s3
 *
 * which begins with the file's name, for they are tried in the order of their names.
 */
#ifndef MODEL_FIRMWARE_H
#define MODEL_FIRMWARE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define FIRMWARE_MAX_BYTES (256u * 1024) /* of a description */

struct firmware {
	char *name;             /* of the file, without its folder */
	char **types;           /* "uefi", "bios", … */
	char *device;           /* "flash", "kernel", "memory", or another */
	char *mode;             /* of flash: "split", "combined", "stateless", or another */
	char *file, *format;    /* what is mapped; format is NULL but for flash */
	char *template_file, *template_format; /* of split flash, else NULL */
	char **machines;        /* "x86_64:pc-q35-*" */
	char **features;
};

/**
 * firmware_parse - read a description
 * @bytes: JSON of @length bytes
 * @name: the file's name
 *
 * Returns the description, or NULL with what is wrong in @error.
 */
struct firmware *firmware_parse(const char *bytes, size_t length, const char *name, GError **error);

/* Its line; free with g_free(). */
char *firmware_line(const struct firmware *firmware);

/* Reads a line of firmware_line(); NULL where it is none. */
struct firmware *firmware_from_line(const char *line);
void firmware_free(struct firmware *firmware);
typedef struct firmware Firmware;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Firmware, firmware_free)

/* Is it for the machine type (aliases resolved) of the architecture? */
bool firmware_fits(const struct firmware *firmware, const char *arch, const char *machine);

bool firmware_has(const struct firmware *firmware, const char *feature);
bool firmware_is(const struct firmware *firmware, const char *type);

/*
 * Where firmware usually lies, beside what descriptions name; ends in NULL. The probe looks for
 * each, so that a file of this list that a profile doesn't have isn't there.
 */
extern const char *const firmware_places[];

/* The pairs of loader and variables that libvirt knows without descriptions: A, B, A, B, …, NULL. */
extern const char *const firmware_known_pairs[];

/* "PATH:SIZE", as the set "firmware.file" has them; free with g_free(). */
char *firmware_file_text(const char *path, guint64 size);

#endif
