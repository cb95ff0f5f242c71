/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the client of NVIDIA's services share. */
#ifndef PM_NET_GPU_FETCH_H
#define PM_NET_GPU_FETCH_H

#include <pm/gpu_fetch.h>

#include "net/client.h"

struct pm_gpu_fetch {
	struct pm_net_client net;
	struct pm_net_service rim, ocsp;
	bool own_rim, own_ocsp; /* the caller has named servers */
};

/* For tests: time that passes as the test says. Before the first fetch. */
void pm_gpu_fetch_set_clock(struct pm_gpu_fetch *fetch, const struct pm_net_clock *clock);

/* context: the name asked for, a text. */
extern const struct pm_net_kind pm_gpu_kind_rim;

/* context: a struct pm_ocsp_own_id. */
extern const struct pm_net_kind pm_gpu_kind_ocsp;

/* The document in an answer of the service, as pm_gpu_fetch_rim(); freed with free(). */
int pm_rim_unwrap(struct pm_view json, const char *id, struct pm_report *report, uint8_t **ret,
	size_t *ret_len) PM_MUST_USE;

#endif
