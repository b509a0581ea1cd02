/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read-kubernetes.h: nodes and KubeVirt's guests, as `kubectl get nodes,vmi -A -o json` prints them.
 *
 * Of a node KubeVirt's labels tell: CPU models that are usable, features that the host's CPU has,
 * machine types, each for the emulator of virt-launcher; which others there are isn't told, and so
 * isn't known. Nothing tells of IOMMUs, QEMU's and libvirt's versions, firmware.
 */
#ifndef READ_KUBERNETES_H
#define READ_KUBERNETES_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "model/cpu-model.h"

#define KUBERNETES_MAX_ITEMS 200000u

/* Is it a Node, a VirtualMachineInstance, or a list that begins with one? */
bool kubernetes_is(const json_t *doc);

/* The objects: of a list its items, else the object itself; a new array. */
json_t *kubernetes_items(const json_t *doc);

/* The kind of an object is the one that is asked for. */
bool kubernetes_is_node(const json_t *item);
bool kubernetes_is_guest(const json_t *item);

/**
 * kubernetes_profile - a node as a profile document without fingerprint and times
 * @models: what models have
 *
 * Returns a new reference, or NULL with one line in @error.
 */
json_t *kubernetes_profile(const json_t *node, const struct cpu_models *models, GError **error);

/**
 * kubernetes_definition - a VirtualMachineInstance as a domain definition; free with g_free()
 * @node: set to the node that it runs on, borrowed, or to NULL
 *
 * What of it has no counterpart becomes an element that nobody knows, so that it is told as not judged.
 * Returns NULL with one line in @error.
 */
char *kubernetes_definition(const json_t *guest, const char **node, GError **error);

#endif
