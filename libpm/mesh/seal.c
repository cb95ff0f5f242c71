/* SPDX-License-Identifier: Apache-2.0 */
/* Values for a store that nobody trusts. */
#include "mesh/seal.h"

#include <stdlib.h>
#include <string.h>

#include "base/rd.h"
#include "base/wr.h"
#include "crypto/lock.h"

#define VERSION 1

#define SALT_LABEL  "libpm seal v1"
#define ROOT_LABEL  "libpm seal root v1"
#define VALUE_LABEL "libpm seal value v1"

#define HEAD_SIZE     (1 + 4 + PM_SEAL_SALT_SIZE)
#define ROOT_INFO_MAX (sizeof(ROOT_LABEL) + PM_SEAL_LABEL_MAX + 1 + 4)

_Static_assert(PM_SEAL_OVERHEAD == HEAD_SIZE + PM_AEAD_TAG_SIZE, "overhead");

struct pm_seal_key {
	struct pm_secret root;
	uint32_t epoch;
};

/* --- the key --------------------------------------------------------------------------------- */

static int derive_root(const uint8_t *secret, const char *label, uint32_t epoch, uint8_t *ret_root)
{
	pm_cleanup(secret) struct pm_secret prk = {0};
	uint8_t info[ROOT_INFO_MAX];
	struct pm_wr wr = pm_wr(info, sizeof(info));
	int r = pm_hkdf_extract(PM_SHA256, pm_view(SALT_LABEL, sizeof(SALT_LABEL) - 1),
		pm_view(secret, PM_SEAL_SECRET_SIZE), &prk);

	if (r < 0)
		return r;
	pm_wr_bytes(&wr, pm_view(ROOT_LABEL, sizeof(ROOT_LABEL)));
	pm_wr_bytes(&wr, pm_view(label, strlen(label) + 1));
	pm_wr_be32(&wr, epoch);
	if (wr.failed)
		return PM_E_ARG;
	return pm_hkdf_expand_to(PM_SHA256, pm_view(prk.ptr, prk.len), pm_view(info, wr.len),
		ret_root, PM_SHA256_SIZE);
}

int pm_seal_key_new(
	const uint8_t *secret, const char *label, uint32_t epoch, struct pm_seal_key **ret_key)
{
	pm_cleanup(pm_seal_key) struct pm_seal_key *key = NULL;
	size_t label_len = strnlen(label, PM_SEAL_LABEL_MAX + 1);
	int r = pm_crypto_init();

	if (!label_len || label_len > PM_SEAL_LABEL_MAX)
		return PM_E_ARG;
	if (r < 0)
		return r;
	key = pm_alloc(sizeof(*key));
	if (!key)
		return PM_E_NOMEM;
	key->epoch = epoch;
	r = pm_secret_new(&key->root, PM_SHA256_SIZE);
	if (r == PM_OK)
		r = derive_root(secret, label, epoch, key->root.ptr);
	if (r < 0)
		return r;
	*ret_key = pm_steal(key);
	return PM_OK;
}

void pm_seal_key_free(struct pm_seal_key *key)
{
	if (key)
		pm_secret_free(&key->root);
	free(key);
}

/* --- values ---------------------------------------------------------------------------------- */

static int make_lock(const struct pm_seal_key *key, const uint8_t *salt, struct pm_view context,
	struct pm_lock *lock)
{
	uint8_t info[sizeof(VALUE_LABEL) + PM_SEAL_SALT_SIZE + PM_SHA256_SIZE];
	uint8_t place[PM_SHA256_SIZE];
	struct pm_wr wr = pm_wr(info, sizeof(info));
	int r = pm_hash(PM_SHA256, context, place);

	if (r < 0)
		return r;
	pm_wr_bytes(&wr, pm_view(VALUE_LABEL, sizeof(VALUE_LABEL)));
	pm_wr_bytes(&wr, pm_view(salt, PM_SEAL_SALT_SIZE));
	pm_wr_bytes(&wr, pm_view(place, sizeof(place)));
	if (wr.failed)
		return PM_E_ARG;
	r = pm_hkdf_expand_to(PM_SHA256, pm_view(key->root.ptr, key->root.len),
		pm_view(info, wr.len), lock->derived.bytes, PM_LOCK_SIZE);
	return r < 0 ? r : pm_lock_init(lock);
}

static int check_limits(size_t context_len, size_t len)
{
	return context_len > PM_SEAL_CONTEXT_MAX || len > PM_SEAL_PLAIN_MAX ? PM_E_LIMIT : PM_OK;
}

int pm_seal_with(const struct pm_seal_key *key, const uint8_t *salt, struct pm_view context,
	struct pm_view plain, uint8_t *ret_sealed)
{
	pm_cleanup(lock) struct pm_lock lock = {0};
	struct pm_wr wr = pm_wr(ret_sealed, HEAD_SIZE);
	int r = check_limits(context.len, plain.len);

	if (r < 0)
		return r;
	r = make_lock(key, salt, context, &lock);
	if (r < 0)
		return r;
	pm_wr_u8(&wr, VERSION);
	pm_wr_be32(&wr, key->epoch);
	pm_wr_bytes(&wr, pm_view(salt, PM_SEAL_SALT_SIZE));
	if (wr.failed)
		return PM_E_ARG;
	return pm_lock_seal(&lock, pm_view(ret_sealed, HEAD_SIZE), plain, ret_sealed + HEAD_SIZE);
}

int pm_seal(const struct pm_seal_key *key, const void *context, size_t context_len,
	const void *plain, size_t len, uint8_t *ret_sealed)
{
	uint8_t salt[PM_SEAL_SALT_SIZE];

	pm_random(salt, sizeof(salt));
	return pm_seal_with(
		key, salt, pm_view(context, context_len), pm_view(plain, len), ret_sealed);
}

/* The parts of a sealed value, borrowed. */
struct parts {
	struct pm_view head, salt, sealed;
	uint32_t epoch;
};

static int read_parts(struct pm_view bytes, struct parts *ret)
{
	struct pm_rd rd = pm_rd(bytes), before = rd;
	uint8_t version = pm_rd_u8(&rd);

	ret->epoch = pm_rd_be32(&rd);
	ret->salt = pm_rd_bytes(&rd, PM_SEAL_SALT_SIZE);
	ret->head = pm_rd_since(&rd, &before);
	ret->sealed = pm_rd_rest(&rd);
	if (!pm_rd_done(&rd) || ret->sealed.len < PM_AEAD_TAG_SIZE)
		return PM_E_FORMAT;
	return version == VERSION ? PM_OK : PM_E_UNSUPPORTED;
}

int pm_seal_open(const struct pm_seal_key *key, const void *context, size_t context_len,
	const void *sealed, size_t sealed_len, uint8_t *ret_plain)
{
	pm_cleanup(lock) struct pm_lock lock = {0};
	struct parts parts;
	int r = read_parts(pm_view(sealed, sealed_len), &parts);

	if (r < 0)
		return r;
	r = check_limits(context_len, parts.sealed.len - PM_AEAD_TAG_SIZE);
	if (r < 0)
		return r;
	if (parts.epoch != key->epoch)
		return PM_E_MISSING;
	r = make_lock(key, parts.salt.ptr, pm_view(context, context_len), &lock);
	if (r < 0)
		return r;
	return pm_lock_open(&lock, parts.head, parts.sealed, ret_plain);
}

int pm_seal_epoch(const void *sealed, size_t sealed_len, uint32_t *ret_epoch)
{
	struct parts parts;
	int r = read_parts(pm_view(sealed, sealed_len), &parts);

	if (r == PM_OK)
		*ret_epoch = parts.epoch;
	return r;
}
