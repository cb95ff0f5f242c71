/* SPDX-License-Identifier: Apache-2.0 */
/* Boxes, and the keys that open them. */
#include "envelope/box.h"

#include <stdlib.h>
#include <string.h>

#include "base/rd.h"
#include "base/report.h"
#include "base/wr.h"
#include "crypto/lock.h"
#include "envelope/hpke.h"

#define INFO	 "libpm box v1"
#define EXPORTED "key and nonce"

#define INFO_MAX (sizeof(INFO) + PM_BOX_LABEL_MAX)

_Static_assert(INFO_MAX <= PM_HPKE_INFO_MAX, "room for a label");
_Static_assert(PM_BOX_PUBLIC_SIZE == PM_KEM_PUBLIC_SIZE, "public key");
_Static_assert(PM_BOX_OVERHEAD == PM_KEM_CIPHERTEXT_SIZE + PM_AEAD_TAG_SIZE, "overhead");
_Static_assert(PM_BOX_ID_SIZE == PM_SHA256_SIZE, "identifier");

struct pm_box_key {
	struct pm_secret seed;
	uint8_t public[PM_KEM_PUBLIC_SIZE];
};

/* --- keys ------------------------------------------------------------------------------------ */

int pm_box_key_from_seed(struct pm_secret *seed, struct pm_box_key **ret)
{
	pm_cleanup(pm_box_key) struct pm_box_key *key = pm_alloc(sizeof(*key));
	int r;

	if (!key) {
		pm_secret_free(seed);
		return PM_E_NOMEM;
	}
	key->seed = *seed;
	*seed = (struct pm_secret){0};
	r = pm_kem_public(&key->seed, key->public);
	if (r < 0)
		return r;
	*ret = pm_steal(key);
	return PM_OK;
}

int pm_box_key_new(struct pm_box_key **ret_key)
{
	struct pm_secret seed = {0};
	int r = pm_kem_new(&seed);

	return r < 0 ? r : pm_box_key_from_seed(&seed, ret_key);
}

void pm_box_key_free(struct pm_box_key *key)
{
	if (key)
		pm_secret_free(&key->seed);
	free(key);
}

const uint8_t *pm_box_key_public(const struct pm_box_key *key)
{
	return key->public;
}

static int check_file(size_t size, const char *name, struct pm_report *report)
{
	if (size > PM_BOX_FILE_MAX)
		return pm_fail(report, PM_E_LIMIT, name, "at most 16384 bytes", "%zu", size);
	return pm_crypto_init();
}

/* Notes what is wrong with a key file, when it is the file that is wrong. */
static int complain(int error, const char *name, const char *expected, struct pm_report *report)
{
	if (error == PM_E_UNSUPPORTED)
		return pm_fail(report, error, name, "X-Wing", "another kind");
	if (error == PM_E_FORMAT)
		return pm_fail(report, error, name, expected, "something else");
	return error;
}

int pm_box_key_parse(
	const void *bytes, size_t size, struct pm_report *report, struct pm_box_key **ret_key)
{
	struct pm_secret seed = {0};
	int r = check_file(size, "private key", report);

	if (r < 0)
		return r;
	r = pm_kem_seed_read(pm_view(bytes, size), &seed);
	if (r < 0)
		return complain(r, "private key", "PKCS#8 as PEM, not encrypted", report);
	return pm_box_key_from_seed(&seed, ret_key);
}

int pm_box_key_pem(const struct pm_box_key *key, char *ret_pem)
{
	return pm_kem_seed_write(&key->seed, ret_pem, PM_BOX_PEM_SIZE);
}

int pm_box_public_parse(
	const void *bytes, size_t size, struct pm_report *report, uint8_t *ret_public)
{
	int r = check_file(size, "public key", report);

	if (r < 0)
		return r;
	r = pm_kem_public_read(pm_view(bytes, size), ret_public);
	return complain(r, "public key", "one X-Wing key, PEM, DER or bare", report);
}

int pm_box_public_pem(const uint8_t *public_key, char *ret_pem)
{
	return pm_kem_public_write(public_key, ret_pem, PM_BOX_PUBLIC_PEM_SIZE);
}

int pm_box_public_id(const uint8_t *public_key, uint8_t *ret_id)
{
	uint8_t spki[PM_KEM_SPKI_SIZE];
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	pm_kem_spki(public_key, spki);
	return pm_hash(PM_SHA256, pm_view(spki, sizeof(spki)), ret_id);
}

/* --- boxes ----------------------------------------------------------------------------------- */

static int make_lock(const struct pm_brief *shared, const char *label, struct pm_lock *lock)
{
	uint8_t info[INFO_MAX];
	struct pm_wr wr = pm_wr(info, sizeof(info));
	int r;

	pm_wr_bytes(&wr, pm_view(INFO, sizeof(INFO)));
	pm_wr_bytes(&wr, pm_view(label, strlen(label)));
	if (wr.failed)
		return PM_E_ARG;
	r = pm_hpke_export(shared->bytes, pm_view(info, wr.len),
		pm_view(EXPORTED, sizeof(EXPORTED) - 1), lock->derived.bytes, PM_LOCK_SIZE);
	return r < 0 ? r : pm_lock_init(lock);
}

static int check_limits(const char *label, size_t aad_len, size_t len)
{
	size_t label_len = strnlen(label, PM_BOX_LABEL_MAX + 1);

	if (!label_len || label_len > PM_BOX_LABEL_MAX)
		return PM_E_ARG;
	return aad_len > PM_BOX_AAD_MAX || len > PM_BOX_PLAIN_MAX ? PM_E_LIMIT : PM_OK;
}

int pm_box_seal(const uint8_t *public_key, const char *label, const void *aad, size_t aad_len,
	const void *plain, size_t len, uint8_t *ret_box)
{
	pm_cleanup(brief) struct pm_brief shared = {0};
	pm_cleanup(lock) struct pm_lock lock = {0};
	int r = check_limits(label, aad_len, len);

	if (r < 0)
		return r;
	r = pm_kem_encapsulate(public_key, ret_box, &shared);
	if (r < 0)
		return r;
	r = make_lock(&shared, label, &lock);
	if (r < 0)
		return r;
	return pm_lock_seal(&lock, pm_view(aad, aad_len), pm_view(plain, len),
		ret_box + PM_KEM_CIPHERTEXT_SIZE);
}

int pm_box_open(const struct pm_box_key *key, const char *label, const void *aad, size_t aad_len,
	const void *box, size_t box_len, uint8_t *ret_plain)
{
	pm_cleanup(brief) struct pm_brief shared = {0};
	pm_cleanup(lock) struct pm_lock lock = {0};
	struct pm_rd rd = pm_rd(pm_view(box, box_len));
	struct pm_view encapsulated = pm_rd_bytes(&rd, PM_KEM_CIPHERTEXT_SIZE);
	struct pm_view sealed = pm_rd_rest(&rd);
	int r;

	if (!pm_rd_done(&rd) || sealed.len < PM_AEAD_TAG_SIZE)
		return PM_E_FORMAT;
	r = check_limits(label, aad_len, sealed.len - PM_AEAD_TAG_SIZE);
	if (r < 0)
		return r;
	r = pm_kem_decapsulate(&key->seed, encapsulated.ptr, &shared);
	if (r < 0)
		return r;
	r = make_lock(&shared, label, &lock);
	if (r < 0)
		return r;
	return pm_lock_open(&lock, pm_view(aad, aad_len), sealed, ret_plain);
}
