/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cpu-def.c: see cpu-def.h. What is refused here is what every libvirt's parser refuses; what
 * only some versions or drivers refuse is left to those who judge.
 */
#include "config.h"

#include <string.h>

#include "guest/cpu-def.h"
#include "model/error.h"

#define MAX_TOPOLOGY (1u << 20)
#define MAX_NAME 100u

static const char *const mode_names[] = { "none",	      "custom",  "host-model",
					  "host-passthrough", "maximum", NULL };
static const char *const match_names[] = { "exact", "minimum", "strict", NULL };
static const char *const check_names[] = { "default", "none", "partial", "full", NULL };
static const char *const policy_names[] = { "force", "require", "optional",
					    "disable", "forbid", NULL };
static const char *const switch_names[] = { "off", "on", NULL };
static const char *const fallback_names[] = { "allow", "forbid", NULL };
static const char *const phys_names[] = { "none", "emulate", "passthrough", NULL };

_Static_assert(G_N_ELEMENTS(mode_names) == CPU_MAXIMUM + 2, "a mode without a name");
_Static_assert(G_N_ELEMENTS(match_names) == CPU_MATCH_STRICT + 2, "a match without a name");
_Static_assert(G_N_ELEMENTS(check_names) == CPU_CHECK_FULL + 2, "a check without a name");
_Static_assert(G_N_ELEMENTS(policy_names) == CPU_FORBID + 2, "a policy without a name");

const char *cpu_mode_name(enum cpu_mode mode)
{
	return mode_names[mode];
}

const char *cpu_match_name(enum cpu_match match)
{
	return match_names[match];
}

const char *cpu_check_name(enum cpu_check check)
{
	return check_names[check];
}

const char *cpu_policy_name(enum cpu_policy policy)
{
	return policy_names[policy];
}

static void feature_free(gpointer data)
{
	struct cpu_def_feature *feature = data;

	g_free(feature->name);
	g_free(feature->path);
	g_free(feature);
}

struct cpu_def *cpu_def_new(const char *path)
{
	struct cpu_def *def = g_new0(struct cpu_def, 1);

	def->migratable = -1;
	def->path = g_strdup(path);
	def->features = g_ptr_array_new_with_free_func(feature_free);
	return def;
}

void cpu_def_free(struct cpu_def *def)
{
	if (!def)
		return;
	g_free(def->arch);
	g_free(def->model);
	g_free(def->vendor);
	g_free(def->vendor_id);
	g_free(def->path);
	g_ptr_array_unref(def->features);
	g_free(def);
}

void cpu_def_add_feature(struct cpu_def *def, const char *name, enum cpu_policy policy,
			 char *path)
{
	struct cpu_def_feature *feature = g_new(struct cpu_def_feature, 1);

	*feature = (struct cpu_def_feature){ g_strdup(name), policy, path };
	g_ptr_array_add(def->features, feature);
}

static bool fail(const struct xml_node *node, const char *what, GError **error)
{
	g_autofree char *path = xml_path(node);

	g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID, "%s (line %u): %s", path, node->line,
		    what);
	return false;
}

static bool fail_value(const struct xml_node *node, const char *attribute, const char *value,
		       const char *const *names, GError **error)
{
	g_autofree char *path = xml_path(node);
	g_autofree char *list = g_strjoinv(", ", (char **)names);

	g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
		    "%s/@%s (line %u): '%.64s' is not one of %s", path, attribute, node->line,
		    value, list);
	return false;
}

/* A name out of the element's text or an attribute; NULL stays NULL, and so does "". */
static bool copy_name(const struct xml_node *node, const char *text, char **out, GError **error)
{
	if (!text || !*text)
		return true;
	if (strlen(text) > MAX_NAME || strpbrk(text, "\r\n"))
		return fail(node, "a name must be one line of at most 100 bytes", error);
	*out = g_strdup(text);
	return true;
}

/*
 * An attribute that must be one of @names from @first on; *@out keeps its value where it is not
 * written.
 */
static bool get_enum(const struct xml_node *node, const char *attribute, const char *const *names,
		     int first, int *out, GError **error)
{
	const char *value = xml_attr(node, attribute);

	if (!value)
		return true;
	for (int i = first; names[i]; i++) {
		if (!strcmp(names[i], value)) {
			*out = i;
			return true;
		}
	}
	return fail_value(node, attribute, value, names + first, error);
}

static bool get_uint(const struct xml_node *node, const char *attribute, unsigned int min,
		     unsigned int max, unsigned int *out, GError **error)
{
	const char *value = xml_attr(node, attribute);
	guint64 n;

	if (!value)
		return true;
	if (!g_ascii_string_to_unsigned(value, 10, min, max, &n, NULL)) {
		g_autofree char *path = xml_path(node);

		g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
			    "%s/@%s (line %u): '%.64s' is not a number from %u to %u", path,
			    attribute, node->line, value, min, max);
		return false;
	}
	*out = (unsigned int)n;
	return true;
}

static bool parse_attributes(struct cpu_def *def, const struct xml_node *node, GError **error)
{
	int mode = CPU_MODE_NONE, match = CPU_MATCH_EXACT, check = CPU_CHECK_DEFAULT;
	bool is_mode = !strcmp(node->name, "mode"); /* of domain capabilities: <mode name=…> */

	if (!get_enum(node, is_mode ? "name" : "mode", mode_names, CPU_CUSTOM, &mode, error) ||
	    !get_enum(node, "match", match_names, 0, &match, error) ||
	    !get_enum(node, "check", check_names, CPU_CHECK_DEFAULT, &check, error) ||
	    !get_enum(node, "migratable", switch_names, 0, &def->migratable, error))
		return false;
	def->mode = (enum cpu_mode)mode;
	def->match = (enum cpu_match)match;
	def->check = (enum cpu_check)check;
	def->has_match = xml_attr(node, "match") != NULL;
	if (xml_child(node, "arch")) {
		if (mode != CPU_MODE_NONE)
			return fail(node, "<arch> and mode= don't go together (remove one)", error);
		def->host = true;
		if (!copy_name(node, xml_child(node, "arch")->text, &def->arch, error))
			return false;
	}
	if (def->migratable >= 0 && mode != CPU_HOST_PASSTHROUGH && mode != CPU_MAXIMUM)
		return fail(node, "migratable= needs mode='host-passthrough' or 'maximum'", error);
	return true;
}

static bool parse_model(struct cpu_def *def, const struct xml_node *node, GError **error)
{
	const struct xml_node *model = xml_child(node, "model");
	const struct xml_node *vendor = xml_child(node, "vendor");
	const char *fallback = xml_attr(model, "fallback");
	int forbid = 0;

	if (model) {
		if ((fallback && *fallback && !get_enum(model, "fallback", fallback_names, 0, &forbid, error)) ||
		    !copy_name(model, model->text, &def->model, error) ||
		    !copy_name(model, xml_attr(model, "vendor_id"), &def->vendor_id, error))
			return false;
		def->fallback_forbid = forbid;
		if (def->vendor_id &&
		    (strlen(def->vendor_id) != 12 || strchr(def->vendor_id, ',')))
			return fail(model, "vendor_id must be 12 characters without a comma", error);
		if (def->host && !def->model)
			return fail(model, "the model has no name", error);
	}
	if (vendor) {
		if (!*vendor->text)
			return fail(vendor, "the vendor has no name", error);
		if (!copy_name(vendor, vendor->text, &def->vendor, error))
			return false;
	}
	return true;
}

static bool parse_topology(struct cpu_def *def, const struct xml_node *node, GError **error)
{
	const struct xml_node *t = xml_child(node, "topology");

	if (!t)
		return true;
	if (!get_uint(t, "sockets", 1, MAX_TOPOLOGY, &def->sockets, error) ||
	    !get_uint(t, "dies", 1, MAX_TOPOLOGY, &def->dies, error) ||
	    !get_uint(t, "clusters", 1, MAX_TOPOLOGY, &def->clusters, error) ||
	    !get_uint(t, "cores", 1, MAX_TOPOLOGY, &def->cores, error) ||
	    !get_uint(t, "threads", 1, MAX_TOPOLOGY, &def->threads, error))
		return false;
	if (!def->sockets || !def->cores || !def->threads)
		return fail(t, "sockets, cores and threads must all be written", error);
	return true;
}

static bool parse_phys(struct cpu_def *def, const struct xml_node *node, GError **error)
{
	const struct xml_node *phys = xml_child(node, "maxphysaddr");

	if (!phys)
		return true;
	if (!get_enum(phys, "mode", phys_names, 1, &def->phys_mode, error) ||
	    !get_uint(phys, "bits", 0, 1024, &def->phys_bits, error) ||
	    !get_uint(phys, "limit", 0, 1024, &def->phys_limit, error))
		return false;
	if (!def->phys_mode)
		return fail(phys, "mode= is missing ('emulate' or 'passthrough')", error);
	return true;
}

static bool parse_features(struct cpu_def *def, const struct xml_node *node, GError **error)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	const struct xml_node *f = xml_child(node, "feature");
	bool one = f && !xml_same(f);

	for (unsigned int n = 1; f; f = xml_same(f), n++) {
		const char *name = xml_attr(f, "name");
		int policy = CPU_REQUIRE;

		if (n > CPU_DEF_MAX_FEATURES)
			return fail(node, "more than 4096 features", error);
		if (!name || !*name)
			return fail(f, "the feature has no name", error);
		if (strlen(name) > MAX_NAME || strpbrk(name, "\r\n"))
			return fail(f, "a name must be one line of at most 100 bytes", error);
		if (!def->host && !get_enum(f, "policy", policy_names, 0, &policy, error))
			return false;
		if (!g_hash_table_add(seen, (gpointer)name)) {
			g_autofree char *path = xml_path(f);

			g_set_error(error, CAPBROKER_ERROR, ERROR_INVALID,
				    "%s (line %u): feature '%s' is given twice (remove one)", path,
				    f->line, name);
			return false;
		}
		cpu_def_add_feature(def, name, (enum cpu_policy)policy,
				    cpu_def_feature_path(def->path, n, one));
	}
	return true;
}

char *cpu_def_feature_path(const char *cpu, unsigned int n, bool one)
{
	return one ? g_strdup_printf("%s/feature", cpu) : g_strdup_printf("%s/feature[%u]", cpu, n);
}

/* What libvirt can't make sense of without a model. */
static bool check_model(const struct cpu_def *def, const struct xml_node *node, GError **error)
{
	bool custom = def->mode == CPU_CUSTOM || (def->mode == CPU_MODE_NONE && !def->host);

	if (def->model || !custom)
		return true;
	if (def->vendor)
		return fail(node, "a vendor without a model (write <model>)", error);
	if (def->features->len)
		return fail(node, "features without a model (write <model>, or a mode)", error);
	return true;
}

struct cpu_def *cpu_def_parse(const struct xml_node *node, GError **error)
{
	g_autofree char *path = xml_path(node);
	g_autoptr(CpuDef) def = cpu_def_new(path);

	if (!parse_attributes(def, node, error) || !parse_model(def, node, error) ||
	    !parse_topology(def, node, error) || !parse_phys(def, node, error) ||
	    !parse_features(def, node, error) || !check_model(def, node, error))
		return NULL;
	return g_steal_pointer(&def);
}
