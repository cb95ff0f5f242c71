/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that many share: nobody may have more than what is still free. So whoever takes much
 * leaves room for all who need little, however many he is.
 */
#ifndef COMMON_BUDGET_H
#define COMMON_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct budget {
	size_t most; /* bytes */
	atomic_size_t used;
};

/* Takes len bytes for one who has *own of them; false when that is too much. From any thread. */
bool budget_take(struct budget *budget, size_t *own, size_t len);

/* Gives len bytes of *own back. */
void budget_give(struct budget *budget, size_t *own, size_t len);

#endif
