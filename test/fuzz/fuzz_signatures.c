/* SPDX-License-Identifier: Apache-2.0 */
/* A file of signatures, and a private and a public key. */
#include <string.h>

#include "fuzz.h"
#include "policy/signatures.h"

static void read_signatures(struct pm_view input)
{
	static char text[PM_SIGNATURES_SIZE_MAX];
	pm_cleanup(pm_signatures) struct pm_signatures *s = NULL, *again = NULL;
	size_t len = 0;
	int r = pm_signatures_parse(input.ptr, input.len, NULL, &s);

	FUZZ_CHECK(r == PM_OK || r == PM_E_FORMAT || r == PM_E_LIMIT);
	if (r != PM_OK)
		return;
	FUZZ_CHECK(pm_signatures_text(s, text, &len) == PM_OK);
	FUZZ_CHECK(pm_signatures_parse(text, len, NULL, &again) == PM_OK);
	FUZZ_CHECK(s->count == again->count);
	for (size_t i = 0; i < s->count; i++) {
		const struct pm_signature *a = &s->list[i], *b = &again->list[i];

		FUZZ_CHECK(a->type == b->type && a->size == b->size);
		FUZZ_CHECK(!memcmp(a->bytes, b->bytes, a->size));
		FUZZ_CHECK(pm_signatures_of(s, a->key_id) == a);
	}
}

/* A key has one encoding: what is read of any form writes the same. */
static void read_public(struct pm_view input)
{
	struct pm_sign_public key, again;
	char pem[PM_SIGN_PEM_SIZE];

	if (pm_sign_public_parse(input.ptr, input.len, NULL, &key) != PM_OK)
		return;
	FUZZ_CHECK(pm_sign_public_pem(&key, pem) == PM_OK);
	FUZZ_CHECK(pm_sign_public_parse(pem, strlen(pem), NULL, &again) == PM_OK);
	FUZZ_CHECK(!memcmp(key.id, again.id, sizeof(key.id)));
}

static void read_private(struct pm_view input)
{
	pm_cleanup(pm_sign_key) struct pm_sign_key *key = NULL, *again = NULL;
	char pem[PM_SIGN_PEM_SIZE];

	if (pm_sign_key_parse(input.ptr, input.len, NULL, &key) != PM_OK)
		return;
	FUZZ_CHECK(pm_sign_key_pem(key, pem) == PM_OK);
	FUZZ_CHECK(pm_sign_key_parse(pem, strlen(pem), NULL, &again) == PM_OK);
	FUZZ_CHECK(!memcmp(
		pm_sign_key_public(key)->id, pm_sign_key_public(again)->id, PM_SIGN_ID_SIZE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pm_view input = pm_view(data, size);

	read_signatures(input);
	read_public(input);
	read_private(input);
	return 0;
}
