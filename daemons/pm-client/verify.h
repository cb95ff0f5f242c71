/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLIENT_VERIFY_H
#define CLIENT_VERIFY_H

#include <pm/appraise.h>
#include <pm/verdict.h>

/* status is the exit status; facts are there when error is 0. */
void verify_print_json(const char *url, int status, int error, const char *reason,
	const struct pm_verdict *verdict, const struct pm_appraised *facts);

#endif
