/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of workloads, and what they sign. */
#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "mesh/mesh.h"

#define DOMAIN "libpm mesh signature v1"

_Static_assert(PM_MESH_SPKI_SIZE == PM_P256_SPKI_SIZE, "a public key");
_Static_assert(PM_MESH_SIGNATURE_MAX == PM_P256_SIGNATURE_MAX, "a signature");

int pm_mesh_key_new(struct pm_mesh_key **ret_key)
{
	pm_cleanup(pm_mesh_key) struct pm_mesh_key *key = NULL;
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	key = pm_alloc(sizeof(*key));
	if (!key)
		return PM_E_NOMEM;
	r = pm_p256_new(&key->secret, key->spki);
	if (r < 0)
		return r;
	*ret_key = pm_steal(key);
	return PM_OK;
}

int pm_mesh_key_copy(const struct pm_mesh_key *key, struct pm_mesh_key **ret_key)
{
	pm_cleanup(pm_mesh_key) struct pm_mesh_key *copy = pm_alloc(sizeof(*copy));
	int r;

	if (!copy)
		return PM_E_NOMEM;
	r = pm_secret_copy(&copy->secret, pm_view(key->secret.ptr, key->secret.len));
	if (r < 0)
		return r;
	pm_copy(copy->spki, key->spki, sizeof(copy->spki));
	*ret_key = pm_steal(copy);
	return PM_OK;
}

void pm_mesh_key_free(struct pm_mesh_key *key)
{
	if (key)
		pm_secret_free(&key->secret);
	free(key);
}

const uint8_t *pm_mesh_key_spki(const struct pm_mesh_key *key, size_t *ret_len)
{
	if (ret_len)
		*ret_len = sizeof(key->spki);
	return key->spki;
}

int pm_mesh_key_pem(const struct pm_mesh_key *key, char *ret_pem)
{
	pm_cleanup(secret) struct pm_secret der = {0};
	int r = pm_secret_new(&der, PM_P256_DER_MAX);

	if (r < 0)
		return r;
	pm_p256_pkcs8(&key->secret, key->spki, der.ptr);
	return pm_pem_write(
		pm_view(der.ptr, der.len), "PRIVATE KEY", ret_pem, PM_MESH_KEY_PEM_SIZE);
}

int pm_mesh_claims_purpose(const struct pm_claims *claims, enum pm_mesh_purpose *ret_purpose)
{
	struct pm_view spki = pm_view(claims->key, claims->key_len);
	uint8_t digest[PM_SHA256_SIZE];
	int r = pm_crypto_init();

	if (r == PM_OK && claims->key_kind != PM_CLAIMS_SPKI)
		r = PM_E_UNSUPPORTED;
	if (r == PM_OK)
		r = pm_p256_check_spki(spki);
	if (r == PM_OK)
		r = pm_hash(PM_SHA256, spki, digest);
	if (r < 0)
		return r == PM_E_FORMAT ? PM_E_UNSUPPORTED : r;
	*ret_purpose =
		claims->has_tls && pm_ct_equal(claims->tls_spki_sha256, digest, sizeof(digest))
			? PM_MESH_TLS
			: PM_MESH_SIGN;
	return PM_OK;
}

/* --- signatures ------------------------------------------------------------------------------ */

static int check_label(const char *label)
{
	size_t len = strnlen(label, PM_MESH_LABEL_MAX + 1);

	for (size_t i = 0; i < len; i++) {
		if (label[i] < ' ' || label[i] > '~')
			return PM_E_ARG;
	}
	return len && len <= PM_MESH_LABEL_MAX ? PM_OK : PM_E_ARG;
}

/* The parts of what is signed: each label with its zero byte, and the message. */
#define PARTS 3

static void set_parts(struct pm_view *parts, const char *label, struct pm_view message)
{
	parts[0] = pm_view(DOMAIN, sizeof(DOMAIN));
	parts[1] = pm_view(label, strlen(label) + 1);
	parts[2] = message;
}

int pm_mesh_sign(const struct pm_mesh_key *key, const char *label, const void *message, size_t len,
	uint8_t *ret_signature, size_t *ret_len)
{
	struct pm_view parts[PARTS];
	uint8_t digest[PM_SHA256_SIZE];
	int r = check_label(label);

	if (r == PM_OK)
		r = pm_crypto_init();
	if (r < 0)
		return r;
	set_parts(parts, label, pm_view(message, len));
	r = pm_hash_parts(PM_SHA256, parts, PARTS, digest);
	return r < 0 ? r : pm_p256_sign_digest(&key->secret, digest, ret_signature, ret_len);
}

/*
 * Key exchanges sign two public keys without a label, and the asker chose the first. None is a
 * message of ours: no X-Wing key begins with DOMAIN, as the "m" of "libpm" makes a coefficient of
 * its ML-KEM part that is out of range (FIPS 203, 7.2).
 */
int pm_mesh_key_sign_digest(
	const uint8_t *digest, uint8_t *ret_signature, size_t *ret_len, void *key)
{
	const struct pm_mesh_key *k = key;

	return pm_p256_sign_digest(&k->secret, digest, ret_signature, ret_len);
}

/* In one piece, as verifiers hash it themselves. */
static int join(const char *label, struct pm_view message, uint8_t **ret, size_t *ret_len)
{
	size_t room = sizeof(DOMAIN) + PM_MESH_LABEL_MAX + 1 + message.len;
	uint8_t *bytes = room > message.len ? pm_alloc(room) : NULL;
	struct pm_wr wr = pm_wr(bytes, room);
	struct pm_view parts[PARTS];

	if (!bytes)
		return PM_E_NOMEM;
	set_parts(parts, label, message);
	for (size_t i = 0; i < PARTS; i++)
		pm_wr_bytes(&wr, parts[i]);
	*ret = bytes;
	*ret_len = wr.len;
	return PM_OK;
}

static int check_signature(const struct pm_cert *cert, const char *label, struct pm_view message,
	struct pm_view signature, struct pm_report *report)
{
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;
	pm_cleanup(free) uint8_t *bytes = NULL;
	size_t len = 0;
	int r = pm_cert_pubkey(cert, &key);

	if (r == PM_OK)
		r = join(label, message, &bytes, &len);
	if (r < 0)
		return r;
	r = pm_ecdsa_verify_der(key, PM_SHA256, pm_view(bytes, len), signature);
	if (r == PM_E_REJECTED)
		return pm_fail(report, r, "mesh.signature", "of the certificate's key", "another");
	if (r == PM_OK)
		pm_pass(report, "mesh.signature", "%s", label);
	return r;
}

int pm_mesh_verify_signature(const void *cert, size_t cert_len, const char *label,
	const void *message, size_t len, const void *signature, size_t signature_len,
	struct pm_report *report)
{
	pm_cleanup(chain) struct pm_mesh_chain chain = {0};
	struct pm_mesh_identity who;
	int r = check_label(label);

	if (r == PM_OK)
		r = pm_mesh_chain_parse(pm_view(cert, cert_len), report, &chain);
	if (r == PM_OK)
		r = pm_mesh_read_leaf(chain.leaf, report, &who);
	if (r < 0)
		return r;
	if (who.purpose != PM_MESH_SIGN)
		return pm_fail(report, PM_E_REJECTED, "mesh.purpose", "signing", "TLS");
	return check_signature(chain.leaf, label, pm_view(message, len),
		pm_view(signature, signature_len), report);
}
