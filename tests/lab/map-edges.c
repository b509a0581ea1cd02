/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * map-edges.c: which addresses does the kernel map for a device? For a lab guest, static.
 *
 * usage: map-edges PCI-ADDRESS <LINES
 *
 * The device, which is bound to vfio-pci, is attached to an IOAS of its own. For each line "FIRST
 * LENGTH" (hexadecimal, bytes) a mapping of that length is asked for just there, and undone; what
 * is printed is "FIRST LENGTH ERRNO", 0 where it was mapped. Exit 1 where the device can't be
 * attached.
 *
 * The interfaces are declared here, for build machines whose headers are older (linux/iommufd.h and
 * linux/vfio.h of 6.6 and newer).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_LENGTH (1u << 21)

struct ioas_alloc {
	uint32_t size, flags, out_ioas_id;
};

struct ioas_map {
	uint32_t size, flags, ioas_id, reserved;
	uint64_t user_va, length, iova;
};

struct ioas_unmap {
	uint32_t size, ioas_id;
	uint64_t iova, length;
};

struct bind_iommufd {
	uint32_t argsz, flags;
	int32_t iommufd;
	uint32_t out_devid;
};

struct attach_iommufd {
	uint32_t argsz, flags, pt_id;
};

#define IOAS_ALLOC _IO(';', 0x81)
#define IOAS_MAP _IO(';', 0x85)
#define IOAS_UNMAP _IO(';', 0x86)
#define BIND_IOMMUFD _IO(';', 118)
#define ATTACH_IOMMUFD _IO(';', 119)
#define FIXED_READ_WRITE 7u

static int fail(const char *step)
{
	fprintf(stderr, "map-edges: %s: %d %s\n", step, errno, strerror(errno));
	exit(1);
}

/* The device's own node, which the kernel names. */
static int open_device(const char *address)
{
	char path[300];
	struct dirent *entry;
	DIR *folder;
	int fd = -1;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.40s/vfio-dev", address);
	folder = opendir(path);
	while (folder && fd < 0 && (entry = readdir(folder))) {
		if (strncmp(entry->d_name, "vfio", 4))
			continue;
		snprintf(path, sizeof(path), "/dev/vfio/devices/%.40s", entry->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC);
	}
	if (folder)
		closedir(folder);
	return fd < 0 ? fail(path) : fd;
}

static uint32_t attach(int iommufd, int device)
{
	struct bind_iommufd bind = { sizeof(bind), 0, iommufd, 0 };
	struct ioas_alloc alloc = { sizeof(alloc), 0, 0 };
	struct attach_iommufd attach = { sizeof(attach), 0, 0 };

	if (ioctl(device, BIND_IOMMUFD, &bind))
		fail("bind");
	if (ioctl(iommufd, IOAS_ALLOC, &alloc))
		fail("ioas");
	attach.pt_id = alloc.out_ioas_id;
	if (ioctl(device, ATTACH_IOMMUFD, &attach))
		fail("attach");
	return alloc.out_ioas_id;
}

static int try_map(int iommufd, uint32_t ioas, void *memory, uint64_t first, uint64_t length)
{
	struct ioas_map map = { sizeof(map), FIXED_READ_WRITE, ioas, 0, (uintptr_t)memory, length, first };
	struct ioas_unmap unmap = { sizeof(unmap), ioas, first, length };

	if (ioctl(iommufd, IOAS_MAP, &map))
		return errno;
	if (ioctl(iommufd, IOAS_UNMAP, &unmap))
		fail("unmap");
	return 0;
}

int main(int argc, char **argv)
{
	void *memory = mmap(NULL, MAX_LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC), device;
	uint64_t first, length;
	uint32_t ioas;

	if (argc != 2 || memory == MAP_FAILED || iommufd < 0)
		fail("/dev/iommu");
	device = open_device(argv[1]);
	ioas = attach(iommufd, device);
	while (scanf("%" SCNx64 " %" SCNx64, &first, &length) == 2) {
		if (!length || length > MAX_LENGTH)
			continue;
		printf("%" PRIx64 " %" PRIx64 " %d\n", first, length,
		       try_map(iommufd, ioas, memory, first, length));
	}
	return 0;
}
