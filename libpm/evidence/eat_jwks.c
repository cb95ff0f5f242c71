/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of an attestation service: JWK sets (RFC 7517) with elliptic curve keys of P-384. */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "evidence/eat.h"

#define NAME	   "JWKS"
#define COORDINATE 48

/* A SubjectPublicKeyInfo of P-384 up to the coordinates of an uncompressed point. */
static const uint8_t spki_head[] = {0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce,
	0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04};

#define SPKI_SIZE (sizeof(spki_head) + 2 * COORDINATE)

struct key {
	char kid[PM_EAT_TEXT_SIZE];
	uint8_t spki_sha256[PM_SHA256_SIZE];
	struct pm_pubkey *key;
};

struct pm_jwks {
	struct key keys[PM_JWKS_KEYS_MAX];
	size_t count;
};

void pm_jwks_free(struct pm_jwks *jwks)
{
	for (size_t i = 0; jwks && i < jwks->count; i++)
		pm_pubkey_free(jwks->keys[i].key);
	free(jwks);
}

const struct pm_pubkey *pm_jwks_find(
	const struct pm_jwks *jwks, const char *kid, const uint8_t **ret_spki_sha256)
{
	for (size_t i = 0; i < jwks->count; i++) {
		if (strcmp(jwks->keys[i].kid, kid) != 0)
			continue;
		*ret_spki_sha256 = jwks->keys[i].spki_sha256;
		return jwks->keys[i].key;
	}
	return NULL;
}

/* A member that may be left out, and otherwise is this text. */
static bool is_or_absent(const json_t *jwk, const char *member, const char *text)
{
	const char *found = pm_eat_text(jwk, member);

	return !json_object_get(jwk, member) || (found && strcmp(found, text) == 0);
}

/* Keys for other things are none of our business, nor those that no token can name. */
static bool is_ours(const json_t *jwk)
{
	const char *kty = pm_eat_text(jwk, "kty"), *crv = pm_eat_text(jwk, "crv");

	return json_object_get(jwk, "kid") && kty && strcmp(kty, "EC") == 0 && crv &&
	       strcmp(crv, "P-384") == 0 && is_or_absent(jwk, "use", "sig") &&
	       is_or_absent(jwk, "alg", "ES384");
}

static bool read_coordinate(const json_t *jwk, const char *member, uint8_t *ret)
{
	const char *text = pm_eat_text(jwk, member);
	size_t len = 0;

	return text &&
	       pm_base64url_decode(pm_view(text, strlen(text)), ret, COORDINATE, &len) == PM_OK &&
	       len == COORDINATE;
}

static int read_key(const json_t *jwk, struct pm_report *report, struct key *ret)
{
	uint8_t spki[SPKI_SIZE];
	int r;

	pm_copy(spki, spki_head, sizeof(spki_head));
	if (json_object_get(jwk, "d"))
		return pm_fail(report, PM_E_FORMAT, NAME, "public keys", "a private one");
	if (!pm_eat_copy_text(pm_eat_text(jwk, "kid"), ret->kid))
		return pm_fail(
			report, PM_E_FORMAT, NAME, "kid of each key", "a key without a name");
	if (!read_coordinate(jwk, "x", spki + sizeof(spki_head)) ||
		!read_coordinate(jwk, "y", spki + sizeof(spki_head) + COORDINATE))
		return pm_fail(report, PM_E_FORMAT, NAME, "x and y of 48 bytes in base64url",
			"another, kid %s", ret->kid);
	r = pm_hash(PM_SHA256, pm_view(spki, sizeof(spki)), ret->spki_sha256);
	if (r < 0)
		return r;
	r = pm_pubkey_from_spki(pm_view(spki, sizeof(spki)), &ret->key);
	if (r == PM_E_FORMAT)
		return pm_fail(report, r, NAME, "a point of P-384", "another, kid %s", ret->kid);
	return r;
}

static int add_key(const json_t *jwk, struct pm_report *report, struct pm_jwks *jwks)
{
	struct key *key = &jwks->keys[jwks->count];
	const uint8_t *digest;
	int r;

	if (!json_is_object(jwk))
		return pm_fail(report, PM_E_FORMAT, NAME, "keys that are objects", "another value");
	if (!is_ours(jwk))
		return PM_OK;
	r = read_key(jwk, report, key);
	if (r < 0)
		return r;
	if (!pm_jwks_find(jwks, key->kid, &digest)) {
		jwks->count++;
		return PM_OK;
	}
	pm_pubkey_free(key->key);
	if (pm_ct_equal(digest, key->spki_sha256, sizeof(key->spki_sha256)))
		return PM_OK; /* the same again */
	return pm_fail(report, PM_E_FORMAT, NAME, "one key for each kid", "two for %s", key->kid);
}

static int add_keys(const json_t *root, struct pm_report *report, struct pm_jwks *jwks)
{
	const json_t *keys = json_object_get(root, "keys");
	size_t n = json_array_size(keys);
	int r = PM_OK;

	if (!json_is_array(keys))
		return pm_fail(
			report, PM_E_FORMAT, NAME, "an object with an array of keys", "another");
	if (n > PM_JWKS_KEYS_MAX)
		return pm_fail(report, PM_E_LIMIT, NAME, "at most 64 keys", "%zu", n);
	for (size_t i = 0; r == PM_OK && i < n; i++)
		r = add_key(json_array_get(keys, i), report, jwks);
	if (r == PM_OK && !jwks->count)
		return pm_fail(report, PM_E_MISSING, NAME, "a key of P-384 for ES384", "none");
	return r;
}

int pm_jwks_parse(
	const void *json, size_t size, struct pm_report *report, struct pm_jwks **ret_jwks)
{
	pm_cleanup(pm_jwks) struct pm_jwks *jwks = NULL;
	pm_owned_json json_t *root = NULL;
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	if (size > PM_JWKS_SIZE_MAX)
		return pm_fail(report, PM_E_LIMIT, NAME, "at most 131072 bytes", "%zu", size);
	r = pm_eat_json(NAME, pm_view(json, size), report, &root);
	if (r < 0)
		return r;
	jwks = pm_alloc(sizeof(*jwks));
	if (!jwks)
		return PM_E_NOMEM;
	r = add_keys(root, report, jwks);
	if (r < 0)
		return r;
	*ret_jwks = pm_steal(jwks);
	return PM_OK;
}
