/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys of those who sign manifests and history, and what they signed. */
#include "crypto/sign.h"

#include <sodium.h>

#include "base/report.h"
#include "crypto/x509.h"

#define NAME "public key"

#define P384_POINT_SIZE 97

/* All of the encoding but the key itself (RFC 8410, section 4; RFC 5480, section 2). */
static const uint8_t ed25519_prefix[] = {
	0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
static const uint8_t p384_prefix[] = {0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce,
	0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00};

static const struct pm_view ed25519_head = {ed25519_prefix, sizeof(ed25519_prefix)};
static const struct pm_view p384_head = {p384_prefix, sizeof(p384_prefix)};

static bool has_form(struct pm_view spki, struct pm_view head, size_t size)
{
	return spki.len == size && pm_view_equal(pm_view(spki.ptr, head.len), head);
}

static const uint8_t *ed25519_key(const uint8_t *spki)
{
	return spki + sizeof(ed25519_prefix);
}

static int check_ed25519(struct pm_view spki)
{
	return crypto_core_ed25519_is_valid_point(ed25519_key(spki.ptr)) ? PM_OK : PM_E_FORMAT;
}

static int check_p384(struct pm_view spki)
{
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;

	return pm_pubkey_from_spki(spki, &key);
}

int pm_sign_public_from_spki(struct pm_view spki, struct pm_sign_public *ret)
{
	bool is_p384 = has_form(spki, p384_head, PM_SIGN_SPKI_P384);
	struct pm_sign_public key = {.type = PM_SIGN_ED25519, .spki_size = spki.len};
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	if (!is_p384 && !has_form(spki, ed25519_head, PM_SIGN_SPKI_ED25519))
		return PM_E_UNSUPPORTED;
	if (is_p384)
		key.type = PM_SIGN_P384;
	r = is_p384 ? check_p384(spki) : check_ed25519(spki);
	if (r == PM_OK)
		r = pm_hash(PM_SHA256, spki, key.id);
	if (r < 0)
		return r;
	pm_copy(key.spki, spki.ptr, spki.len);
	*ret = key;
	return PM_OK;
}

int pm_sign_public_from_raw(enum pm_sign_type type, const uint8_t *raw, struct pm_sign_public *ret)
{
	struct pm_view head = type == PM_SIGN_P384 ? p384_head : ed25519_head;
	size_t size = type == PM_SIGN_P384 ? P384_POINT_SIZE : crypto_sign_PUBLICKEYBYTES;
	uint8_t spki[PM_SIGN_SPKI_MAX];

	pm_copy(spki, head.ptr, head.len);
	pm_copy(spki + head.len, raw, size);
	return pm_sign_public_from_spki(pm_view(spki, head.len + size), ret);
}

static int verify_p384(struct pm_view spki, struct pm_view message, struct pm_view signature)
{
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;
	int r = pm_pubkey_from_spki(spki, &key);

	if (r < 0)
		return r;
	return pm_ecdsa_verify_der(key, PM_SHA384, message, signature);
}

int pm_sign_verify(
	const struct pm_sign_public *key, struct pm_view message, struct pm_view signature)
{
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	if (key->type == PM_SIGN_P384)
		return verify_p384(pm_view(key->spki, key->spki_size), message, signature);
	if (signature.len != crypto_sign_BYTES)
		return PM_E_REJECTED;
	if (crypto_sign_verify_detached(
		    signature.ptr, message.ptr, message.len, ed25519_key(key->spki)))
		return PM_E_REJECTED;
	return PM_OK;
}

/* --- text ------------------------------------------------------------------------------------ */

struct found {
	struct pm_sign_public key;
	size_t count;
	int error;
};

static int take(struct pm_view der, void *arg)
{
	struct found *found = arg;

	found->count++;
	found->error = pm_sign_public_from_spki(der, &found->key);
	return found->error;
}

int pm_sign_public_parse(
	const void *bytes, size_t size, struct pm_report *report, struct pm_sign_public *ret_public)
{
	struct pm_view input = pm_view(bytes, size);
	struct found found = {0};
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	if (size > PM_SIGN_FILE_MAX)
		return pm_fail(report, PM_E_LIMIT, NAME, "at most 16384 bytes", "%zu", size);
	if (pm_pem_is(input))
		r = pm_pem_each(input, "PUBLIC KEY", take, &found);
	else
		r = take(input, &found);
	if (r == PM_OK && found.count != 1)
		r = PM_E_FORMAT;
	if (r == PM_E_NOMEM || r == PM_E_CRYPTO)
		return r;
	if (r < 0)
		return pm_fail(report, r, NAME, "one Ed25519 or P-384 key, PEM or DER", "%s",
			r == PM_E_UNSUPPORTED ? "another kind" : "something else");
	*ret_public = found.key;
	return PM_OK;
}

int pm_sign_public_pem(const struct pm_sign_public *public_key, char *ret_pem)
{
	return pm_pem_write(pm_view(public_key->spki, public_key->spki_size), "PUBLIC KEY", ret_pem,
		PM_SIGN_PEM_SIZE);
}

const char *pm_sign_type_name(int type)
{
	if (type == PM_SIGN_ED25519)
		return "ed25519";
	return type == PM_SIGN_P384 ? "ecdsa-p384-sha384" : "unknown";
}
