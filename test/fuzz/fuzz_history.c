/* SPDX-License-Identifier: Apache-2.0 */
/* A history, and a client's memory. */
#include <string.h>

#include "fuzz.h"
#include "policy/history.h"

/* Links follow each other, and come back from their text as they were. */
static void read_history(struct pm_view input)
{
	pm_cleanup(pm_history) struct pm_history *h = NULL, *again = NULL;
	pm_cleanup(free) char *text = NULL;
	size_t len = 0;
	int r = pm_history_parse(input.ptr, input.len, NULL, &h);

	FUZZ_CHECK(r == PM_OK || r == PM_E_FORMAT || r == PM_E_LIMIT);
	if (r != PM_OK)
		return;
	for (size_t i = 1; i < h->count; i++) {
		const struct pm_history_link *a = &h->links[i - 1], *b = &h->links[i];

		FUZZ_CHECK(b->serial == a->serial + 1 && b->time >= a->time);
		FUZZ_CHECK(!memcmp(b->previous, a->hash, sizeof(a->hash)));
	}
	FUZZ_CHECK(pm_history_text(h, 0, &text, &len) == PM_OK && len == strlen(text));
	FUZZ_CHECK(pm_history_parse(text, len, NULL, &again) == PM_OK);
	FUZZ_CHECK(h->count == again->count);
	FUZZ_CHECK(!h->count || !memcmp(h->links[h->count - 1].hash,
					again->links[h->count - 1].hash, PM_SHA256_SIZE));
}

static void read_memory(struct pm_view input)
{
	struct pm_memory memory, again;
	char text[PM_MEMORY_SIZE_MAX];
	size_t len = 0;
	int r = pm_memory_parse(input.ptr, input.len, NULL, &memory);

	FUZZ_CHECK(r == PM_OK || r == PM_E_FORMAT || r == PM_E_LIMIT);
	if (r != PM_OK)
		return;
	FUZZ_CHECK(pm_memory_text(&memory, text, &len) == PM_OK);
	FUZZ_CHECK(pm_memory_parse(text, len, NULL, &again) == PM_OK);
	FUZZ_CHECK(memory.serial == again.serial && memory.has_link == again.has_link);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pm_view input = pm_view(data, size);

	read_history(input);
	read_memory(input);
	return 0;
}
