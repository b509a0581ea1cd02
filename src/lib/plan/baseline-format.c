/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* baseline-format.c: a baseline in the words of libvirt and of QEMU, by way of settings.h. */
#include "config.h"

#include "plan/settings-parts.h"

static char *written(const struct baseline *b, enum setting_consumer consumer,
		     void (*write)(struct setting_out *out))
{
	g_autoptr(Setting) s = setting_of_baseline(b);
	struct setting_out out = { s, NULL, consumer, NULL, g_string_new(NULL), true };

	write(&out);
	return g_string_free(out.text, FALSE);
}

char *baseline_libvirt(const struct baseline *b)
{
	return written(b, SETTING_LIBVIRT, setting_libvirt);
}

char *baseline_qemu(const struct baseline *b)
{
	return g_strchomp(written(b, SETTING_QEMU, setting_qemu));
}
