/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read-qmp.h: what the files that read QMP replies share; for nobody else.
 */
#ifndef READ_READ_QMP_H
#define READ_READ_QMP_H

#include "read/read-parts.h"

/* What stands under "return", or the reply itself. */
const json_t *read_qmp_value(const json_t *reply);

/* What query-target says, as libvirt spells it, or NULL. */
const char *read_qmp_arch(const json_t *value);

/* A conversation: commands, each followed by its reply. */
bool read_qmp_transcript(json_t *doc, const json_t *messages, const struct scope *asked,
			 const struct cpu_models *models, const char *origin, GError **error);

/* The "name" of a list's @i-th member. */
bool read_qmp_named(const json_t *member, const char *origin, size_t i, const char **name,
		    GError **error);

/* Copies a member of the right type, where it is there. */
void read_qmp_copy_bool(json_t *to, const char *key, const json_t *from, const char *from_key);
void read_qmp_copy_name(json_t *to, const char *key, const json_t *from, const char *from_key);

/* A list that owns JSON objects, and the array of them sorted by their "name" (it takes them). */
GPtrArray *read_qmp_list(void);
json_t *read_qmp_sorted(GPtrArray *objects);

/* Strings as an array, sorted, each once. */
json_t *read_qmp_names(GPtrArray *names);

/* The names of a type's properties ("cpu" for the CPU's); @names is stolen. */
void read_qmp_set_properties(json_t *entry, const char *type, json_t *names);

/* device-list-properties of a type; qom-list-types of what implements @kind. */
bool read_qmp_properties(json_t *doc, const json_t *value, const struct scope *scope,
			 const char *type, const char *origin, GError **error);
bool read_qmp_types(json_t *doc, const json_t *value, const struct scope *scope, const char *kind,
		    const char *origin, GError **error);

bool read_qmp_definitions(json_t *doc, const json_t *value, const struct scope *scope,
			  const char *origin, GError **error);
bool read_qmp_expansion(json_t *doc, const json_t *value, const struct scope *scope,
			const char *model, const struct cpu_models *models, const char *origin,
			GError **error);

/* read-qmp-migration.c */
bool read_qmp_migrate_capabilities(json_t *doc, const json_t *value, const struct scope *asked,
				   const char *origin, GError **error);
bool read_qmp_migrate_parameters(json_t *doc, const json_t *value, const struct scope *asked,
				 const char *origin, GError **error);
bool read_qmp_schema(json_t *doc, const json_t *schema, const struct scope *asked,
		     const char *origin, GError **error);

/* read-security.c */
bool read_qmp_sev(json_t *doc, const json_t *value, const struct scope *asked, const char *origin,
		  GError **error);
bool read_qmp_sgx(json_t *doc, const json_t *value, const struct scope *asked, const char *origin,
		  GError **error);

#endif
