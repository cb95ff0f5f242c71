/* SPDX-License-Identifier: Apache-2.0 */
/* Mesh certificates and identities: one encoding each, and no forgery of the corpus's CA. */
#include <string.h>

#include <pm/authority.h>

#include "fuzz.h"
#include "mesh/mesh.h"
#include "mesh_seeds.h"

/* What is accepted is the one encoding of what it says. */
static void parse_identity(struct pm_view cbor)
{
	uint8_t again[PM_MESH_IDENTITY_MAX];
	struct pm_wr wr = pm_wr(again, sizeof(again));
	struct pm_mesh_identity who;

	if (pm_mesh_identity_parse(cbor, NULL, &who) < 0)
		return;
	FUZZ_CHECK(pm_mesh_identity_check(&who, NULL) == PM_OK);
	pm_mesh_identity_write(&wr, &who);
	FUZZ_CHECK(!wr.failed && pm_view_equal(pm_view(again, wr.len), cbor));
}

static bool is_seed(struct pm_view der)
{
	uint8_t digest[PM_SHA256_SIZE];
	bool found = false;

	FUZZ_CHECK(pm_hash(PM_SHA256, der, digest) == PM_OK);
	for (size_t i = 0; i < PM_ARRAY_LEN(seed_mesh_leaves); i++)
		found |= pm_ct_equal(digest, seed_mesh_leaves[i], sizeof(digest));
	return found;
}

/* The CA of the corpus signed few, and each of them is accepted. */
static void verify(struct pm_view input)
{
	struct pm_mesh_identity who;
	uint8_t der[PM_MESH_CERT_SIZE_MAX];
	size_t len;
	int r = pm_mesh_verify(
		input.ptr, input.len, seed_mesh_ca, sizeof(seed_mesh_ca), FUZZ_NOW, NULL, &who);

	FUZZ_CHECK(pm_mesh_verify(
			   input.ptr, input.len, input.ptr, input.len, FUZZ_NOW, NULL, &who) < 0);
	if (pm_mesh_leaf(input.ptr, input.len, der, &len) < 0) {
		FUZZ_CHECK(r < 0);
		return;
	}
	FUZZ_CHECK(r != PM_OK || is_seed(pm_view(der, len)));
	FUZZ_CHECK(r == PM_OK || !is_seed(pm_view(input.ptr, input.len)));
}

static void verify_signature(struct pm_view input)
{
	static const uint8_t none[] = {0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01};

	FUZZ_CHECK(pm_mesh_verify_signature(
			   input.ptr, input.len, "label", "", 0, none, sizeof(none), NULL) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t hash[PM_MANIFEST_HASH_SIZE] = {0};
	struct pm_view input = pm_view(data, size);

	FUZZ_CHECK(pm_crypto_init() == PM_OK);
	parse_identity(input);
	verify(input);
	verify_signature(input);
	FUZZ_CHECK(pm_mesh_keyex_role(data, size, hash) < 0);
	return 0;
}
