/* SPDX-License-Identifier: Apache-2.0 */
/* What of an application's head goes to the worker, within the encryption. */
#ifndef CLIENT_PASSED_H
#define CLIENT_PASSED_H

#include <stddef.h>

#include <pm/sealed.h>

#include "common/http_head.h"

/* Fields, at most. */
#define PASSED_MAX 7

/*
 * A field's value, or NULL. own is an authorization of ours, or NULL: it takes the place of both
 * keys that an application may have sent.
 */
const char *passed_value(const struct http_request *request, const char *own, const char *name);

/* All fields that have a value; how many. */
size_t passed_fields(const struct http_request *request, const char *own,
	struct pm_sealed_field ret_fields[PASSED_MAX]);

#endif
