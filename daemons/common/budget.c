/* SPDX-License-Identifier: Apache-2.0 */
#include "common/budget.h"

bool budget_take(struct budget *budget, size_t *own, size_t len)
{
	size_t used = atomic_load(&budget->used);

	do {
		size_t left = budget->most > used ? budget->most - used : 0;

		if (len > left || *own > left - len)
			return false;
	} while (!atomic_compare_exchange_weak(&budget->used, &used, used + len));
	*own += len;
	return true;
}

void budget_give(struct budget *budget, size_t *own, size_t len)
{
	atomic_fetch_sub(&budget->used, len);
	*own -= len;
}
