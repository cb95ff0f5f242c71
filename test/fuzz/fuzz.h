/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fuzz targets share. A target is one function that takes any bytes; it is linked with
 * libFuzzer (-Dfuzz=enabled, clang) or with replay.c, which feeds it the corpus in every build.
 */
#ifndef PM_FUZZ_FUZZ_H
#define PM_FUZZ_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include <pm/snp.h>

#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that holds for every input; in every build, whatever NDEBUG says. */
#define FUZZ_CHECK(condition)                                                                      \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* Reads each byte, so that a sanitizer sees a view that points elsewhere. */
static inline unsigned int fuzz_touch(struct pm_view v)
{
	static volatile unsigned int sink;
	unsigned int sum = 0;

	for (size_t i = 0; i < v.len; i++)
		sum += v.ptr[i];
	sink = sum;
	return sink;
}

/* Does the view lie within the bytes? */
static inline bool fuzz_within(struct pm_view inner, struct pm_view outer)
{
	uintptr_t in = (uintptr_t)inner.ptr, out = (uintptr_t)outer.ptr;

	return inner.len == 0 ||
	       (inner.len <= outer.len && in >= out && in - out <= outer.len - inner.len);
}

/* 2026-03-01: within the validity of the corpus's certificates. */
#define FUZZ_NOW INT64_C(1772323200)

/* Verify at that time with a policy that waives all it can and trusts AMD's roots alone. */
int fuzz_verify(struct pm_snp_evidence *evidence, struct pm_snp_cache *cache,
	const struct pm_snp_facts **ret_facts);

/* The same, and further roots. */
int fuzz_verify_with_roots(struct pm_snp_evidence *evidence, struct pm_snp_cache *cache,
	const uint8_t (*roots)[32], size_t count, const struct pm_snp_facts **ret_facts);

#endif
