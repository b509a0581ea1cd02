/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * source.h: the only way by which probes read anything: live, live and recorded, or replayed.
 *
 * Theory of operation: a recording is a folder that mirrors absolute paths (DIR/proc/cpuinfo).
 * What is no file is kept beside them under a name: ioctls as ioctl/NAME.json, talks with QEMU as
 * qmp/NAME.json, libvirt's answers as libvirt/NAME.xml. What failed is a line of meta.jsonl, as is
 * what stat() said. A replay reads nothing but that folder: what it doesn't hold doesn't exist,
 * so that a folder of files copied by hand replays for what it has. Nothing inside the folder
 * leads out of it: symbolic links are refused.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SOURCE_MAX_FILE (16u * 1024 * 1024)
#define SOURCE_MAX_ENTRIES 65536u

enum source_mode { SOURCE_LIVE, SOURCE_RECORD, SOURCE_REPLAY };

/* Codes of errors in asking what is no file. */
enum source_error {
	SOURCE_MISSING,    /* it isn't there */
	SOURCE_UNREADABLE, /* it is, and may not be asked */
	SOURCE_TIMED_OUT,
	SOURCE_FAILED,
};
#define SOURCE_ERROR source_error_quark()
GQuark source_error_quark(void);

/* "missing", "unreadable", "timed-out", "failed": the state of a source with that error. */
const char *source_error_state(const GError *error);

struct source;

/**
 * source_new - open a source
 * @dir: for SOURCE_RECORD a folder that is new or empty, for SOURCE_REPLAY a recording; else NULL
 *
 * Returns the source, to be freed by source_free(), or NULL with one line in @error.
 */
struct source *source_new(enum source_mode mode, const char *dir, GError **error);
void source_free(struct source *source);
typedef struct source Source;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Source, source_free)

enum source_mode source_mode(const struct source *source);

/**
 * source_read - a file's bytes
 * @path: absolute
 * @length: number of bytes, or NULL; a NUL follows them
 * @err: errno where it fails: EFBIG beyond SOURCE_MAX_FILE, ENOENT where a replay doesn't have it
 *
 * Returns new memory, or NULL.
 */
char *source_read(struct source *source, const char *path, size_t *length, int *err);

/* The same as text: valid UTF-8 without white space at its ends. */
char *source_text(struct source *source, const char *path, int *err);

/**
 * source_list - the names in a folder, sorted
 *
 * A replay lists what was recorded of it. Free with g_strfreev().
 */
char **source_list(struct source *source, const char *path, int *err);

/**
 * source_names - the same for a folder of links, devices or folders, whose entries may never be read
 *
 * The names are kept in a recording; a replay of a folder copied by hand lists what is there.
 */
char **source_names(struct source *source, const char *path, int *err);

struct source_file {
	uint64_t size, inode, device;
	int64_t mtime; /* seconds */
	bool executable; /* a regular file with an execute bit */
	bool socket;
};

/* source_stat - what a path leads to; false with errno in @err */
bool source_stat(struct source *source, const char *path, struct source_file *file, int *err);

/* source_link - where a symbolic link points to, or NULL with errno in @err */
char *source_link(struct source *source, const char *path, int *err);

/**
 * source_ask - an answer of what is no file
 * @name: its file in a recording, relative
 * @ask: gets the answer live: new memory, or NULL with a SOURCE_ERROR
 *
 * Returns text, or NULL with the error, which a recording keeps as well. A replay that doesn't
 * hold it says SOURCE_MISSING, "not in the recording".
 */
char *source_ask(struct source *source, const char *name, char *(*ask)(void *data, GError **error),
		 void *data, GError **error);

/* Whether there is anything of that name to be had: always, but in a replay that lacks it. */
bool source_holds(const struct source *source, const char *name);

/* Whether a replay holds the failure of an answer, and not just nothing of it. */
bool source_failed(const struct source *source, const char *name);

/* The two halves of it, for what is asked many at once: keep does nothing but in a recording. */
void source_keep(struct source *source, const char *name, const char *text);
char *source_recall(struct source *source, const char *name);

/* A character device. Calls are recorded under their names. */
struct source_device;

/**
 * source_device_open - open a device
 * @path: "/dev/kvm"
 * @name: its file in a recording, "ioctl/kvm.json"
 * @flags: O_RDWR or O_RDONLY
 */
struct source_device *source_device_open(struct source *source, const char *path, const char *name,
					 int flags, int *err);
void source_device_close(struct source_device *device);
typedef struct source_device SourceDevice;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SourceDevice, source_device_close)

/**
 * source_ioctl - one call
 * @call: its name in the recording, unique to the device: "KVM_CHECK_EXTENSION 60"
 * @arg: a number where @size is 0, else a pointer to @size bytes that go in and come out
 * @err: errno where it returns -1
 */
int source_ioctl(struct source_device *device, const char *call, unsigned long request,
		 uintptr_t arg, size_t size, int *err);

/* What a call fills beside its argument. */
struct source_buffer {
	void *bytes;
	size_t size;
	size_t pointer; /* where in the argument 8 bytes take its address; they are 0 in a recording */
};

/* source_ioctl() for an argument of @size bytes that points at a buffer, which is kept too. */
int source_ioctl_buffer(struct source_device *device, const char *call, unsigned long request,
			void *arg, size_t size, const struct source_buffer *buffer, int *err);

/* The descriptor that stands for a device in arguments of other calls; -1 in a replay. */
int source_device_fd(const struct source_device *device);

/* A call that returns a file descriptor: a device of its own, recorded with its parent, which must
 * outlive it. */
struct source_device *source_ioctl_open(struct source_device *device, const char *call,
					unsigned long request, uintptr_t arg, int *err);

/* Eight bytes at an offset, as MSRs are read. */
bool source_pread64(struct source_device *device, const char *call, off_t offset, uint64_t *value,
		    int *err);

/**
 * source_write - write to an attribute of sysfs; live only, and never recorded
 *
 * Nothing but a claim that the user asked for changes anything (claim.c).
 */
bool source_write(const char *path, const char *text, int *err);

/**
 * source_lock - lock a folder against other probes, as flock(2) does; live only
 *
 * The lock is held until this process and all that it forks afterwards have ended. Returns false with
 * errno: EWOULDBLOCK where another one has it.
 */
bool source_lock(const char *path, int *err);

/* Our own data file (schema/data), always live: NULL where none is found. */
char *source_data_file(const char *name, size_t *length);

/* Writes a whole file that the user named; false with one line in @error. */
bool source_write_output(const char *path, const char *text, GError **error);

#endif
