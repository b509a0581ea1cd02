/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz.h: one harness a file, each `FUZZ(name)` with @data and @size.
 *
 * Built with --enable-fuzzing (clang), each is a program of libFuzzer's: `make fuzz` in the build's
 * tests/ runs them for a minute each, starting from corpus/NAME. In any build replay.c runs all of
 * them over the corpus once, which is a test.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

void fuzz_acpi(const uint8_t *data, size_t size);
void fuzz_pci(const uint8_t *data, size_t size);
void fuzz_recording(const uint8_t *data, size_t size);
void fuzz_vfio(const uint8_t *data, size_t size);

#ifdef FUZZ_MAIN
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ(name)                                                                                \
	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)                              \
	{                                                                                         \
		fuzz_##name(data, size);                                                          \
		return 0;                                                                         \
	}                                                                                         \
	void fuzz_##name(const uint8_t *data, size_t size)
#else
#define FUZZ(name) void fuzz_##name(const uint8_t *data, size_t size)
#endif

#endif
