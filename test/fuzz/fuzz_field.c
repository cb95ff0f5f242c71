/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a message, and any bytes as a value: what opens is what was sealed. */
#include <string.h>

#include <pm/field.h>

#include "base/hex_bulk.h"
#include "base/rd.h"
#include "envelope/field.h"
#include "fuzz.h"

static const uint8_t secret[PM_FIELD_SECRET_SIZE] = {1, 2, 3, 250};
static const uint8_t nonce[PM_FIELD_NONCE_SIZE] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

/* What the corpus holds as message 5 of that key and nonce. Nobody forges another. */
static const char sealed_once[] = "\"secret\"";

/* Memory of just that size, so that a sanitizer sees each byte too many. */
static void *exactly(size_t size)
{
	void *p = malloc(size ? size : 1);

	FUZZ_CHECK(p);
	return p;
}

static void open_any(struct pm_field_key *key, struct pm_view text)
{
	size_t room = pm_field_open_room(text.len), len = 0;
	pm_cleanup(free) uint8_t *out = exactly(room);
	int r = pm_field_open_at(
		key, nonce, 5, (const char *)text.ptr, text.len, out, room, &len, NULL);

	FUZZ_CHECK(r == PM_OK || r == PM_E_FORMAT || r == PM_E_REJECTED || r == PM_E_LIMIT);
	if (r != PM_OK)
		return;
	FUZZ_CHECK(pm_field_sealed_size(key, len) == text.len);
	FUZZ_CHECK(pm_view_equal(pm_view(out, len), pm_view(sealed_once, sizeof(sealed_once) - 1)));
}

/* As a responder would: the message names its key and nonce. */
static void respond_to(struct pm_view text)
{
	pm_cleanup(pm_field_key) struct pm_field_key *key = NULL;
	pm_cleanup(pm_field_exchange) struct pm_field_exchange *exchange = NULL;
	pm_cleanup(free) uint8_t *copy = exactly(text.len);
	char id[PM_FIELD_ID_MAX + 1];
	size_t len = 0;

	if (pm_field_message_id((const char *)text.ptr, text.len, id) != PM_OK)
		return;
	FUZZ_CHECK(text.len > strlen(id) && memcmp(text.ptr + 1, id, strlen(id)) == 0);
	FUZZ_CHECK(pm_field_key_new(id, secret, &key) == PM_OK);
	FUZZ_CHECK(pm_field_responder_new(key, &exchange) == PM_OK);
	pm_copy(copy, text.ptr, text.len);
	/* The corpus's messages are numbered 5: nothing opens as message 0. */
	FUZZ_CHECK(pm_field_open(exchange, (const char *)copy, text.len, copy, text.len, &len,
			   NULL) != PM_OK);
	FUZZ_CHECK(!pm_field_exchange_nonce(exchange));
}

static void seal_any(struct pm_field_key *key, struct pm_view value, uint32_t seq)
{
	size_t cap = pm_field_sealed_size(key, value.len), room = pm_field_open_room(cap), len = 0;
	pm_cleanup(free) char *text = exactly(cap);
	pm_cleanup(free) uint8_t *out = exactly(room);

	FUZZ_CHECK(
		pm_field_seal_at(key, nonce, seq, value.ptr, value.len, text, cap, &len) == PM_OK);
	FUZZ_CHECK(len == cap);
	FUZZ_CHECK(pm_field_open_at(key, nonce, seq, text, cap, out, room, &len, NULL) == PM_OK);
	FUZZ_CHECK(pm_view_equal(pm_view(out, len), value));
	FUZZ_CHECK(pm_field_open_at(key, nonce, seq + 1, text, cap, out, room, &len, NULL) ==
		   PM_E_REJECTED);
}

static void decode_any(struct pm_view text)
{
	pm_cleanup(free) uint8_t *bytes = exactly(text.len / 2);
	pm_cleanup(free) uint8_t *back = exactly(text.len / 2 * 2);

	if (!pm_hex_bulk_decode(text.ptr, text.len / 2, bytes))
		return;
	pm_hex_bulk_encode(bytes, text.len / 2, back);
	FUZZ_CHECK(pm_view_equal(
		pm_view(back, text.len / 2 * 2), pm_view(text.ptr, text.len / 2 * 2)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pm_cleanup(pm_field_key) struct pm_field_key *key = NULL;

	FUZZ_CHECK(pm_field_key_new("id", secret, &key) == PM_OK);
	open_any(key, pm_view(data, size));
	respond_to(pm_view(data, size));
	seal_any(key, pm_view(data, size), (uint32_t)size);
	decode_any(pm_view(data, size));
	return 0;
}
