/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "pm-proxy/job.h"

static size_t room(void *arg, size_t in_len)
{
	(void)arg;
	return in_len;
}

static int apply(void *arg, const uint8_t *in, size_t in_len, uint8_t *ret_out, size_t cap,
	size_t *ret_len, struct pm_report *report)
{
	(void)arg;
	(void)report;
	if (in_len > cap)
		return PM_E_LIMIT;
	if (in_len)
		memcpy(ret_out, in, in_len);
	*ret_len = in_len;
	return PM_OK;
}

const struct pm_body_cipher job_no_cipher = {.room = room, .apply = apply};
