/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/sealed.h"

#include "base/wr.h"

/* Ends with a zero byte, the literal's own. */
static const char label[] = "libpm sealed v1";

#define LENGTH_SIZE 4
#define INFO_SIZE   (sizeof(label) + PM_SHA256_SIZE)

static int hash_context(
	struct pm_view id, struct pm_view model, struct pm_view shard_key, uint8_t *ret)
{
	struct pm_view texts[] = {id, model, shard_key}, parts[2 * PM_ARRAY_LEN(texts)];
	uint8_t lengths[PM_ARRAY_LEN(texts) * LENGTH_SIZE];
	struct pm_wr wr = pm_wr(lengths, sizeof(lengths));

	for (size_t i = 0; i < PM_ARRAY_LEN(texts); i++) {
		parts[2 * i] = pm_view(lengths + wr.len, LENGTH_SIZE);
		parts[2 * i + 1] = texts[i];
		pm_wr_be32(&wr, (uint32_t)texts[i].len);
	}
	return pm_hash_parts(PM_SHA256, parts, PM_ARRAY_LEN(parts), ret);
}

int pm_sealed_secret(const struct pm_secret *secret, struct pm_view id, struct pm_view model,
	struct pm_view shard_key, uint8_t *ret)
{
	uint8_t context[PM_SHA256_SIZE], info[INFO_SIZE];
	struct pm_wr wr = pm_wr(info, sizeof(info));
	int r;

	if (id.len > PM_SEALED_ID_MAX || model.len > PM_SEALED_MODEL_MAX ||
		shard_key.len > PM_SEALED_SHARD_KEY_MAX)
		return PM_E_LIMIT;
	r = hash_context(id, model, shard_key, context);
	if (r < 0)
		return r;
	pm_wr_bytes(&wr, pm_view(label, sizeof(label)));
	pm_wr_bytes(&wr, pm_view(context, sizeof(context)));
	return pm_hkdf_expand_to(PM_SHA256, pm_view(secret->ptr, secret->len),
		pm_view(info, wr.len), ret, PM_SEALED_SECRET_SIZE);
}
