/* SPDX-License-Identifier: Apache-2.0 */
/* What is written reads back; what reads is, but for its case, what would be written. */
#include <ctype.h>
#include <string.h>

#include <pm/error.h>
#include <pm/text.h>

#include "fuzz.h"

static void bytes_round_trip(const uint8_t *data, size_t size)
{
	pm_cleanup(free) char *text = malloc(2 * size + 1);
	pm_cleanup(free) uint8_t *back = malloc(size + 1);

	FUZZ_CHECK(text && back);
	pm_hex_encode(data, size, text);
	FUZZ_CHECK(strlen(text) == 2 * size);
	FUZZ_CHECK(pm_hex_decode(text, back, size) == PM_OK);
	FUZZ_CHECK(size == 0 || memcmp(back, data, size) == 0);
}

static void text_round_trip(const char *text)
{
	size_t n = strlen(text) / 2;
	pm_cleanup(free) uint8_t *bytes = malloc(n + 1);
	pm_cleanup(free) char *back = malloc(2 * n + 1);

	FUZZ_CHECK(bytes && back);
	if (pm_hex_decode(text, bytes, n) != PM_OK)
		return;
	FUZZ_CHECK(strlen(text) == 2 * n);
	pm_hex_encode(bytes, n, back);
	for (size_t i = 0; i < 2 * n; i++)
		FUZZ_CHECK(back[i] == tolower((unsigned char)text[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pm_cleanup(free) char *text = malloc(size + 1);

	FUZZ_CHECK(text);
	pm_copy(text, data, size);
	text[size] = '\0';
	bytes_round_trip(data, size);
	text_round_trip(text);
	return 0;
}
