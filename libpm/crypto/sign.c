/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/sign.h"

#include <sodium.h>

/* All of the encoding but the key itself (RFC 8410, section 4; RFC 5480, section 2). */
static const uint8_t ed25519_prefix[] = {
	0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
static const uint8_t p384_prefix[] = {0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce,
	0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04};

static bool has_form(struct pm_view spki, struct pm_view prefix, size_t size)
{
	return spki.len == size && pm_view_equal(pm_view(spki.ptr, prefix.len), prefix);
}

static bool is_ed25519(struct pm_view spki)
{
	return has_form(
		spki, pm_view(ed25519_prefix, sizeof(ed25519_prefix)), PM_SIGN_SPKI_ED25519);
}

static bool is_p384(struct pm_view spki)
{
	return has_form(spki, pm_view(p384_prefix, sizeof(p384_prefix)), PM_SIGN_SPKI_P384);
}

static const uint8_t *ed25519_key(struct pm_view spki)
{
	return spki.ptr + sizeof(ed25519_prefix);
}

static int check_p384(struct pm_view spki)
{
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;

	return pm_pubkey_from_spki(spki, &key);
}

int pm_sign_spki_type(struct pm_view spki, enum pm_sign_type *ret)
{
	enum pm_sign_type type = PM_SIGN_ED25519;
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	if (is_p384(spki)) {
		type = PM_SIGN_P384;
		r = check_p384(spki);
	} else if (!is_ed25519(spki)) {
		return PM_E_UNSUPPORTED;
	} else if (!crypto_core_ed25519_is_valid_point(ed25519_key(spki))) {
		r = PM_E_FORMAT;
	}
	if (r < 0)
		return r;
	*ret = type;
	return PM_OK;
}

static int verify_ed25519(struct pm_view spki, struct pm_view message, struct pm_view signature)
{
	if (signature.len != crypto_sign_BYTES)
		return PM_E_REJECTED;
	if (crypto_sign_verify_detached(signature.ptr, message.ptr, message.len, ed25519_key(spki)))
		return PM_E_REJECTED;
	return PM_OK;
}

static int verify_p384(struct pm_view spki, struct pm_view message, struct pm_view signature)
{
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;
	int r = pm_pubkey_from_spki(spki, &key);

	if (r < 0)
		return r;
	return pm_ecdsa_verify_der(key, PM_SHA384, message, signature);
}

int pm_sign_verify(struct pm_view spki, struct pm_view message, struct pm_view signature)
{
	enum pm_sign_type type;
	int r = pm_sign_spki_type(spki, &type);

	if (r < 0)
		return r;
	if (type == PM_SIGN_P384)
		return verify_p384(spki, message, signature);
	return verify_ed25519(spki, message, signature);
}
