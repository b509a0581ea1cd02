/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * contract.h: what a guest was started with, as an element that travels in its definition's
 * <metadata>: the host that the guest comes to needs no other way of knowing it.
 *
 *	<capbroker:contract xmlns:capbroker='urn:capbroker:contract:1' host='r1n04' class='3f…'
 *		qemu='10.0.13' emulator='/usr/bin/…' machine='pc-q35-7.2'>
 *	  <capbroker:viommu device='intel-iommu' aw-bits='39' caching-mode='off' …/>
 *	  <capbroker:cpu features='cpu.aes cpu.avx …'/>    (of guests that see their host's CPU alone)
 *	</capbroker:contract>
 *
 * libvirt gives the element its namespace and prefix when it is set (virsh metadata URI KEY --set), and
 * refuses one that has them already.
 *
 * Whoever may change a guest's metadata may write one: it is believed no further than to stand for
 * a source host that isn't known.
 */
#ifndef ANSWER_CONTRACT_H
#define ANSWER_CONTRACT_H

#include "answer/answer.h"
#include "guest/xml.h"

#define CONTRACT_ELEMENT "capbroker:contract"

/**
 * contract_element - the element for a running guest, as libvirt takes it: without a namespace
 * @host: the host it runs on
 * @qemu: the version of the QEMU it runs, or NULL: not known
 *
 * Returns the text, without a line end; free with g_free().
 */
char *contract_element(const struct judge *judge, const struct guest *guest, const struct host *host,
		       const char *qemu);

/* What a definition's contract says; strings are the document's own, NULL where it says nothing. */
struct contract_told {
	const char *host, *class, *qemu, *emulator, *machine;
	const struct xml_node *element; /* NULL: there is no contract */
};
void contract_read(const struct xml_document *definition, struct contract_told *told);

/**
 * contract_profile - a host that is known by a contract alone: its QEMU and machine type
 *
 * Returns a profile, to be freed by profile_free(), or NULL where the contract says too little.
 */
struct profile *contract_profile(const struct contract_told *told, const struct needs *needs,
				 struct universe *universe);

/* A property that our tables resolve otherwise on that profile than the contract says; NULL: none. */
char *contract_contradiction(const struct contract_told *told, const struct judge *judge,
			     const struct needs *needs, const struct profile *profile);

#endif
