/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vfio.c: VFIO's containers and groups: what the container can do, and of devices that are claimed
 * what its IOMMU tells (VFIO_IOMMU_GET_INFO, of POWER VFIO_IOMMU_SPAPR_TCE_GET_INFO) and what the device's
 * driver can do.
 *
 * Without a claim no group is opened; the container /dev/vfio/vfio is only where its module is there
 * already. Nobody is kept from anything by an open container. Theory of operation of claims: claim.c.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "probe.h"
#include "read/read-iommu.h"
#include "units.h"
#include "vfio-abi.h"
#include "vfio.h"

#define NODE "/dev/vfio/vfio"
#define MAX_INFO (1024u * 1024)

static const struct extension {
	const char *id;
	unsigned int number;
	bool of_iommu; /* answered rightly only once the container has an IOMMU */
} extensions[] = {
	{ "vfio.type1", VFIO_EXT_TYPE1, false },
	{ "vfio.spapr-tce", VFIO_EXT_SPAPR_TCE, false },
	{ "vfio.type1v2", VFIO_EXT_TYPE1V2, false },
	{ "vfio.dma-cc", VFIO_EXT_DMA_CC, true },
	{ "vfio.eeh", VFIO_EXT_EEH, false },
	{ "vfio.type1-nesting", VFIO_EXT_TYPE1_NESTING, false },
	{ "vfio.spapr-tce-v2", VFIO_EXT_SPAPR_TCE_V2, false },
	{ "vfio.noiommu", VFIO_EXT_NOIOMMU, false },
	{ "vfio.unmap-all", VFIO_EXT_UNMAP_ALL, false },
	{ "vfio.update-vaddr", VFIO_EXT_UPDATE_VADDR, true },
};

struct state {
	unsigned int asked;
	char *reason;
};

/* One claimed device being asked. */
struct talk {
	struct context *context;
	struct claimed *claimed;
	struct source_device *container, *group;
	struct state *state;
	unsigned int kind; /* of the container's IOMMU */
};

/* --- extensions ------------------------------------------------------------------------------- */

static bool has_extension(struct source_device *container, unsigned int number, int *err)
{
	g_autofree char *call = g_strdup_printf("VFIO_CHECK_EXTENSION %u", number);

	*err = 0;
	return source_ioctl(container, call, VFIO_ASK_EXTENSION, number, 0, err) > 0;
}

static void read_extensions(struct source_device *container, json_t *facts, bool of_iommu)
{
	for (size_t i = 0; i < G_N_ELEMENTS(extensions); i++) {
		const struct extension *e = &extensions[i];
		int err;
		bool has;

		if (e->of_iommu != of_iommu)
			continue;
		has = has_extension(container, e->number, &err);
		if (err)
			document_fact_missing(facts, e->id, vfio_state(err), &scope_kernel,
					      "VFIO_CHECK_EXTENSION", err);
		else
			document_fact(facts, e->id, json_boolean(has), &scope_kernel,
				      "VFIO_CHECK_EXTENSION");
	}
}

/* --- the container's IOMMU -------------------------------------------------------------------- */

/* Says how much there is to tell, then tells it. NULL with errno. */
static uint8_t *ask_info(struct source_device *container, size_t *size, int *err)
{
	struct vfio_info_head head = { .argsz = sizeof(head) };
	g_autofree uint8_t *bytes = NULL;
	g_autofree char *call = NULL;

	if (source_ioctl(container, "VFIO_IOMMU_GET_INFO", VFIO_ASK_IOMMU_INFO, (uintptr_t)&head,
			 sizeof(head), err) < 0)
		return NULL;
	*size = MAX(MIN(head.argsz, MAX_INFO), sizeof(head));
	bytes = g_malloc0(*size);
	head = (struct vfio_info_head){ .argsz = (uint32_t)*size };
	memcpy(bytes, &head, sizeof(head));
	call = g_strdup_printf("VFIO_IOMMU_GET_INFO %zu", *size);
	if (source_ioctl(container, call, VFIO_ASK_IOMMU_INFO, (uintptr_t)bytes, *size, err) < 0)
		return NULL;
	return g_steal_pointer(&bytes);
}

static void read_type1(struct talk *talk)
{
	json_t *facts = entry_facts(talk->claimed->entry);
	g_autoptr(GError) error = NULL;
	size_t size;
	int err;
	g_autofree uint8_t *bytes = ask_info(talk->container, &size, &err);

	if (!bytes) {
		document_fact_missing(facts, "vfio.type1.page-sizes", vfio_state(err), &scope_kernel,
				      "VFIO_IOMMU_GET_INFO", err);
		return;
	}
	if (!read_vfio_type1(facts, bytes, size, "VFIO_IOMMU_GET_INFO", &error) && !talk->state->reason)
		talk->state->reason = g_strdup_printf("%s: %s", talk->claimed->name, error->message);
}

static void read_spapr_info(struct talk *talk)
{
	struct vfio_spapr_info info = { .argsz = sizeof(info) };
	static const char call[] = "VFIO_IOMMU_SPAPR_TCE_GET_INFO";
	json_t *facts = entry_facts(talk->claimed->unit ? talk->claimed->unit : talk->claimed->entry);
	struct spapr_info answer;
	int err;

	if (source_ioctl(talk->container, call, VFIO_ASK_IOMMU_INFO, (uintptr_t)&info, sizeof(info),
			 &err) < 0) {
		document_fact_missing(facts, "spapr.ddw", vfio_state(err), &scope_kernel, call, err);
		return;
	}
	answer = (struct spapr_info){ info.flags,   info.dma32_window_start,
				      info.dma32_window_size, info.pgsizes,
				      info.max_dynamic_windows_supported, info.levels };
	read_spapr(facts, &answer, call);
}

/* The newest kind of IOMMU that the container knows. */
static bool use_iommu(struct talk *talk)
{
	static const unsigned int kinds[] = { VFIO_EXT_TYPE1V2, VFIO_EXT_TYPE1, VFIO_EXT_SPAPR_TCE_V2,
					      VFIO_EXT_SPAPR_TCE };
	int err = ENODEV;

	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		g_autofree char *call = g_strdup_printf("VFIO_SET_IOMMU %u", kinds[i]);
		int unused;

		talk->kind = kinds[i];
		if (has_extension(talk->container, kinds[i], &unused) &&
		    source_ioctl(talk->container, call, VFIO_USE_IOMMU, kinds[i], 0, &err) >= 0)
			return true;
	}
	if (err == EPERM)
		document_fact(entry_facts(talk->claimed->entry), "iommu.interrupt-remapping", json_false(),
			      &scope_kernel, "VFIO_SET_IOMMU");
	vfio_complain(&talk->state->reason, talk->claimed->name, "VFIO_SET_IOMMU", err);
	return false;
}

/* --- one device ------------------------------------------------------------------------------- */

static bool is_viable(struct talk *talk)
{
	struct vfio_group status = { .argsz = sizeof(status) };
	int err;

	if (source_ioctl(talk->group, "VFIO_GROUP_GET_STATUS", VFIO_ASK_GROUP_STATUS, (uintptr_t)&status,
			 sizeof(status), &err) < 0) {
		vfio_complain(&talk->state->reason, talk->claimed->name, "VFIO_GROUP_GET_STATUS", err);
		return false;
	}
	if (!(status.flags & VFIO_GROUP_VIABLE) && !talk->state->reason)
		talk->state->reason = g_strdup_printf(
			"%s: its group is not viable (another driver holds one of its members)",
			talk->claimed->name);
	return status.flags & VFIO_GROUP_VIABLE;
}

static bool use_container(struct talk *talk)
{
	int32_t fd = source_device_fd(talk->container);
	int err;

	if (source_ioctl(talk->group, "VFIO_GROUP_SET_CONTAINER", VFIO_USE_CONTAINER, (uintptr_t)&fd,
			 sizeof(fd), &err) >= 0)
		return true;
	vfio_complain(&talk->state->reason, talk->claimed->name, "VFIO_GROUP_SET_CONTAINER", err);
	return false;
}

static void read_device(struct talk *talk)
{
	int err;
	g_autoptr(SourceDevice) device =
		source_ioctl_open(talk->group, "VFIO_GROUP_GET_DEVICE_FD", VFIO_GET_DEVICE,
				  (uintptr_t)talk->claimed->name, &err);

	if (!device) {
		vfio_complain(&talk->state->reason, talk->claimed->name, "VFIO_GROUP_GET_DEVICE_FD", err);
		return;
	}
	talk->state->asked++;
	/* iommufd.c has asked the same of it where there is a node for the device. */
	if (!json_object_get(json_object_get(talk->context->shared, "features_of"), talk->claimed->name))
		vfio_read_features(device, entry_facts(talk->claimed->entry));
}

static void ask_talk(struct talk *talk)
{
	if (!is_viable(talk) || !use_container(talk) || !use_iommu(talk))
		return;
	read_extensions(talk->container, entry_facts(talk->claimed->entry), true);
	if (talk->kind == VFIO_EXT_TYPE1 || talk->kind == VFIO_EXT_TYPE1V2)
		read_type1(talk);
	else
		read_spapr_info(talk);
	read_device(talk);
}

static void ask(struct context *context, struct claimed *claimed, void *data)
{
	struct state *state = data;
	struct talk talk = { .context = context, .claimed = claimed, .state = state };
	g_autofree char *node = g_strdup_printf("/dev/vfio/%s", claimed->group ? claimed->group : "");
	g_autofree char *group_file = g_strdup_printf("ioctl/vfio-group-%s.json", claimed->name);
	g_autofree char *container_file = g_strdup_printf("ioctl/vfio-container-%s.json", claimed->name);
	int err = ENODEV;

	if (claimed->error) {
		if (!state->reason)
			state->reason = g_strdup_printf("%s: %s", claimed->name, claimed->error);
		return;
	}
	talk.container = source_device_open(context->source, NODE, container_file, O_RDWR, &err);
	if (talk.container && claimed->group)
		talk.group = source_device_open(context->source, node, group_file, O_RDWR, &err);
	if (talk.group)
		ask_talk(&talk);
	else
		vfio_complain(&state->reason, claimed->name, talk.container ? node : NODE, err);
	source_device_close(talk.group);
	source_device_close(talk.container);
}

/* --- the whole -------------------------------------------------------------------------------- */

static bool read_container(struct context *context, int *err)
{
	g_autoptr(SourceDevice) container =
		source_device_open(context->source, NODE, "ioctl/vfio.json", O_RDWR, err);
	int version;

	if (!container)
		return false;
	version = source_ioctl(container, "VFIO_GET_API_VERSION", VFIO_ASK_API_VERSION, 0, 0, err);
	*err = version == VFIO_API ? 0 : *err ? *err : EPROTO;
	if (!*err)
		read_extensions(container, json_object_get(context->doc, "facts"), false);
	return !*err;
}

static void collect(struct context *context)
{
	bool registered = vfio_registered(context, "vfio");
	struct state state = { 0 };
	g_autofree char *reason = NULL;
	unsigned int claimed;
	int err;

	if (!registered) {
		probe_report(context, &vfio_probe, "missing", false,
			     NODE ": not there (its module isn't loaded, or the kernel has none)");
		return;
	}
	if (!read_container(context, &err)) {
		reason = g_strdup_printf(NODE ": %s", vfio_reason(err));
		probe_report(context, &vfio_probe, probe_state_of(err), false, reason);
		return;
	}
	claimed = vfio_each_claimed(context, ask, &state);
	vfio_report_claimed(context, &vfio_probe, claimed, state.asked, state.reason);
	g_free(state.reason);
}

const struct probe vfio_probe = {
	.name = "vfio",
	.help = "VFIO's containers; of claimed devices, their IOMMU and what moves them (--claim)",
	.needs = "kernel",
	.local = true,
	.claims = true,
	.view = VIEWS,
	.percent = 20,
	.collect = collect,
};
