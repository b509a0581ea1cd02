/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* baseline-format.c: a baseline in the words of libvirt and of QEMU, by way of settings.h. */
#include "config.h"

#include <string.h>

#include "plan/settings-parts.h"

static char *written(const struct baseline *b, enum setting_consumer consumer)
{
	g_autoptr(Setting) s = setting_of_baseline(b);
	bool usable;
	char *text = setting_write(s, consumer, NULL, NULL, &usable);

	if (g_str_has_suffix(text, "\n") && consumer == SETTING_QEMU)
		text[strlen(text) - 1] = '\0';
	return text;
}

char *baseline_libvirt(const struct baseline *b)
{
	return written(b, SETTING_LIBVIRT);
}

char *baseline_qemu(const struct baseline *b)
{
	return written(b, SETTING_QEMU);
}
