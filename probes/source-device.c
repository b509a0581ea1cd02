/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * source-device.c: character devices read by ioctl and pread; see source.h.
 *
 * A device's calls are one JSON object, written when the device is closed:
 * {"open":{"errno"?}, "calls":{NAME:{"rc","errno"?,"data"?,"buffer"?}}}; data is hexadecimal, as it
 * came out.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "model/error.h"
#include "source-private.h"

struct source_device {
	struct source *source;
	char *name;
	int fd;        /* -1 in a replay */
	json_t *log;   /* the whole object */
	json_t *calls; /* borrowed */
	struct source_device *parent;
};

static struct source_device *device_new(struct source *source, const char *name, json_t *log)
{
	struct source_device *device = g_new0(struct source_device, 1);

	device->source = source;
	device->name = g_strdup(name);
	device->fd = -1;
	device->log = log;
	device->calls = json_object_get(log, "calls");
	return device;
}

static struct source_device *replay_open(struct source *source, const char *name, int *err)
{
	g_autofree char *text = source_recall(source, name);
	json_t *log = text ? json_bytes_parse(text, strlen(text), SOURCE_MAX_FILE, NULL) : NULL;
	const json_t *opened = json_object_get(log, "open");

	*err = text ? (int)json_integer_value(json_object_get(opened, "errno")) : ENOENT;
	if (!*err && json_is_object(opened) && json_is_object(json_object_get(log, "calls")))
		return device_new(source, name, log);
	if (!*err)
		*err = EINVAL;
	json_decref(log);
	return NULL;
}

struct source_device *source_device_open(struct source *source, const char *path, const char *name,
					 int flags, int *err)
{
	struct source_device *device;
	json_t *log;

	if (source_mode(source) == SOURCE_REPLAY)
		return replay_open(source, name, err);
	log = json_pack("{s:{}, s:{}}", "open", "calls");
	device = device_new(source, name, log);
	device->fd = open(path, flags | O_CLOEXEC);
	*err = device->fd < 0 ? errno : 0;
	if (device->fd >= 0)
		return device;
	json_object_set_new(json_object_get(log, "open"), "errno", json_integer(*err));
	source_device_close(device);
	return NULL;
}

void source_device_close(struct source_device *device)
{
	g_autofree char *text = NULL;

	if (!device)
		return;
	if (device->fd >= 0)
		close(device->fd);
	if (!device->parent && source_mode(device->source) == SOURCE_RECORD) {
		text = json_dumps(device->log, JSON_INDENT(1) | JSON_SORT_KEYS);
		source_keep(device->source, device->name, text);
	}
	json_decref(device->log);
	g_free(device->name);
	g_free(device);
}

static json_t *hex_of(const void *data, size_t size)
{
	GString *hex = g_string_sized_new(2 * size);
	json_t *json;

	for (size_t i = 0; i < size; i++)
		g_string_append_printf(hex, "%02x", ((const uint8_t *)data)[i]);
	json = json_string(hex->str);
	g_string_free(hex, TRUE);
	return json;
}

static bool from_hex(const char *hex, void *data, size_t size)
{
	if (!hex || strlen(hex) != 2 * size)
		return false;
	for (size_t i = 0; i < size; i++) {
		int high = g_ascii_xdigit_value(hex[2 * i]), low = g_ascii_xdigit_value(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		((uint8_t *)data)[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* What a replay holds of a call; one that it doesn't hold failed as an unknown one does. */
static int replay_call(const struct source_device *device, const char *call, void *data,
		       size_t size, int *err)
{
	const json_t *entry = json_object_get(device->calls, call);

	*err = entry ? (int)json_integer_value(json_object_get(entry, "errno")) : ENOTTY;
	if (size && entry && !from_hex(json_string_value(json_object_get(entry, "data")), data, size) &&
	    !*err)
		*err = EINVAL;
	return *err ? -1 : (int)json_integer_value(json_object_get(entry, "rc"));
}

static void log_call(struct source_device *device, const char *call, int rc, int err,
		     const void *data, size_t size)
{
	json_t *entry = json_pack("{s:i}", "rc", rc);

	if (rc < 0)
		json_object_set_new(entry, "errno", json_integer(err));
	if (size)
		json_object_set_new(entry, "data", hex_of(data, size));
	json_object_set_new(device->calls, call, entry);
}

int source_ioctl(struct source_device *device, const char *call, unsigned long request,
		 uintptr_t arg, size_t size, int *err)
{
	int rc;

	if (source_mode(device->source) == SOURCE_REPLAY)
		return replay_call(device, call, (void *)arg, size, err);
	do
		rc = ioctl(device->fd, request, arg);
	while (rc < 0 && errno == EINTR);
	*err = rc < 0 ? errno : 0;
	log_call(device, call, rc, *err, (const void *)arg, size);
	return rc;
}

static void set_pointer(void *arg, size_t offset, const void *bytes)
{
	uint64_t address = (uintptr_t)bytes;

	memcpy((char *)arg + offset, &address, sizeof(address));
}

int source_ioctl_buffer(struct source_device *device, const char *call, unsigned long request,
			void *arg, size_t size, const struct source_buffer *buffer, int *err)
{
	const json_t *entry = json_object_get(device->calls, call);
	int rc;

	if (source_mode(device->source) == SOURCE_REPLAY) {
		rc = replay_call(device, call, arg, size, err);
		if (rc < 0 || from_hex(json_string_value(json_object_get(entry, "buffer")), buffer->bytes,
				       buffer->size))
			return rc;
		*err = EINVAL;
		return -1;
	}
	set_pointer(arg, buffer->pointer, buffer->bytes);
	do
		rc = ioctl(device->fd, request, arg);
	while (rc < 0 && errno == EINTR);
	*err = rc < 0 ? errno : 0;
	set_pointer(arg, buffer->pointer, NULL);
	log_call(device, call, rc, *err, arg, size);
	json_object_set_new(json_object_get(device->calls, call), "buffer",
			    hex_of(buffer->bytes, buffer->size));
	return rc;
}

int source_device_fd(const struct source_device *device)
{
	return device->fd;
}

struct source_device *source_ioctl_open(struct source_device *device, const char *call,
					unsigned long request, uintptr_t arg, int *err)
{
	struct source_device *child;
	bool replay = source_mode(device->source) == SOURCE_REPLAY;
	int fd = replay ? replay_call(device, call, NULL, 0, err) : ioctl(device->fd, request, arg);

	if (!replay) {
		*err = fd < 0 ? errno : 0;
		log_call(device, call, fd < 0 ? -1 : 0, *err, NULL, 0);
	}
	if (fd < 0)
		return NULL;
	child = device_new(device->source, device->name, json_incref(device->log));
	child->parent = device;
	child->fd = replay ? -1 : fd;
	return child;
}

bool source_pread64(struct source_device *device, const char *call, off_t offset, uint64_t *value,
		    int *err)
{
	ssize_t n;

	*value = 0;
	if (source_mode(device->source) == SOURCE_REPLAY)
		return replay_call(device, call, value, sizeof(*value), err) >= 0;
	do
		n = pread(device->fd, value, sizeof(*value), offset);
	while (n < 0 && errno == EINTR);
	*err = n < 0 ? errno : n != sizeof(*value) ? EIO : 0;
	log_call(device, call, *err ? -1 : 0, *err, value, sizeof(*value));
	return !*err;
}
