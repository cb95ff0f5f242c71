/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shard key: a character for each block of the content, that depends on all before it. The
 * algorithm is Privatemode's (internal/oss/mutators/mutators.go), which counts tokens of 4 bytes.
 */
#include <stdlib.h>
#include <string.h>

#include <pm/rules.h>
#include <pm/text.h>

#include "base/mem.h"
#include "crypto/crypto.h"

#define TOKEN 4

/* Where blocks grow, and to how many bytes; the first entry's is the smallest. */
static const struct {
	size_t from, block;
} grain[] = {{0, 16 * TOKEN}, {1024 * TOKEN, 128 * TOKEN}, {100096 * TOKEN, 512 * TOKEN}};

#define BLOCK_MAX   (512 * TOKEN)
#define SALT_DIGITS 16

struct pm_shard {
	uint8_t hash[PM_SHA256_SIZE];
	uint8_t block[BLOCK_MAX]; /* what has come of the current block */
	size_t filled;		  /* bytes of it */
	size_t total;		  /* bytes of content */
	size_t key_len;
	char key[PM_SHARD_KEY_SIZE];
};

PM_OWNER(pm_shard, pm_shard_free);

int pm_shard_new(const char *salt, size_t salt_len, struct pm_shard **ret_shard)
{
	pm_cleanup(pm_shard) struct pm_shard *shard = NULL;
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	shard = pm_alloc(sizeof(*shard));
	if (!shard)
		return PM_E_NOMEM;
	r = pm_hash(PM_SHA256, pm_view(salt, salt_len), shard->hash);
	if (r < 0)
		return r;
	pm_hex_encode(shard->hash, SALT_DIGITS / 2, shard->key);
	shard->key_len = SALT_DIGITS;
	*ret_shard = pm_steal(shard);
	return PM_OK;
}

void pm_shard_free(struct pm_shard *shard)
{
	if (shard)
		pm_wipe(shard, sizeof(*shard));
	free(shard);
}

/* Size of the block that begins at that byte of the content. */
static size_t block_size(size_t at)
{
	size_t i = PM_ARRAY_LEN(grain) - 1;

	while (at < grain[i].from)
		i--;
	return grain[i].block;
}

static int end_block(struct pm_shard *shard)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct pm_view parts[] = {
		pm_view(shard->hash, sizeof(shard->hash)), pm_view(shard->block, shard->filled)};
	uint8_t hash[PM_SHA256_SIZE];
	int r = pm_hash_parts(PM_SHA256, parts, PM_ARRAY_LEN(parts), hash);

	if (r < 0)
		return r;
	if (shard->key_len == SALT_DIGITS)
		shard->key[shard->key_len++] = '-';
	if (shard->key_len + 1 >= sizeof(shard->key))
		return PM_E_LIMIT;
	shard->key[shard->key_len++] = alphabet[hash[PM_SHA256_SIZE - 1] & 63];
	pm_copy(shard->hash, hash, sizeof(hash));
	shard->filled = 0;
	return PM_OK;
}

int pm_shard_add(struct pm_shard *shard, const void *content, size_t len)
{
	const uint8_t *from = content;

	if (len > PM_SHARD_CONTENT_MAX - shard->total)
		return PM_E_LIMIT;
	while (len) {
		size_t block = block_size(shard->total - shard->filled);
		size_t n = len < block - shard->filled ? len : block - shard->filled;
		int r;

		pm_copy(shard->block + shard->filled, from, n);
		shard->filled += n;
		shard->total += n;
		from += n;
		len -= n;
		r = shard->filled == block ? end_block(shard) : PM_OK;
		if (r < 0)
			return r;
	}
	return PM_OK;
}

const char *pm_shard_key(const struct pm_shard *shard)
{
	return shard->key;
}
