/* SPDX-License-Identifier: Apache-2.0 */
/* What binds the box of an answer to a join, on both ends. */
#include <pm/join.h>

#include "crypto/crypto.h"

_Static_assert(PM_JOIN_BOX_AAD_SIZE == PM_BUNDLE_NONCE_SIZE + PM_SHA256_SIZE, "a nonce and a hash");

int pm_join_box_aad(const uint8_t *nonce, const void *mesh_ca, size_t len, uint8_t *ret_aad)
{
	uint8_t digest[PM_SHA256_SIZE];
	int r = pm_crypto_init();

	if (r == PM_OK)
		r = pm_hash(PM_SHA256, pm_view(mesh_ca, len), digest);
	if (r < 0)
		return r;
	pm_copy(ret_aad, nonce, PM_BUNDLE_NONCE_SIZE);
	pm_copy(ret_aad + PM_BUNDLE_NONCE_SIZE, digest, sizeof(digest));
	return PM_OK;
}
