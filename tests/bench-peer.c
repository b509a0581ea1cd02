/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench-peer.c: see bench-peer.h. */
#include "config.h"

#include <glib/gstdio.h>
#include <stdlib.h>

#include "bench-peer.h"

#ifdef HAVE_LIBVIRT
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

struct peer {
	virConnectPtr connection;
	char *folder, *name;
	const char *type; /* domain type that is there: "kvm" or "qemu" */
};

static void *event_loop(void *data)
{
	for (;;)
		virEventRunDefaultImpl();
	return data;
}

static void quiet(void *data, virErrorPtr error)
{
	(void)data;
	(void)error;
}

/* Whoever runs this runs the emulators: else libvirt finds KVM unusable, and asks QEMU anew. */
static bool write_config(const char *folder)
{
	g_autofree char *etc = g_build_filename(folder, "etc", NULL);
	g_autofree char *path = g_build_filename(etc, "qemu.conf", NULL);

	return !g_mkdir(etc, 0700) &&
	       g_file_set_contents(path, "user = \"+0\"\ngroup = \"+0\"\n"
					 "security_driver = \"none\"\n", -1, NULL);
}

static void remove_folder(const char *folder)
{
	const char *const argv[] = { "rm", "-rf", "--", folder, NULL };

	g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
}

struct peer *peer_open(const char **why)
{
	static const char *const types[] = { "kvm", "qemu" };
	struct peer *peer = g_new0(struct peer, 1);
	g_autofree char *uri = NULL;
	unsigned long version = 0;

	peer->folder = g_dir_make_tmp("capbroker-bench-XXXXXX", NULL);
	virSetErrorFunc(NULL, quiet);
	if (!peer->folder || !write_config(peer->folder) || virEventRegisterDefaultImpl() < 0) {
		*why = "no temporary folder, or no event loop";
		peer_close(peer);
		return NULL;
	}
	g_thread_unref(g_thread_new("libvirt events", event_loop, NULL));
	uri = g_strdup_printf("qemu:///embed?root=%s", peer->folder);
	peer->connection = virConnectOpen(uri);
	for (size_t i = 0; peer->connection && i < G_N_ELEMENTS(types) && !peer->type; i++) {
		char *caps = virConnectGetDomainCapabilities(peer->connection, NULL, "x86_64", NULL,
							     types[i], 0);

		if (caps)
			peer->type = types[i];
		free(caps);
	}
	if (!peer->type) {
		*why = "libvirt's QEMU driver, or a QEMU, isn't installed";
		peer_close(peer);
		return NULL;
	}
	virConnectGetLibVersion(peer->connection, &version);
	peer->name = g_strdup_printf("libvirt %lu.%lu.%lu", version / 1000000,
				     version / 1000 % 1000, version % 1000);
	return peer;
}

void peer_close(struct peer *peer)
{
	if (peer->connection)
		virConnectClose(peer->connection);
	if (peer->folder)
		remove_folder(peer->folder);
	g_free(peer->folder);
	g_free(peer->name);
	g_free(peer);
}

const char *peer_name(const struct peer *peer)
{
	return peer->name;
}

bool peer_compare(struct peer *peer, const char *cpu)
{
	return virConnectCompareHypervisorCPU(peer->connection, NULL, "x86_64", NULL, peer->type,
					      cpu, 0) > VIR_CPU_COMPARE_ERROR;
}

bool peer_baseline(struct peer *peer, const char **cpus, guint n)
{
	char *baseline = virConnectBaselineHypervisorCPU(peer->connection, NULL, "x86_64", NULL,
							 peer->type, cpus, n, 0);
	bool ok = baseline;

	free(baseline);
	return ok;
}

#else

struct peer *peer_open(const char **why)
{
	*why = "this build has no libvirt";
	return NULL;
}

void peer_close(struct peer *peer)
{
	(void)peer;
}

const char *peer_name(const struct peer *peer)
{
	(void)peer;
	return "libvirt";
}

bool peer_compare(struct peer *peer, const char *cpu)
{
	(void)peer;
	(void)cpu;
	return false;
}

bool peer_baseline(struct peer *peer, const char **cpus, guint n)
{
	(void)peer;
	(void)cpus;
	(void)n;
	return false;
}

#endif
