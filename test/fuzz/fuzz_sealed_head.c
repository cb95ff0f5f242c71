/* SPDX-License-Identifier: Apache-2.0 */
/* A head that is accepted is the one encoding of what it says. */
#include <string.h>

#include "envelope/sealed_head.h"

#include "fuzz.h"

static uint8_t again[PM_SEALED_CONTENT_MAX];

static void check_fields(const struct pm_sealed_field *fields, size_t count)
{
	FUZZ_CHECK(count <= PM_SEALED_FIELDS_MAX);
	for (size_t i = 0; i < count; i++) {
		FUZZ_CHECK(fields[i].name[0] && strlen(fields[i].name) <= PM_SEALED_NAME_MAX);
		FUZZ_CHECK(!strpbrk(fields[i].value, "\r\n"));
	}
}

static void check_request(struct pm_view cbor)
{
	struct pm_sealed_head head = {0};
	size_t len;

	if (pm_sealed_request_decode(cbor, NULL, &head) == PM_OK) {
		check_fields(head.request.fields, head.request.field_count);
		FUZZ_CHECK(head.request.path[0] == '/');
		FUZZ_CHECK(pm_sealed_request_encode(&head.request, NULL, again, &len) == PM_OK);
		FUZZ_CHECK(pm_view_equal(pm_view(again, len), cbor));
	}
	pm_sealed_head_free(&head);
}

static void check_response(struct pm_view cbor)
{
	struct pm_sealed_head head = {0};
	size_t len;

	if (pm_sealed_response_decode(cbor, NULL, &head) == PM_OK) {
		check_fields(head.response.fields, head.response.field_count);
		FUZZ_CHECK(pm_sealed_response_encode(&head.response, NULL, again, &len) == PM_OK);
		FUZZ_CHECK(pm_view_equal(pm_view(again, len), cbor));
	}
	pm_sealed_head_free(&head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pm_view cbor = pm_view(data, size);

	if (size > PM_SEALED_CONTENT_MAX)
		return 0;
	check_request(cbor);
	check_response(cbor);
	return 0;
}
