/* SPDX-License-Identifier: Apache-2.0 */
/* A bearer token (RFC 6750) that somebody put into a file, and may exchange there. */
#ifndef PM_NET_TOKEN_H
#define PM_NET_TOKEN_H

#include <pm/error.h>
#include <pm/report.h>
#include "base/secret.h"

#define PM_TOKEN_MAX 4096

/*
 * The file's text without white space at its end. PM_E_SYS when it can't be read; PM_E_LIMIT;
 * PM_E_FORMAT for one that is empty or has characters that no token has; PM_E_NOMEM, PM_E_CRYPTO.
 */
int pm_token_read(
	const char *path, struct pm_report *report, struct pm_secret *ret_token) PM_MUST_USE;

#endif
