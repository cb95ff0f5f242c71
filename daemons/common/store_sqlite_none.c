/* SPDX-License-Identifier: Apache-2.0 */
/* Of a build without SQLite. */
#include <pm/error.h>
#include <stdio.h>

#include "common/store_backend.h"

static int open_none(struct store *store, const char *place, const struct store_tls *tls,
	char reason[STORE_REASON_SIZE])
{
	(void)store;
	(void)place;
	(void)tls;
	snprintf(reason, STORE_REASON_SIZE, "'sqlite:' is not built in (-Dsqlite=enabled)");
	return PM_E_UNSUPPORTED;
}

const struct store_backend store_sqlite = {.open = open_none};
