/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/sha256.h"

#include <sodium.h>

void pm_sha256_parts(const struct pm_view *parts, size_t count, uint8_t *ret)
{
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	for (size_t i = 0; i < count; i++)
		if (parts[i].len)
			crypto_hash_sha256_update(&state, parts[i].ptr, parts[i].len);
	crypto_hash_sha256_final(&state, ret);
	pm_wipe(&state, sizeof(state));
}
