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

static bool is_name_char(char c)
{
	return c > ' ' && c <= '~';
}

void find_form_model(const struct buffer *body, char ret[PM_REQUEST_MODEL_SIZE])
{
	static const char mark[] = "name=\"model\"";
	const char *at, *end;
	size_t n = 0;

	if (!body->len)
		return;
	end = body->bytes + body->len;
	at = memmem(body->bytes, body->len, mark, sizeof(mark) - 1);
	at = at ? memmem(at, (size_t)(end - at), "\r\n\r\n", 4) : NULL;
	if (!at)
		return;
	at += 4;
	while (at + n < end && n < PM_REQUEST_MODEL_SIZE - 1 && is_name_char(at[n]))
		n++;
	if (!n)
		return;
	memcpy(ret, at, n);
	ret[n] = '\0';
}
