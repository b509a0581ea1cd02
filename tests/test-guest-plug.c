/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-guest-plug: a guest's needs with one more device are those it had, and what the device adds;
 * a device that is plugged in comes behind everything.
 */
#include "config.h"

#include <string.h>

#include "guest/dma.h"
#include "guest/plug.h"
#include "read-fixture.h"

#define HOSTDEV(bus)                                                                              \
	"<hostdev mode='subsystem' type='pci' managed='yes'><source>"                             \
	"<address domain='0' bus='" bus "' slot='0' function='0'/></source></hostdev>"
#define GUEST(devices)                                                                            \
	"<domain type='kvm' id='7' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>"      \
	"<name>web-01</name><uuid>11111111-2222-3333-4444-555555555555</uuid>"                    \
	"<memory unit='GiB'>4</memory><currentMemory unit='GiB'>4</currentMemory><vcpu>4</vcpu>"  \
	"<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os><features><acpi/></features>" \
	"<cpu mode='custom'><model>Nehalem</model><feature policy='require' name='vmx'/></cpu>" devices \
	"<qemu:commandline><qemu:arg value='-device'/>"                                           \
	"<qemu:arg value='intel-iommu,aw-bits=39'/></qemu:commandline></domain>"

static struct needs *guest_of(const char *text)
{
	g_autoptr(XmlDocument) xml = fixture_xml(text);
	GError *error = NULL;
	struct needs *needs = needs_from_xml(xml, &error);

	g_assert_no_error(error);
	return needs;
}

static struct needs *plug(const struct needs *needs, const char *device, GError **error)
{
	g_autoptr(XmlDocument) xml = fixture_xml(device);

	return needs_plug(needs, xml, error);
}

static struct needs *good(const struct needs *needs, const char *device)
{
	GError *error = NULL;
	struct needs *with = plug(needs, device, &error);

	g_assert_no_error(error);
	g_assert_true(with->plugged);
	return with;
}

/* But for the definition, memory and flags nothing changes. */
static void test_same(void)
{
	g_autoptr(Needs) needs = guest_of(GUEST("<devices><tpm model='tpm-crb'/></devices>"));
	g_autoptr(Needs) with = good(needs, "<rng model='virtio'><backend model='random'>/dev/random</backend></rng>");
	json_t *one = needs_to_json(needs), *other = needs_to_json(with);

	g_assert_false(needs->plugged);
	g_assert_nonnull(strstr(with->definition_text, "</tpm><rng model='virtio'>"));
	g_assert_nonnull(strstr(with->definition_text, "<qemu:device driver='intel-iommu' aw-bits='39'></qemu:device>"));
	json_object_del(one, "definition");
	json_object_del(other, "definition");
	g_assert_true(json_equal(one, other));
	json_decref(one);
	json_decref(other);
}

/* The same device twice: the second is plugged in, behind QEMU's arguments, which the first is before. */
static void test_place(void)
{
	g_autoptr(Needs) needs = guest_of(GUEST("<devices>" HOSTDEV("1") "</devices>"));
	g_autoptr(Needs) with = good(needs, HOSTDEV("2"));
	const struct dma *dma = dma_of(with);
	const struct dma_device *first, *second;
	const struct dma_viommu *viommu;

	g_assert_cmpuint(dma_of(needs)->devices->len, ==, 1);
	g_assert_cmpuint(dma->devices->len, ==, 2);
	first = g_ptr_array_index(dma->devices, 0);
	second = g_ptr_array_index(dma->devices, 1);
	viommu = g_ptr_array_index(dma->viommus, 0);
	g_assert_cmpstr(second->address, ==, "0000:02:00.0");
	g_assert_cmpstr(second->where, ==, "/domain/devices/hostdev[2]");
	g_assert_false(first->plugged);
	g_assert_true(second->plugged);
	g_assert_cmpuint(first->place, <, viommu->place);
	g_assert_cmpuint(second->place, >, viommu->place);
}

/* libvirt counts memory devices in <memory>; the guest had no <devices> at all. */
static void test_memory(void)
{
	static const char dimm[] = "<memory model='dimm'><target><size unit='GiB'>2</size></target></memory>";
	g_autoptr(Needs) needs = guest_of(GUEST(""));
	g_autoptr(Needs) with = good(needs, dimm);
	g_autoptr(Needs) more = good(with, dimm);
	const struct dma_dimm *last = g_ptr_array_index(dma_of(more)->dimms, 1);

	g_assert_cmpuint(with->memory_kib, ==, 6ull << 20);
	g_assert_nonnull(strstr(with->definition_text, "<memory unit='KiB'>6291456</memory>"));
	g_assert_cmpuint(more->memory_kib, ==, 8ull << 20);
	g_assert_cmpuint(dma_of(more)->dimms->len, ==, 2);
	g_assert_true(last->plugged);
	g_assert_false(((struct dma_dimm *)g_ptr_array_index(dma_of(more)->dimms, 0))->plugged);
	g_assert_cmpuint(last->size, ==, 2ull << 30);
}

/* What isn't judged of a device is told; what is written of the site isn't. */
static void test_told(void)
{
	g_autoptr(Needs) needs = guest_of(GUEST("<devices/>"));
	g_autoptr(Needs) usb = good(needs, "<hostdev type='usb'/>");
	g_autoptr(Needs) pci = good(needs, HOSTDEV("1"));
	g_autoptr(Needs) disk = good(needs, "<disk type='file'><source file='/SECRET'/><serial>SECRET</serial></disk>");
	const struct needs_unjudged *u = g_ptr_array_index(usb->unjudged, usb->unjudged->len - 1);

	g_assert_cmpstr(u->path, ==, "/domain/devices/hostdev");
	g_assert_true(u->decides);
	g_assert_false(needs->has_host_device);
	g_assert_true(pci->has_host_device);
	g_assert_cmpuint(pci->unjudged->len, ==, needs->unjudged->len);
	g_assert_null(strstr(disk->definition_text, "SECRET"));
}

static void refuses(const struct needs *needs, const char *device, const char *words)
{
	GError *error = NULL;

	g_assert_null(plug(needs, device, &error));
	g_assert_nonnull(error);
	g_assert_nonnull(strstr(error->message, words));
	g_assert_null(strchr(error->message, '\n'));
	g_error_free(error);
}

static void test_refused(void)
{
	g_autoptr(Needs) needs = guest_of(GUEST("<devices/>"));
	g_autoptr(Needs) cpu = guest_of("<cpu><model>Nehalem</model></cpu>");

	refuses(needs, "<domain type='kvm'/>", "is no device");
	refuses(needs, "<devices>" HOSTDEV("1") "</devices>", "is no device");
	refuses(needs, "<emulator>/x</emulator>", "is no device");
	refuses(needs, "<memory model='dimm'/>", "no amount of memory");
	refuses(needs, "<memory><target><size>-1</size></target></memory>", "no amount of memory");
	refuses(needs, "<memory><target><size unit='EiB'>15</size></target></memory>", "no amount of memory");
	refuses(cpu, HOSTDEV("1"), "bare <cpu>");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/plug/same", test_same);
	g_test_add_func("/plug/place", test_place);
	g_test_add_func("/plug/memory", test_memory);
	g_test_add_func("/plug/told", test_told);
	g_test_add_func("/plug/refused", test_refused);
	return g_test_run();
}
