/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * plug.h: what a running guest asks for once a device has been plugged in: a copy of its definition
 * with the device as the last of <devices>.
 */
#ifndef GUEST_PLUG_H
#define GUEST_PLUG_H

#include "guest/needs.h"

/* Is it the name of an element that stands below <devices>? */
bool plug_is_device(const char *name);

/**
 * needs_plug - the needs of a guest with one more device
 * @needs: of the guest as it runs; its definition must be there
 * @device: a document whose root is the device's element: <hostdev>, <interface>, <memory>, …
 *
 * <memory> is added to the guest's memory, as libvirt does. The device is reduced as definitions are
 * (definition.h).
 *
 * Returns the needs, marked as plugged, to be freed by needs_free(); NULL with one line in @error
 * where the root is no device, a memory device has no size, or the guest has no definition.
 */
struct needs *needs_plug(const struct needs *needs, const struct xml_document *device, GError **error);

#endif
