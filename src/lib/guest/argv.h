/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * argv.h: what a guest asks for that is started by QEMU's own arguments, without libvirt: as
 * `qm showcmd` prints them, as somebody types them, or as /proc/PID/cmdline has them.
 *
 * The arguments become a domain definition, so that all that judges definitions judges them. What
 * libvirt has an element for is written as that element (CPU, memory, firmware, enlightenments);
 * what has none stands in one of our own, by whose presence such a guest is told from libvirt's:
 *
 *	<argv fallback='tcg'>          the accelerator that is taken where the first isn't there
 *	  <has device='virtio-net-pci'/>  <has device='virtio-net-pci' property='mac'/>
 *	  <has object='memory-backend-file'/>  <has machine='hpet'/>
 *	  <given option='no-hpet'/>    an option that was given
 *	  <unknown what='…'/>          what could decide and isn't understood
 *	</argv>
 *
 * Names of devices and of their properties are told, their values aren't. What is wrong with the
 * arguments themselves, whichever the host (an id twice, a bus that isn't there), isn't looked for.
 */
#ifndef GUEST_ARGV_H
#define GUEST_ARGV_H

#include <stdbool.h>

#include "guest/needs.h"

#define ARGV_MAX_BYTES (1024u * 1024)
#define ARGV_MAX_WORDS 16384u

/**
 * argv_is - do bytes look like a command that starts QEMU?
 *
 * True where one of the first words is a program called kvm, qemu-kvm or qemu-system-NAME, and an
 * option follows.
 */
bool argv_is(const char *bytes, size_t length);

/**
 * argv_words - the words of a command
 * @bytes: NUL-separated as in /proc/PID/cmdline, or one command as a shell reads it
 *
 * Quotes, backslashes and lines that end in one are understood; what a shell would work out ($, `,
 * pipes, redirections) is refused. Returns the words, ended by NULL, from the program's name on,
 * to be freed by g_strfreev(), or NULL with one line in @error (place, what, what to do).
 */
char **argv_words(const char *bytes, size_t length, GError **error);

/**
 * argv_definition - the domain definition that words amount to, as XML; free with g_free()
 *
 * Returns NULL with one line in @error where a value isn't one that QEMU takes.
 */
char *argv_definition(char *const *words, GError **error);

/**
 * needs_from_argv - what a command that starts QEMU asks for
 *
 * Returns the needs, to be freed by needs_free(), or NULL with one line in @error.
 */
struct needs *needs_from_argv(const char *bytes, size_t length, GError **error);

/**
 * needs_read - what a guest asks for that bytes describe: a definition, a bare <cpu>, or a command
 * @where: what messages call them (a file's name)
 *
 * Returns the needs, to be freed by needs_free(), or NULL with one line in @error that begins with @where.
 */
struct needs *needs_read(const char *bytes, size_t length, const char *where, GError **error);

#endif
