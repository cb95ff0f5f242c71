/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/grow.h"

#include <stdlib.h>

#define CAP_MIN 1024

static int move_to(struct pm_grow *grow, size_t cap)
{
	uint8_t *ptr = malloc(cap);

	if (!ptr)
		return PM_E_NOMEM;
	pm_copy(ptr, grow->ptr, grow->len);
	if (grow->ptr)
		pm_wipe(grow->ptr, grow->cap);
	free(grow->ptr);
	grow->ptr = ptr;
	grow->cap = cap;
	return PM_OK;
}

int pm_grow_room(struct pm_grow *grow, size_t n)
{
	size_t wanted = grow->len + n;
	size_t cap = grow->cap + grow->cap / 2;

	if (wanted < n)
		return PM_E_NOMEM;
	if (wanted <= grow->cap && grow->ptr)
		return PM_OK;
	if (cap < CAP_MIN)
		cap = CAP_MIN;
	return move_to(grow, cap > wanted ? cap : wanted);
}

void pm_grow_wipe(struct pm_grow *grow)
{
	if (grow->len)
		pm_wipe(grow->ptr, grow->len);
	grow->len = 0;
}

void pm_grow_free(struct pm_grow *grow)
{
	if (grow->ptr)
		pm_wipe(grow->ptr, grow->cap);
	free(grow->ptr);
	*grow = (struct pm_grow){0};
}
