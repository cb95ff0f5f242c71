/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a coordinator reads of a store that nobody trusts, and of who asks: a head is written as it
 * was read, and requests have exactly their members.
 */
#include <string.h>

#include "fuzz.h"
#include "pm-coordinator/head.h"
#include "pm-coordinator/message.h"

static void read_head(const uint8_t *data, size_t size)
{
	struct head *head = head_parse(data, size, 7), *again;
	char *text;

	if (!head)
		return;
	FUZZ_CHECK(head->at.seq >= 1 && head->at.serial >= 1);
	FUZZ_CHECK(head_link(head)->serial == head->at.serial);
	text = head_text(head);
	FUZZ_CHECK(text);
	again = head_parse(text, strlen(text), 7);
	FUZZ_CHECK(again && !memcmp(&again->at, &head->at, sizeof(head->at)));
	FUZZ_CHECK(again->share_count == head->share_count);
	free(text);
	head_free(again);
	head_free(head);
}

static void read_request(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"Evidence", "Document"};
	json_t *root = message_parse(data, size, names, 2);
	uint8_t *bytes = NULL, document[1216];
	size_t len = 0;

	if (!root)
		return;
	FUZZ_CHECK(json_object_size(root) == 2);
	(void)message_fixed(json_object_get(root, "Document"), document, sizeof(document));
	if (message_bytes(json_object_get(root, "Evidence"), 64, &bytes, &len))
		FUZZ_CHECK(len && len <= 64 && bytes);
	free(bytes);
	json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_head(data, size);
	read_request(data, size);
	return 0;
}
