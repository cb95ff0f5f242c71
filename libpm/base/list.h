/* SPDX-License-Identifier: Apache-2.0 */
/* Values of one size, one after the other: what a policy allows. */
#ifndef PM_BASE_LIST_H
#define PM_BASE_LIST_H

#include <pm/error.h>
#include "base/mem.h"

struct pm_list {
	uint8_t *values;
	size_t size; /* of each, set before the first is added */
	size_t count;
};

/* Appends a copy of the value. PM_E_LIMIT above max members, PM_E_NOMEM. */
int pm_list_add(struct pm_list *list, const uint8_t *value, size_t max) PM_MUST_USE;

/* Is the value one of the list's? The time depends on the length of the list alone. */
bool pm_list_has(const struct pm_list *list, const uint8_t *value);

#endif
