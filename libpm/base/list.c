/* SPDX-License-Identifier: Apache-2.0 */
#include "base/list.h"

#include <stdlib.h>

int pm_list_add(struct pm_list *list, const uint8_t *value, size_t max)
{
	uint8_t *grown;

	if (list->count >= max)
		return PM_E_LIMIT;
	grown = realloc(list->values, (list->count + 1) * list->size);
	if (!grown)
		return PM_E_NOMEM;
	pm_copy(grown + list->count * list->size, value, list->size);
	list->values = grown;
	list->count++;
	return PM_OK;
}

bool pm_list_has(const struct pm_list *list, const uint8_t *value)
{
	bool found = false;

	for (size_t i = 0; i < list->count; i++)
		found |= pm_ct_equal(list->values + i * list->size, value, list->size);
	return found;
}
