/* SPDX-License-Identifier: Apache-2.0 */
/* nettle uses the processor's instructions for SHA-256, which mbedTLS and libsodium don't. */
#include "crypto/sha256.h"

#include <nettle/sha2.h>

void pm_sha256_parts(const struct pm_view *parts, size_t count, uint8_t *ret)
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	for (size_t i = 0; i < count; i++)
		if (parts[i].len)
			sha256_update(&ctx, parts[i].len, parts[i].ptr);
	sha256_digest(&ctx, SHA256_DIGEST_SIZE, ret);
	pm_wipe(&ctx, sizeof(ctx));
}
