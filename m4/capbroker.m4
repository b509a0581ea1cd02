dnl SPDX-License-Identifier: LGPL-2.1-or-later
dnl capbroker.m4: compiler and linker flags, each tried before it is used.

dnl CB_TRY_FLAGS(VARIABLE, CPPFLAGS, CFLAGS, LDFLAGS)
dnl Adds to VARIABLE whatever of the three was given, if a program compiles and links with them.
AC_DEFUN([CB_TRY_FLAGS], [
	AC_MSG_CHECKING([whether $CC takes $2$3$4])
	cb_save_CPPFLAGS=$CPPFLAGS
	cb_save_CFLAGS=$CFLAGS
	cb_save_LDFLAGS=$LDFLAGS
	CPPFLAGS="$CPPFLAGS $2"
	CFLAGS="$CFLAGS -Werror $3"
	LDFLAGS="$LDFLAGS $4"
	AC_LINK_IFELSE([AC_LANG_SOURCE([[
		#include <stdio.h>
		int main(void) { char line[16]; return fgets(line, sizeof(line), stdin) == NULL; }
	]])], [cb_takes=yes], [cb_takes=no])
	CPPFLAGS=$cb_save_CPPFLAGS
	CFLAGS=$cb_save_CFLAGS
	LDFLAGS=$cb_save_LDFLAGS
	AC_MSG_RESULT([$cb_takes])
	AS_IF([test $cb_takes = yes], [$1="${$1:+$$1 }$2$3$4"])
])

AC_DEFUN([CB_WARNINGS], [
	WARN_CFLAGS=
	m4_foreach_w([cb_flag], [-Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wvla],
		[CB_TRY_FLAGS([WARN_CFLAGS], [], cb_flag, [])])
	AS_IF([test "x$enable_werror" = xyes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
	AC_SUBST([WARN_CFLAGS])
])

AC_DEFUN([CB_SANITIZERS], [
	SANITIZE_CFLAGS=
	FUZZ_CFLAGS=
	AS_IF([test "x$enable_fuzzing" = xyes], [
		enable_sanitizers=yes
		CB_TRY_FLAGS([FUZZ_CFLAGS], [], [-fsanitize=fuzzer-no-link], [])
		AS_IF([test "x$FUZZ_CFLAGS" = x],
			[AC_MSG_ERROR([--enable-fuzzing: $CC has no libFuzzer (configure with CC=clang)])])
	])
	AS_IF([test "x$enable_sanitizers" = xyes], [
		CB_TRY_FLAGS([SANITIZE_CFLAGS], [], [-fsanitize=address,undefined], [])
		AS_IF([test "x$SANITIZE_CFLAGS" = x],
			[AC_MSG_ERROR([--enable-sanitizers: $CC cannot link with them])])
		SANITIZE_CFLAGS="$SANITIZE_CFLAGS -fno-sanitize-recover=undefined -fno-omit-frame-pointer $FUZZ_CFLAGS"
	])
	AM_CONDITIONAL([FUZZING], [test "x$enable_fuzzing" = xyes])
	AC_SUBST([SANITIZE_CFLAGS])
	AM_CONDITIONAL([SANITIZERS], [test "x$enable_sanitizers" = xyes])
])

dnl _FORTIFY_SOURCE is refused by the C library's own #warning where nothing is optimised, and is
dnl left alone where the packager has set it. The sanitizers replace the functions it wraps.
AC_DEFUN([CB_HARDENING], [
	HARDEN_CPPFLAGS=
	HARDEN_CFLAGS=
	HARDEN_LDFLAGS=
	AS_IF([test "x$enable_hardening" != xno], [
		CB_TRY_FLAGS([HARDEN_CFLAGS], [], [-fstack-protector-strong], [])
		CB_TRY_FLAGS([HARDEN_CFLAGS], [], [-fPIE], [])
		AS_CASE(["$HARDEN_CFLAGS"], [*-fPIE*], [CB_TRY_FLAGS([HARDEN_LDFLAGS], [], [], [-pie])])
		CB_TRY_FLAGS([HARDEN_LDFLAGS], [], [], [-Wl,-z,relro])
		CB_TRY_FLAGS([HARDEN_LDFLAGS], [], [], [-Wl,-z,now])
		AS_CASE(["$CPPFLAGS $CFLAGS:$enable_sanitizers"], [*_FORTIFY_SOURCE*|*:yes], [],
			[CB_TRY_FLAGS([HARDEN_CPPFLAGS], [-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2], [], [])])
	])
	AC_SUBST([HARDEN_CPPFLAGS])
	AC_SUBST([HARDEN_CFLAGS])
	AC_SUBST([HARDEN_LDFLAGS])
])

dnl CB_STATIC_PROBE: what a capbroker-probe links with that needs no shared library, to be carried
dnl into an initramfs. libxml2 pulls in ICU, whose data (30 MB) is of no use to a probe that reads
dnl UTF-8: its symbol is made to point at something that ICU refuses as data, as if it were missing.
AC_DEFUN([CB_STATIC_PROBE], [
	PROBE_LDFLAGS=
	PROBE_LIBS='$(JANSSON_LIBS) $(LIBXML_LIBS) $(GLIB_LIBS)'
	AS_IF([test "x$enable_static_probe" = xyes], [
		AC_MSG_CHECKING([what a static capbroker-probe links with])
		cb_all=$($PKG_CONFIG --static --libs jansson libxml-2.0 glib-2.0)
		cb_icu=$($PKG_CONFIG --modversion icu-uc 2>/dev/null | sed 's/\..*//')
		cb_small=$(AS_ECHO(["$cb_all"]) | sed "s/-licudata/-Wl,--defsym=icudt${cb_icu}_dat=main/g")
		cb_save_LIBS=$LIBS
		cb_save_LDFLAGS=$LDFLAGS
		cb_save_CFLAGS=$CFLAGS
		LDFLAGS="$LDFLAGS -static"
		CFLAGS="$CFLAGS $JANSSON_CFLAGS $LIBXML_CFLAGS $GLIB_CFLAGS"
		PROBE_LIBS=
		for cb_try in "$cb_small" "$cb_small -lstdc++ -lm" "$cb_all" "$cb_all -lstdc++ -lm"; do
			LIBS="$cb_try $cb_save_LIBS"
			AC_LINK_IFELSE([AC_LANG_SOURCE([[
				#include <glib.h>
				#include <jansson.h>
				#include <libxml/parser.h>
				int main(void)
				{
					xmlInitParser();
					return json_object() && g_get_real_time() ? 0 : 1;
				}
			]])], [PROBE_LIBS=$cb_try; break])
		done
		LIBS=$cb_save_LIBS
		LDFLAGS=$cb_save_LDFLAGS
		CFLAGS=$cb_save_CFLAGS
		AC_MSG_RESULT([${PROBE_LIBS:-nothing}])
		AS_IF([test "x$PROBE_LIBS" = x], [AC_MSG_ERROR(m4_normalize([
			[--enable-static-probe: cannot link: install the static libraries of glib, jansson]
			[and libxml2 with all that they stand on (Debian: liblzma-dev, libicu-dev, zlib1g-dev)]]))])
		PROBE_LDFLAGS=-static
	])
	AC_SUBST([PROBE_LDFLAGS])
	AC_SUBST([PROBE_LIBS])
])
