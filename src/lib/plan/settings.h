/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * settings.h: what guests are to be started with, in the words of the program that starts them.
 *
 * A setting is made of a baseline, or read from one's JSON, which is also how a level holds it. Only
 * what a consumer can say is written; what it can't is named in comments, each with its reason.
 */
#ifndef PLAN_SETTINGS_H
#define PLAN_SETTINGS_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "model/cpu-model.h"
#include "model/tables.h"
#include "plan/baseline.h"

enum setting_consumer {
	SETTING_LIBVIRT,        /* a <cpu> element */
	SETTING_LIBVIRT_DOMAIN, /* a <domain> with <os>, <cpu> and, where there is one, <iommu> */
	SETTING_QEMU,           /* arguments, one line */
	SETTING_NOVA,           /* nova.conf of the compute nodes */
	SETTING_OVIRT,          /* a cluster, as the engine's REST interface takes it */
	SETTING_KUBEVIRT,       /* the KubeVirt resource */
	SETTING_PROXMOX,        /* a section of cpu-models.conf */
	SETTING_CONSUMERS
};

struct setting {
	char *arch, *vendor;     /* "unknown" where no host says */
	enum arch_family family;
	const char *accel;       /* "kvm", "tcg" or NULL */
	const char *mode, *model; /* as in struct cpu_choice */
	const char *check;       /* how libvirt is to check the CPU, "full" or "partial"; NULL: not told */
	GArray *delta;           /* struct feature_policy */
	GPtrArray *features;     /* const char *: the expanded set, libvirt's names */
	GPtrArray *machines;     /* const char *, best first */
	GPtrArray *hosts;        /* const char *: their names */
	json_t *capabilities;    /* {id: value} */
	const char *viommu;      /* "intel", "virtio", "smmuv3", "amd", or NULL: none */
	json_t *viommu_properties; /* {our name of the property, "aw-bits": value} */
	GPtrArray *strings;      /* char *: what the others borrow */
};

/* What consumers' names are looked up in. */
struct setting_facts {
	const struct tables *tables;
	const struct cpu_models *models;
};

/* "libvirt", "nova", …; false where the name is no consumer's. */
bool setting_consumer_find(const char *name, enum setting_consumer *consumer);
const char *setting_consumer_name(enum setting_consumer consumer);

/* Is a consumer's text XML, with XML's comments? Others begin comments with '#'. */
bool setting_is_xml(enum setting_consumer consumer);

struct setting *setting_of_baseline(const struct baseline *baseline);

/**
 * setting_of_json - read a setting from a member of "baselines" in the answer "baseline"
 * @group: may also have "viommu": {"model": TEXT, "properties": {NAME: VALUE}}
 *
 * Returns the setting, or NULL with @error where "arch", "cpu" or a member of theirs is of the wrong type.
 */
struct setting *setting_of_json(const json_t *group, GError **error);

void setting_free(struct setting *setting);
typedef struct setting Setting;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Setting, setting_free)

/* Is there a CPU that guests of all its hosts can be given? */
bool setting_has_cpu(const struct setting *setting);

/**
 * setting_write - write a setting for a consumer
 * @name: what to call it where it needs a name, or NULL: after its vendor
 * @usable: set to false where the consumer can be told nothing: the text is comments alone then
 *
 * Returns the text, ending with a newline; free with g_free().
 */
char *setting_write(const struct setting *setting, enum setting_consumer consumer,
		    const struct setting_facts *facts, const char *name, bool *usable);

/**
 * setting_comment - append a comment in a consumer's syntax, in lines of at most 80 columns
 * @words: what would end a comment in XML is changed
 */
void setting_comment(GString *text, enum setting_consumer consumer, const char *words);

#endif
