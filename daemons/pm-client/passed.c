/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-client/passed.h"

#include <string.h>

static const char *const names[] = {"accept", "anthropic-beta", "anthropic-version",
	"authorization", "openai-organization", "openai-project", "x-api-key"};

_Static_assert(sizeof(names) / sizeof(names[0]) == PASSED_MAX, "a place for each");

const char *passed_value(const struct http_request *request, const char *own, const char *name)
{
	if (own && !strcmp(name, "authorization"))
		return own;
	if (own && !strcmp(name, "x-api-key"))
		return NULL;
	return http_request_field(request, name);
}

size_t passed_fields(const struct http_request *request, const char *own,
	struct pm_sealed_field ret_fields[PASSED_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < PASSED_MAX; i++) {
		const char *value = passed_value(request, own, names[i]);

		if (value && *value)
			ret_fields[count++] = (struct pm_sealed_field){names[i], value};
	}
	return count;
}
