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
