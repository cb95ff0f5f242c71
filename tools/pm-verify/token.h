/* SPDX-License-Identifier: Apache-2.0 */
/* pm-verify token: what the command line said, and the verdict's output. */
#ifndef PM_VERIFY_TOKEN_H
#define PM_VERIFY_TOKEN_H

#include <stdbool.h>

#include <pm/eat.h>

struct token_options {
	const char *token, *jwks;
	bool require_devices, json;
	int64_t now;
};

/* The verdict; facts is NULL unless the token was accepted. */
void token_print(const struct token_options *o, int error, const struct pm_report *report,
	const struct pm_eat_facts *facts);

#endif
