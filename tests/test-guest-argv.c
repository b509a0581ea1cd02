/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-guest-argv: commands that start QEMU, taken apart: as a shell's line, as 'qm showcmd --pretty'
 * prints one, as /proc/PID/cmdline; what they ask for, what isn't understood, what leaves the host.
 */
#include "config.h"

#include <string.h>

#include "guest/argv.h"
#include "guest/dma.h"
#include "read-fixture.h"
#include "read/read.h"

static const char proxmox[] =
	"/usr/bin/kvm \\\n"
	"  -id 100 \\\n"
	"  -name 'web-1,debug-threads=on' \\\n"
	"  -chardev 'socket,id=qmp,path=/var/run/SECRET.qmp,server=on,wait=off' \\\n"
	"  -daemonize \\\n"
	"  -smbios 'type=1,uuid=7b10d7af-b932-4c66-b2c3-3996152ec465' \\\n"
	"  -drive 'if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/pve-edk2-firmware//OVMF_CODE_4M.fd' \\\n"
	"  -drive 'if=pflash,unit=1,format=raw,id=drive-efidisk0,file=/SECRET/vars' \\\n"
	"  -smp '4,sockets=1,cores=4,maxcpus=8' \\\n"
	"  -nodefaults \\\n"
	"  -vnc 'unix:/var/run/SECRET.vnc,password=on' \\\n"
	"  -cpu 'kvm64,enforce,hv_relaxed,hv_spinlocks=0x1fff,hv_time,+kvm_pv_eoi,+lahf_lm,-pcid,sep=off,+sep,kvm=off' \\\n"
	"  -m 'size=4096,slots=4,maxmem=16G' \\\n"
	"  -object 'secret,id=masterKey0,data=SECRET' \\\n"
	"  -object 'memory-backend-file,id=ram-node0,size=4096M,mem-path=/run/hugepages/kvm/1048576kB,share=on' \\\n"
	"  -device 'intel-iommu,intremap=on,aw-bits=48' \\\n"
	"  -device 'vfio-pci,host=0000:01:00.0,id=hostpci0,bus=pcie.0,addr=0x10' \\\n"
	"  -device '{\"driver\":\"virtio-net\",\"mac\":\"SECRET\",\"id\":\"net0\"}' \\\n"
	"  -netdev 'type=tap,id=net0,ifname=tapSECRET' \\\n"
	"  -machine 'type=pc-q35-9.2+pve1,kernel_irqchip=split,hpet=off'\n";

static struct needs *good(const char *bytes, size_t length)
{
	GError *error = NULL;
	struct needs *needs = needs_from_argv(bytes, length, &error);

	g_assert_no_error(error);
	g_assert_true(needs->argv);
	return needs;
}

static struct needs *good_text(const char *text)
{
	return good(text, strlen(text));
}

static void bad(const char *text, const char *says)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(needs_from_argv(text, strlen(text), &error));
	g_assert_nonnull(error);
	g_assert_nonnull(strstr(error->message, says));
	g_assert_null(strchr(error->message, '\n'));
}

/* "require" or "disable" of a feature, or NULL. */
static const char *policy_of(const struct needs *needs, const char *feature)
{
	for (guint i = 0; i < needs->cpu->features->len; i++) {
		const struct cpu_def_feature *f = g_ptr_array_index(needs->cpu->features, i);

		if (!strcmp(f->name, feature))
			return cpu_policy_name(f->policy);
	}
	return NULL;
}

/* Is there an element in <argv> with the attribute of that value? */
static bool told(const struct needs *needs, const char *element, const char *attribute, const char *value)
{
	const struct xml_node *n = xml_at(xml_root(needs->definition), "argv");

	for (n = xml_child(n, element); n; n = xml_same(n))
		if (!g_strcmp0(xml_attr(n, attribute), value))
			return true;
	return false;
}

static bool is_unjudged(const struct needs *needs, const char *what)
{
	for (guint i = 0; i < needs->unjudged->len; i++) {
		const struct needs_unjudged *u = g_ptr_array_index(needs->unjudged, i);

		if (u->decides && strstr(u->what, what))
			return true;
	}
	return false;
}

static void check_proxmox(const struct needs *needs)
{
	const struct xml_node *domain = xml_root(needs->definition);

	g_assert_cmpstr(needs->name, ==, "web-1");
	g_assert_cmpstr(needs->uuid, ==, "7b10d7af-b932-4c66-b2c3-3996152ec465");
	g_assert_cmpstr(needs->machine, ==, "pc-q35-9.2+pve1");
	g_assert_cmpstr(needs->accel, ==, "kvm");
	g_assert_null(needs->emulator);
	g_assert_null(needs->arch);
	g_assert_cmpuint(needs->vcpus, ==, 8);
	g_assert_cmpuint(needs->memory_kib, ==, 4096 * 1024);
	g_assert_cmpstr(needs->cpu->model, ==, "kvm64");
	g_assert_cmpint(needs->cpu->check, ==, CPU_CHECK_FULL);
	g_assert_cmpstr(policy_of(needs, "lahf_lm"), ==, "require");
	g_assert_cmpstr(policy_of(needs, "pcid"), ==, "disable");
	g_assert_cmpstr(policy_of(needs, "sep"), ==, "require");
	g_assert_cmpstr(policy_of(needs, "kvm-pv-eoi"), ==, "require");
	g_assert_cmpuint(needs->hyperv->len, ==, 2);
	g_assert_true(needs->kvm_hidden);
	g_assert_cmpstr(xml_at(domain, "os/loader")->text, ==, "/usr/share/pve-edk2-firmware/OVMF_CODE_4M.fd");
	g_assert_cmpstr(xml_attr(xml_at(domain, "memoryBacking/hugepages/page"), "size"), ==, "1048576");
	g_assert_cmpstr(xml_attr(xml_at(domain, "argv"), "fallback"), ==, "tcg");
	g_assert_cmpuint(dma_of(needs)->viommus->len, ==, 1);
	g_assert_cmpuint(dma_of(needs)->devices->len, ==, 1);
	g_assert_cmpstr(dma_of(needs)->irqchip, ==, "split");
	g_assert_true(told(needs, "has", "device", "virtio-net-pci"));
	g_assert_true(told(needs, "has", "object", "memory-backend-file"));
	g_assert_true(told(needs, "has", "machine", "hpet"));
	g_assert_true(told(needs, "given", "option", "daemonize"));
	g_assert_cmpuint(needs->unjudged->len, ==, 0);
}

static void test_proxmox(void)
{
	g_autoptr(Needs) needs = good_text(proxmox), again = NULL;
	json_t *entry = needs_to_json(needs);
	g_autofree char *text = json_dumps(entry, 0);

	check_proxmox(needs);
	g_assert_cmpint(read_kind(proxmox, strlen(proxmox)), ==, READ_ARGV);
	/* what leaves the host, and is read again, is the same without what is nobody's business */
	g_assert_null(strstr(text, "SECRET"));
	again = needs_from_json(entry, NULL);
	check_proxmox(again);
	g_assert_true(again->argv);
	json_decref(entry);
}

static void test_cmdline(void)
{
	static const char bytes[] = "/opt/qemu/qemu-system-aarch64\0-M\0virt,accel=tcg\0-cpu\0max\0--name\0guest=a b\0"
				    "-append\0two words $HOME\0disk.img\0-readconfig\0/etc/x\0-wonder\0yes\0";
	g_autoptr(Needs) needs = good(bytes, sizeof(bytes) - 1);

	g_assert_cmpint(read_kind(bytes, sizeof(bytes) - 1), ==, READ_ARGV);
	g_assert_cmpstr(needs->arch, ==, "aarch64");
	g_assert_cmpstr(needs->emulator, ==, "/opt/qemu/qemu-system-aarch64");
	g_assert_cmpstr(needs->machine, ==, "virt");
	g_assert_cmpstr(needs->accel, ==, "tcg");
	g_assert_cmpstr(needs->name, ==, "a b");
	g_assert_cmpint(needs->cpu->mode, ==, CPU_MAXIMUM);
	g_assert_cmpuint(needs->memory_kib, ==, 128 * 1024);
	g_assert_true(is_unjudged(needs, "-readconfig"));
	g_assert_true(is_unjudged(needs, "option -wonder"));
	g_assert_null(strstr(needs->definition_text, "HOME"));
}

/* The last of one kind counts, and each kind over the one before it. */
static void test_cpu(void)
{
	g_autoptr(Needs) signs = good_text("kvm -cpu Haswell,-avx,avx=on,+aes,aes=off,+rdrand,-rdrand");
	g_autoptr(Needs) spelt = good_text("kvm -cpu Haswell,spec_ctrl=off,+spec_ctrl");
	g_autoptr(Needs) host = good_text("qemu-system-x86_64 -enable-kvm -cpu host,migratable=off,phys-bits=44,tsc-freq=2G");
	g_autoptr(Needs) odd = good_text("kvm -cpu max,hv-no-such-thing=on,strange=17");
	g_autoptr(Needs) none = good_text("qemu-system-x86_64 -smp cores=2,threads=2");

	g_assert_cmpstr(policy_of(signs, "avx"), ==, "disable");
	g_assert_cmpstr(policy_of(signs, "aes"), ==, "require");
	g_assert_cmpstr(policy_of(signs, "rdrand"), ==, "disable");
	g_assert_cmpint(signs->cpu->check, ==, CPU_CHECK_NONE);
	g_assert_cmpstr(policy_of(spelt, "spec-ctrl"), ==, "disable");
	g_assert_cmpstr(policy_of(spelt, "spec_ctrl"), ==, "require");
	g_assert_cmpint(host->cpu->mode, ==, CPU_HOST_PASSTHROUGH);
	g_assert_cmpint(host->cpu->migratable, ==, 0);
	g_assert_cmpuint(host->cpu->phys_bits, ==, 44);
	g_assert_cmpuint(host->tsc_khz, ==, 2000000);
	g_assert_true(is_unjudged(odd, "enlightenment"));
	g_assert_true(is_unjudged(odd, "property of the CPU"));
	g_assert_null(none->cpu);
	g_assert_cmpstr(none->accel, ==, "tcg");
	g_assert_cmpuint(none->vcpus, ==, 4);
}

static void test_shape(void)
{
	static const char *const not[] = { "", "kvm", "kvm is a module", "qemu-system-x86_64: -device x: no", "-m 64",
					   "model name\t: kvm", "#!/bin/sh\nexec qemu -m 64" };
	static const char *const yes[] = { "kvm -m 64", "taskset --cpu-list 0-3 /usr/bin/kvm -id 1",
					   "'/usr/libexec/qemu-kvm'  -m 64", "A=b qemu-system-ppc64 -m 64" };

	for (size_t i = 0; i < G_N_ELEMENTS(not); i++)
		g_assert_false(argv_is(not[i], strlen(not[i])));
	for (size_t i = 0; i < G_N_ELEMENTS(yes); i++)
		g_assert_true(argv_is(yes[i], strlen(yes[i])));
}

static void test_refused(void)
{
	g_autofree char *long_one = g_strnfill(ARGV_MAX_BYTES + 1, ' ');

	memcpy(long_one, "kvm -S", 6);
	bad("kvm -m 'open", "a quote is not closed (close it)");
	bad("kvm -m 64\n-name \"$X\"", "line 2: something is left for a shell to work out");
	bad("kvm -m 64 | tee x", "line 1: something is left for a shell");
	bad("kvm -m", "has no value behind it");
	bad("kvm -m lots", "-m: 'lots' is not a size");
	bad("kvm -smp 0", "cpus: '0' is not a number");
	bad("kvm -device ''", "names no driver");
	bad("kvm -S \xff\xfe", "no UTF-8");
	bad(long_one, "longer than 1 MiB");
}

/* Whatever is done to a command, it is refused in one line or taken. */
static void test_mutated(void)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(20261201);
	size_t length = strlen(proxmox);

	for (int i = 0; i < 4000; i++) {
		g_autofree char *bytes = g_memdup2(proxmox, length);
		g_autoptr(GError) error = NULL;
		g_autoptr(Needs) needs = NULL;
		int changes = g_rand_int_range(rand, 1, 12);

		while (changes--)
			bytes[g_rand_int_range(rand, 13, (gint32)length)] =
				"\0\n'\"\\,=+-:{}$<&09kKx\x01\xc3"[g_rand_int_range(rand, 0, 22)];
		needs = needs_from_argv(bytes, (size_t)g_rand_int_range(rand, 20, (gint32)length), &error);
		g_assert_true((needs != NULL) != (error != NULL));
		if (error)
			g_assert_null(strchr(error->message, '\n'));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/guest-argv/proxmox", test_proxmox);
	g_test_add_func("/guest-argv/cmdline", test_cmdline);
	g_test_add_func("/guest-argv/cpu", test_cpu);
	g_test_add_func("/guest-argv/shape", test_shape);
	g_test_add_func("/guest-argv/refused", test_refused);
	g_test_add_func("/guest-argv/mutated", test_mutated);
	return g_test_run();
}
