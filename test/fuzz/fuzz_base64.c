/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes have one text and text has one value: each accepted text is what would be written. */
#include "base/base64.h"

#include <string.h>

#include "fuzz.h"

static void bytes_round_trip(struct pm_view bytes)
{
	size_t cap = PM_BASE64_SIZE(bytes.len), n = 0;
	pm_cleanup(free) char *text = malloc(cap);
	pm_cleanup(free) uint8_t *back = malloc(bytes.len + 1);

	FUZZ_CHECK(text && back);
	FUZZ_CHECK(pm_base64_encode(bytes, text, cap - 1) == PM_E_LIMIT);
	FUZZ_CHECK(pm_base64_encode(bytes, text, cap) == PM_OK);
	FUZZ_CHECK(pm_base64_decode(pm_view(text, strlen(text)), back, bytes.len, &n) == PM_OK);
	FUZZ_CHECK(pm_view_equal(pm_view(back, n), bytes));
}

static void text_round_trip(struct pm_view text)
{
	pm_cleanup(free) uint8_t *bytes = malloc(text.len + 1);
	pm_cleanup(free) char *back = malloc(text.len + 8);
	size_t n = 0;

	FUZZ_CHECK(bytes && back);
	if (pm_base64_decode(text, bytes, text.len, &n) != PM_OK)
		return;
	FUZZ_CHECK(n <= text.len / 4 * 3);
	FUZZ_CHECK(pm_base64_encode(pm_view(bytes, n), back, text.len + 1) == PM_OK);
	FUZZ_CHECK(pm_view_equal(pm_view(back, strlen(back)), text));
}

/* A buffer that is one byte short is refused, and the byte after it is not written. */
static void short_buffer(struct pm_view text)
{
	pm_cleanup(free) uint8_t *bytes = malloc(text.len + 1);
	size_t n = 0;

	FUZZ_CHECK(bytes);
	if (pm_base64_decode(text, bytes, text.len, &n) != PM_OK || n == 0)
		return;
	bytes[n - 1] = 0x5a;
	FUZZ_CHECK(pm_base64_decode(text, bytes, n - 1, &n) < 0);
	FUZZ_CHECK(bytes[n - 1] == 0x5a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bytes_round_trip(pm_view(data, size));
	text_round_trip(pm_view(data, size));
	short_buffer(pm_view(data, size));
	return 0;
}
