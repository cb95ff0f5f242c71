/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sorting in place, in n log n comparisons whatever the items are, and without memory: qsort() of
 * the C library may allocate, and may be slow where the attacker chooses the order.
 */
#ifndef PM_ENVELOPE_ORDER_H
#define PM_ENVELOPE_ORDER_H

#include "base/mem.h"

struct pm_order {
	bool (*less)(const void *items, size_t a, size_t b);
	void (*swap)(void *items, size_t a, size_t b);
};

/* Not stable: where equal items must keep their order, less() compares their positions last. */
void pm_sort(const struct pm_order *order, void *items, size_t count);

#endif
