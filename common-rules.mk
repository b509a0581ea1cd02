# SPDX-License-Identifier: LGPL-2.1-or-later
# common-rules.mk: what every Makefile.am includes first.

AM_CPPFLAGS = \
	$(HARDEN_CPPFLAGS) \
	-I$(top_srcdir)/src/lib \
	-DPKGDATADIR='"$(pkgdatadir)"' \
	-DSYSCONFDIR='"$(sysconfdir)"'
AM_CFLAGS = \
	-std=gnu11 \
	$(WARN_CFLAGS) \
	$(HARDEN_CFLAGS) \
	$(SANITIZE_CFLAGS)
AM_LDFLAGS = $(HARDEN_LDFLAGS)

# The pure library, as every program links it: its archive and what it stands on.
libcapbroker = $(top_builddir)/src/lib/libcapbroker.a
libstore = $(top_builddir)/src/store/libstore.a
lib_cflags = $(GLIB_CFLAGS) $(JANSSON_CFLAGS) $(LIBXML_CFLAGS)
lib_libs = $(libcapbroker) $(JANSSON_LIBS) $(LIBXML_LIBS) $(GLIB_LIBS)
store_libs = $(libstore) $(SQLITE_LIBS)
libservice = $(top_builddir)/src/service/libservice.a
libnet = $(top_builddir)/src/net/libnet.a
net_libs = $(libnet) $(CURL_LIBS)
service_libs = $(libservice) $(store_libs)
