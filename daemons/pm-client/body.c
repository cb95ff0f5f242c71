/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-client/body.h"

#include <stdint.h>
#include <string.h>

bool needs_salt(enum pm_endpoint endpoint)
{
	return endpoint == PM_ENDPOINT_CHAT || endpoint == PM_ENDPOINT_COMPLETIONS ||
	       endpoint == PM_ENDPOINT_MESSAGES;
}

static size_t skip_space(const char *bytes, size_t at, size_t len)
{
	while (at < len && strchr(" \t\r\n", bytes[at]) && bytes[at])
		at++;
	return at;
}

/* The body was read as an object before: only the place behind its brace is looked for. */
int add_salt(struct buffer *body, const char *salt)
{
	size_t at = skip_space(body->bytes, 0, body->len), next;
	struct buffer out = {0};
	bool ok;

	if (at == body->len || body->bytes[at] != '{')
		return PM_E_FORMAT;
	next = skip_space(body->bytes, ++at, body->len);
	ok = buffer_add(&out, body->bytes, at, SIZE_MAX) &&
	     buffer_add(&out, "\"cache_salt\":\"", 14, SIZE_MAX) &&
	     buffer_add(&out, salt, strlen(salt), SIZE_MAX) &&
	     buffer_add(&out, "\"", 1, SIZE_MAX) &&
	     (next == body->len || body->bytes[next] == '}' ||
		     buffer_add(&out, ",", 1, SIZE_MAX)) &&
	     buffer_add(&out, body->bytes + at, body->len - at, SIZE_MAX);
	if (!ok) {
		buffer_free(&out);
		return PM_E_NOMEM;
	}
	buffer_free(body);
	*body = out;
	return PM_OK;
}
