/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * iommufd.c: what /dev/iommu tells of devices that are claimed: IOMMU_GET_HW_INFO, page tables that can
 * be allocated, and addresses that can be mapped once the device is attached.
 *
 * Without a claim no device's node is opened; /dev/iommu itself is only where its module is there
 * already, for opening it would load the module. Everything made there is gone with the descriptor.
 * Theory of operation of claims: claim.c.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "iommufd-abi.h"
#include "probe.h"
#include "read/read-iommu.h"
#include "units.h"
#include "vfio-abi.h"
#include "vfio.h"

#define NODE "/dev/iommu"
#define CDEVS "/dev/vfio/devices"
#define MAX_DATA 256u   /* of a register dump; the largest known is 40 */
#define FIRST_RANGES 16u
#define MAX_RANGES 65536u

struct state {
	unsigned int asked; /* devices that answered */
	char *reason;       /* what went wrong first */
};

/* One claimed device being asked. */
struct talk {
	struct context *context;
	struct claimed *claimed;
	struct source_device *iommu, *device;
	uint32_t ioas, dev_id;
	struct state *state;
};

/* A device without an IOMMU of its own (a mediated one) is said not to be there (ENOENT). */
static enum fact_state state_of(int err)
{
	return err == ENOENT ? FACT_ABSENT : vfio_state(err);
}

/* --- page tables that can be allocated --------------------------------------------------------- */

static const struct trial {
	const char *id, *call;
	uint32_t flags;
} trials[] = {
	{ "iommu.hwpt-plain", "IOMMU_HWPT_ALLOC", 0 },
	{ "iommu.hwpt-nest-parent", "IOMMU_HWPT_ALLOC NEST_PARENT", IOMMUFD_HWPT_NEST_PARENT },
	{ "iommu.hwpt-dirty", "IOMMU_HWPT_ALLOC DIRTY_TRACKING", IOMMUFD_HWPT_DIRTY_TRACKING },
	{ "iommu.hwpt-pasid", "IOMMU_HWPT_ALLOC PASID", IOMMUFD_HWPT_PASID },
};

static void destroy(struct talk *talk, const char *of, uint32_t id)
{
	struct iommufd_destroy destroy = { .size = sizeof(destroy), .id = id };
	g_autofree char *call = g_strdup_printf("IOMMU_DESTROY %s", of);
	int err;

	source_ioctl(talk->iommu, call, IOMMUFD_DESTROY, (uintptr_t)&destroy, sizeof(destroy), &err);
}

static void add_truth(struct talk *talk, const char *id, bool truth, const char *origin)
{
	document_fact(entry_facts(talk->claimed->entry), id, json_boolean(truth), &scope_kernel, origin);
}

static void try_tables(struct talk *talk, const struct trial *trial)
{
	struct iommufd_hwpt_alloc alloc = {
		.size = sizeof(alloc),
		.flags = trial->flags,
		.dev_id = talk->dev_id,
		.pt_id = talk->ioas,
	};
	int err;

	if (source_ioctl(talk->iommu, trial->call, IOMMUFD_HWPT_ALLOC, (uintptr_t)&alloc, sizeof(alloc),
			 &err) >= 0) {
		destroy(talk, trial->call, alloc.out_hwpt_id);
		add_truth(talk, trial->id, true, trial->call);
	} else if (err == EOPNOTSUPP) {
		add_truth(talk, trial->id, false, trial->call);
	} else {
		document_fact_missing(entry_facts(talk->claimed->entry), trial->id, state_of(err),
				      &scope_kernel, trial->call, err);
	}
}

/* --- the IOMMU's registers -------------------------------------------------------------------- */

/* "6.12.5-amd64" as 6012; 0 where not known */
static unsigned int kernel_number(const struct context *context)
{
	const char *text = json_string_value(json_object_get(context->shared, "kernel"));
	char *end;
	guint64 major = text ? g_ascii_strtoull(text, &end, 10) : 0, minor;

	if (!major || major > 1000 || *end != '.')
		return 0;
	minor = g_ascii_strtoull(end + 1, NULL, 10);
	return minor < 1000 ? (unsigned int)(major * 1000 + minor) : 0;
}

static void read_hw_info(struct talk *talk)
{
	uint8_t data[MAX_DATA] = { 0 };
	struct iommufd_hw_info info = {
		.size = sizeof(info),
		.dev_id = talk->dev_id,
		.data_len = sizeof(data),
	};
	const struct source_buffer buffer = { data, sizeof(data),
					      offsetof(struct iommufd_hw_info, data_uptr) };
	static const char call[] = "IOMMU_GET_HW_INFO";
	struct claimed *claimed = talk->claimed;
	g_autoptr(GError) error = NULL;
	struct hwinfo answer;
	int err;

	if (source_ioctl_buffer(talk->iommu, call, IOMMUFD_GET_HW_INFO, &info, sizeof(info), &buffer,
				&err) < 0) {
		document_fact_missing(entry_facts(claimed->entry), "hwinfo.type", state_of(err),
				      &scope_kernel, call, err);
		return;
	}
	answer = (struct hwinfo){
		.data_type = info.out_data_type,
		.max_pasid_log2 = info.out_max_pasid_log2,
		.capabilities = info.out_capabilities,
		.kernel = kernel_number(talk->context),
		.data = data,
		.data_length = MIN(info.data_len, sizeof(data)),
	};
	if (!read_hwinfo(entry_facts(claimed->entry), claimed->unit ? entry_facts(claimed->unit) : NULL,
			 &answer, call, &error) &&
	    !talk->state->reason)
		talk->state->reason = g_strdup_printf("%s: %s", claimed->name, error->message);
}

/* --- addresses -------------------------------------------------------------------------------- */

static void add_ranges(struct talk *talk, const struct iommufd_range *ranges, uint32_t n,
		       uint64_t alignment)
{
	g_autofree struct value_range *values = g_new0(struct value_range, n + 1);
	struct claimed *claimed = talk->claimed;
	g_autofree char *origin = g_strdup_printf("IOMMU_IOAS_IOVA_RANGES of %s, attached", claimed->name);

	for (uint32_t i = 0; i < n; i++)
		values[i] = (struct value_range){ ranges[i].start, ranges[i].last };
	read_iova_ranges(entry_facts(claimed->entry), values, n, alignment, origin);
	if (claimed->unit)
		read_iova_ranges(entry_facts(claimed->unit), values, n, alignment, origin);
}

/* True where an answer came, or will never; false: ask again with room for *room. */
static bool ask_ranges(struct talk *talk, uint32_t *room)
{
	g_autofree struct iommufd_range *ranges = g_new0(struct iommufd_range, *room);
	struct iommufd_iova_ranges answer = {
		.size = sizeof(answer),
		.ioas_id = talk->ioas,
		.num_iovas = *room,
	};
	const struct source_buffer buffer = { ranges, *room * sizeof(*ranges),
					      offsetof(struct iommufd_iova_ranges, allowed_iovas) };
	g_autofree char *call = g_strdup_printf("IOMMU_IOAS_IOVA_RANGES %u", *room);
	int err;

	if (source_ioctl_buffer(talk->iommu, call, IOMMUFD_IOAS_IOVA_RANGES, &answer, sizeof(answer),
				&buffer, &err) >= 0) {
		add_ranges(talk, ranges, MIN(answer.num_iovas, *room), answer.out_iova_alignment);
		return true;
	}
	if (err == EMSGSIZE && answer.num_iovas > *room && answer.num_iovas <= MAX_RANGES) {
		*room = answer.num_iovas;
		return false;
	}
	document_fact_missing(entry_facts(talk->claimed->entry), "iommu.ranges", vfio_state(err),
			      &scope_kernel, call, err);
	return true;
}

/* Ranges say something only of an attached device. */
static void read_ranges(struct talk *talk)
{
	struct vfio_attach attach = { .argsz = sizeof(attach), .pt_id = talk->ioas };
	static const char call[] = "VFIO_DEVICE_ATTACH_IOMMUFD_PT";
	uint32_t room = FIRST_RANGES;
	int err;

	if (source_ioctl(talk->device, call, VFIO_ATTACH, (uintptr_t)&attach, sizeof(attach), &err) < 0) {
		vfio_complain(&talk->state->reason, talk->claimed->name, call, err);
		document_fact_missing(entry_facts(talk->claimed->entry), "iommu.ranges", vfio_state(err),
				      &scope_kernel, call, err);
		return;
	}
	for (unsigned int tries = 0; tries < 3 && !ask_ranges(talk, &room); tries++)
		;
}

/* --- one device ------------------------------------------------------------------------------- */

static bool bind_device(struct talk *talk)
{
	struct vfio_use_iommufd bind = {
		.argsz = sizeof(bind),
		.iommufd = source_device_fd(talk->iommu),
	};
	static const char call[] = "VFIO_DEVICE_BIND_IOMMUFD";
	int err;

	if (source_ioctl(talk->device, call, VFIO_USE_IOMMUFD, (uintptr_t)&bind, sizeof(bind), &err) >= 0) {
		talk->dev_id = bind.out_devid;
		return true;
	}
	/* The only permission that it asks for (iommufd_device_bind(): isolated interrupts). */
	if (err == EPERM)
		add_truth(talk, "iommu.interrupt-remapping", false, call);
	vfio_complain(&talk->state->reason, talk->claimed->name, call, err);
	document_fact_missing(entry_facts(talk->claimed->entry), "hwinfo.type", vfio_state(err),
			      &scope_kernel, call, err);
	return false;
}

static bool make_ioas(struct talk *talk)
{
	struct iommufd_ioas_alloc alloc = { .size = sizeof(alloc) };
	int err;

	if (source_ioctl(talk->iommu, "IOMMU_IOAS_ALLOC", IOMMUFD_IOAS_ALLOC, (uintptr_t)&alloc,
			 sizeof(alloc), &err) < 0) {
		vfio_complain(&talk->state->reason, talk->claimed->name, "IOMMU_IOAS_ALLOC", err);
		return false;
	}
	talk->ioas = alloc.out_ioas_id;
	return true;
}

static void ask_talk(struct talk *talk)
{
	if (!make_ioas(talk) || !bind_device(talk))
		return;
	talk->state->asked++;
	read_hw_info(talk);
	for (size_t i = 0; i < G_N_ELEMENTS(trials); i++)
		try_tables(talk, &trials[i]);
	read_ranges(talk);
	vfio_read_features(talk->device, entry_facts(talk->claimed->entry));
	json_object_set_new(json_object_get(talk->context->found, "features_of"), talk->claimed->name,
			    json_true());
}

/* "vfio3": sysfs has it also where the kernel makes no nodes of it. */
static char *cdev_of(struct context *context, const struct claimed *claimed)
{
	g_autofree char *dir = g_strdup_printf("%s/vfio-dev", claimed->sysfs);
	int err;
	g_auto(GStrv) names = source_names(context->source, dir, &err);

	if (!names || !names[0] || strlen(names[0]) > 32 || strchr(names[0], '/'))
		return NULL;
	return g_strdup(names[0]);
}

static void ask(struct context *context, struct claimed *claimed, void *data)
{
	struct state *state = data;
	struct talk talk = { .context = context, .claimed = claimed, .state = state };
	g_autofree char *name = claimed->error ? NULL : cdev_of(context, claimed);
	g_autofree char *node = g_strdup_printf(CDEVS "/%s", name ? name : "");
	g_autofree char *device_file = g_strdup_printf("ioctl/vfio-cdev-%s.json", claimed->name);
	g_autofree char *iommu_file = g_strdup_printf("ioctl/iommufd-%s.json", claimed->name);
	int err = ENOENT;

	if (claimed->error) {
		if (!state->reason)
			state->reason = g_strdup_printf("%s: %s", claimed->name, claimed->error);
		return;
	}
	talk.iommu = source_device_open(context->source, NODE, iommu_file, O_RDWR, &err);
	if (!talk.iommu) {
		vfio_complain(&state->reason, claimed->name, NODE, err);
		return;
	}
	talk.device = name ? source_device_open(context->source, node, device_file, O_RDWR, &err) : NULL;
	if (talk.device)
		ask_talk(&talk);
	else
		vfio_complain(&state->reason, claimed->name, name ? node : CDEVS, name ? err : ENOENT);
	source_device_close(talk.device);
	source_device_close(talk.iommu);
}

/* --- the whole -------------------------------------------------------------------------------- */

/*
 * Whether it is there, as who wants to open it would find. A node may stand for a module that isn't
 * loaded yet: then it isn't known. The folder of devices' nodes comes with the first device, so
 * that its absence tells only while one is claimed, or where there is no iommufd, which it needs.
 */
static bool is_there(struct context *context)
{
	json_t *facts = json_object_get(context->doc, "facts");
	bool claims = json_object_size(json_object_get(context->shared, "claims"));
	bool registered = vfio_registered(context, "iommu");
	struct source_file file;
	int err, no_node = 0, no_folder = 0;
	g_autofree char *misc = source_text(context->source, "/proc/misc", &err);
	bool absent;

	source_stat(context->source, NODE, &file, &no_node);
	source_stat(context->source, CDEVS, &file, &no_folder);
	absent = misc && !registered && no_node == ENOENT;
	if (registered)
		document_fact(facts, "vfio.iommufd", json_true(), &scope_kernel, "/proc/misc");
	else if (absent)
		document_fact_missing(facts, "vfio.iommufd", FACT_ABSENT, &scope_kernel, NODE, no_node);
	if (!no_folder)
		document_fact(facts, "vfio.cdev", json_true(), &scope_kernel, CDEVS);
	else if (absent || (misc && claims && no_folder == ENOENT))
		document_fact_missing(facts, "vfio.cdev", FACT_ABSENT, &scope_kernel, CDEVS, no_folder);
	return registered;
}

static void collect(struct context *context)
{
	struct state state = { 0 };
	unsigned int claimed;

	json_object_set_new(context->found, "features_of", json_object());
	if (!is_there(context)) {
		probe_report(context, &iommufd_probe, "missing", false,
			     NODE ": not there (its module isn't loaded, or the kernel has none)");
		return;
	}
	claimed = vfio_each_claimed(context, ask, &state);
	vfio_report_claimed(context, &iommufd_probe, claimed, state.asked, state.reason);
	g_free(state.reason);
}

const struct probe iommufd_probe = {
	.name = "iommufd",
	.help = "iommufd: of claimed devices, the IOMMU's registers, page tables, addresses (--claim)",
	.needs = "kernel",
	.local = true,
	.claims = true,
	.view = VIEWS,
	.percent = 20,
	.collect = collect,
};
