/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read-host.h: readers of files and lists that say what a host has beside its processor.
 *
 * Each adds facts without an emulator to a document. @origin is where the bytes came from.
 */
#ifndef READ_READ_HOST_H
#define READ_READ_HOST_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "model/profile.h"

/**
 * read_firmware_descriptions - what libvirt can choose firmware from
 * @descriptions: struct firmware *, all there are
 * @arch: the host's, or NULL
 */
void read_firmware_descriptions(json_t *doc, const GPtrArray *descriptions, const char *arch,
				const char *origin);

/* Lines "SIZE PATH" of firmware files that are there, and "- PATH" of those that aren't. */
void read_firmware_files(json_t *doc, const char *text, const char *origin);

/**
 * read_swtpm - lines "PROGRAM PATH", each followed by what `PROGRAM --print-capabilities` said on
 * one line where it said anything
 *
 * libvirt wants swtpm, swtpm_setup and swtpm_ioctl, and asks the second for TPM versions.
 */
void read_swtpm(json_t *doc, const char *text, const char *origin);

/* Sizes of huge pages: names of /sys/kernel/mm/hugepages ("hugepages-2048kB"). */
void read_huge_pages(json_t *doc, char *const *names, const char *origin);

/**
 * read_hugetlbfs - the mount table: page sizes that hugetlbfs is mounted for
 * @default_kib: the kernel's default size, for mounts that don't say theirs; 0: not known
 */
void read_hugetlbfs(json_t *doc, const char *mounts, guint64 default_kib, const char *origin);

/* A list of NUMA nodes, "0-1,4". */
void read_numa_nodes(json_t *doc, const char *list, const char *origin);

/* Names in /dev, one a line: vhost-net, vhost-vdpa-0, tpm0, … */
void read_device_nodes(json_t *doc, const char *text, const char *origin);

/* One description of a vhost-user daemon (QEMU docs/interop/vhost-user.json). */
struct vhost_user {
	char *type;      /* "fs", "gpu", … */
	char *binary;    /* path */
	char **features; /* NULL: the description doesn't say */
};

/* Reads one; NULL with what is wrong in @error. */
struct vhost_user *read_vhost_user(const char *bytes, size_t length, const char *name, GError **error);
void vhost_user_free(struct vhost_user *daemon);

/**
 * read_vhost_users - the kinds of daemons that are installed
 * @daemons: struct vhost_user * whose binaries are there, in the order of their files' names
 */
void read_vhost_users(json_t *doc, const GPtrArray *daemons, const char *origin);

#endif
