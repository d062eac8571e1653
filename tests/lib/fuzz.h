/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fuzz.h - what every fuzzer needs: libFuzzer's entry, and a claim that ends the run when it is
 * wrong.
 */
#ifndef LIB_FUZZ_H
#define LIB_FUZZ_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(cond) \
	do { \
		if (!(cond)) \
			abort(); \
	} while (0)

#endif
