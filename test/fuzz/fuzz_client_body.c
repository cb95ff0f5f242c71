/* SPDX-License-Identifier: Apache-2.0 */
/* A salt put into a body: what was an object of JSON is one, and the salt is what is read of it. */
#include <string.h>

#include <pm/rules.h>

#include "fuzz.h"
#include "pm-client/body.h"

#define SALT "0123456789abcdef0123456789abcdef"

static int read_body(const struct buffer *body, struct pm_request_facts *facts)
{
	*facts = (struct pm_request_facts){.size = sizeof(*facts)};
	return pm_request_read(body->bytes ? body->bytes : "", body->len, facts, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pm_request_facts before, after;
	struct buffer body = {0};
	int first, second;

	FUZZ_CHECK(buffer_add(&body, data, size, SIZE_MAX));
	first = read_body(&body, &before);
	if (add_salt(&body, SALT) != PM_OK) {
		FUZZ_CHECK(first != PM_OK);
		buffer_free(&body);
		return 0;
	}
	second = read_body(&body, &after);
	/* Only one that was there, empty or not, stands in the way. */
	FUZZ_CHECK(second != PM_OK || first == PM_OK);
	if (first == PM_OK && second == PM_OK) {
		FUZZ_CHECK(!before.cache_salt_len && after.cache_salt_len == sizeof(SALT) - 1);
		FUZZ_CHECK(!strcmp(before.model, after.model));
	}
	buffer_free(&body);
	return 0;
}
