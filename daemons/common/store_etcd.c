/* SPDX-License-Identifier: Apache-2.0 */
#include <pm/error.h>
#include <stdio.h>
#include "common/store_backend.h"
static int open_none(struct store *store, const char *place, const struct store_tls *tls,
	char reason[STORE_REASON_SIZE])
{
	(void)store;
	(void)place;
	(void)tls;
	snprintf(reason, STORE_REASON_SIZE, "not yet");
	return PM_E_UNSUPPORTED;
}
const struct store_backend store_etcd = {.open = open_none};
