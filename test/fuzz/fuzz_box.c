/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of boxes as files, and boxes. */
#include <string.h>

#include "envelope/box.h"
#include "fuzz.h"

/* What is a private key comes back from its text. */
static void read_private(struct pm_view input)
{
	pm_cleanup(pm_box_key) struct pm_box_key *key = NULL, *again = NULL;
	char pem[PM_BOX_PEM_SIZE];
	int r = pm_box_key_parse(input.ptr, input.len, NULL, &key);

	FUZZ_CHECK(r == PM_OK || r == PM_E_FORMAT || r == PM_E_UNSUPPORTED || r == PM_E_LIMIT);
	FUZZ_CHECK((r == PM_OK) == (key != NULL));
	if (!key)
		return;
	FUZZ_CHECK(pm_box_key_pem(key, pem) == PM_OK);
	FUZZ_CHECK(pm_box_key_parse(pem, strlen(pem), NULL, &again) == PM_OK);
	FUZZ_CHECK(!memcmp(pm_box_key_public(key), pm_box_key_public(again), PM_BOX_PUBLIC_SIZE));
}

/* What is a public key has three forms, and boxes can be made for it. */
static void read_public(struct pm_view input)
{
	uint8_t public[PM_BOX_PUBLIC_SIZE], again[PM_BOX_PUBLIC_SIZE], box[PM_BOX_OVERHEAD];
	char pem[PM_BOX_PUBLIC_PEM_SIZE];
	int r = pm_box_public_parse(input.ptr, input.len, NULL, public);

	FUZZ_CHECK(r == PM_OK || r == PM_E_FORMAT || r == PM_E_UNSUPPORTED || r == PM_E_LIMIT);
	if (r != PM_OK)
		return;
	FUZZ_CHECK(pm_box_public_pem(public, pem) == PM_OK);
	FUZZ_CHECK(pm_box_public_parse(pem, strlen(pem), NULL, again) == PM_OK);
	FUZZ_CHECK(!memcmp(public, again, sizeof(public)));
	FUZZ_CHECK(pm_box_seal(public, "label", NULL, 0, NULL, 0, box) == PM_OK);
}

static void open_box(struct pm_view input)
{
	static struct pm_box_key *key; /* one for all inputs: a key pair takes time */
	pm_cleanup(free) uint8_t *plain = malloc(input.len + 1);
	struct pm_secret seed = {0};
	int r;

	FUZZ_CHECK(plain);
	if (!key) {
		FUZZ_CHECK(pm_crypto_init() == PM_OK);
		FUZZ_CHECK(pm_secret_new(&seed, PM_KEM_SEED_SIZE) == PM_OK);
		for (uint8_t i = 0; i < PM_KEM_SEED_SIZE; i++)
			seed.ptr[i] = i;
		FUZZ_CHECK(pm_box_key_from_seed(&seed, &key) == PM_OK);
	}
	r = pm_box_open(key, "a label", "additional data", 15, input.ptr, input.len, plain);
	FUZZ_CHECK(r == PM_OK || r == PM_E_FORMAT || r == PM_E_REJECTED || r == PM_E_LIMIT);
	FUZZ_CHECK(r != PM_OK || input.len >= PM_BOX_OVERHEAD);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pm_view input = pm_view(data, size);

	read_private(input);
	read_public(input);
	open_box(input);
	return 0;
}
