/* SPDX-License-Identifier: Apache-2.0 */
/* Watches of a store: each waits for changes by one operation after the other. For store.c. */
#ifndef COMMON_STORE_WATCH_H
#define COMMON_STORE_WATCH_H

#include "common/store_backend.h"

/* Begins the watch's next operation. False without memory. Of store.c. */
bool store_watch_wait(struct store_watch *watch);

/* Tells of what an operation of the watch found, and begins the next or ends the watch. */
void store_watch_tell(struct store_op *op);

void store_watch_free(struct store_watch *watch);

#endif
