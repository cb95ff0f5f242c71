/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of bodies before they are sealed, and what is put into them. */
#ifndef CLIENT_BODY_H
#define CLIENT_BODY_H

#include <stdbool.h>

#include <pm/body.h>
#include <pm/error.h>
#include <pm/rules.h>

#include "common/buffer.h"

/* Does the endpoint need a cache salt? */
bool needs_salt(enum pm_endpoint endpoint);

/*
 * Puts a salt without quotes and backslashes into an object of JSON. What pm_request_read() does
 * not take before, it does not take after. 0; PM_E_NOMEM, PM_E_FORMAT.
 */
int add_salt(struct buffer *body, const char *salt);

#endif
