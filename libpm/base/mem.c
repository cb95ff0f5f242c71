/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <sodium.h>
#include <stdlib.h>

void pm_cleanup_free(void *p)
{
	free(*(void **)p);
}

void *pm_alloc(size_t size)
{
	return calloc(1, size ? size : 1);
}

uint8_t *pm_dup(struct pm_view bytes)
{
	uint8_t *copy = pm_alloc(bytes.len);

	if (copy)
		pm_copy(copy, bytes.ptr, bytes.len);
	return copy;
}

void pm_wipe(void *p, size_t n)
{
	sodium_memzero(p, n);
}

bool pm_ct_equal(const void *a, const void *b, size_t n)
{
	return sodium_memcmp(a, b, n) == 0;
}

bool pm_is_zero(const void *p, size_t n)
{
	return sodium_is_zero(p, n);
}
