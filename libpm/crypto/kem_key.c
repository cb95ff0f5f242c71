/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/kem_key.h"

#include "base/wr.h"
#include "crypto/der.h"
#include "crypto/x509.h"

/* An AlgorithmIdentifier's content: 1.3.6.1.4.1.62253.25722, and no parameters. */
#define ALGORITHM 0x06, 0x0b, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xe6, 0x2d, 0x81, 0xc8, 0x7a

static const uint8_t algorithm_bytes[] = {ALGORITHM};

/* All of the encodings but the key itself. */
static const uint8_t spki_head[] = {
	0x30, 0x82, 0x04, 0xd4, 0x30, 0x0d, ALGORITHM, 0x03, 0x82, 0x04, 0xc1, 0x00};
static const uint8_t pkcs8_head[] = {
	0x30, 0x34, 0x02, 0x01, 0x00, 0x30, 0x0d, ALGORITHM, 0x04, 0x20};

_Static_assert(PM_KEM_SPKI_SIZE == sizeof(spki_head) + PM_KEM_PUBLIC_SIZE, "SubjectPublicKeyInfo");

static bool is_xwing(struct pm_view algorithm)
{
	return pm_view_equal(algorithm, pm_view(algorithm_bytes, sizeof(algorithm_bytes)));
}

/* --- public keys ----------------------------------------------------------------------------- */

int pm_kem_check_public(const uint8_t *public)
{
	pm_cleanup(brief) struct pm_brief shared = {0};
	uint8_t ciphertext[PM_KEM_CIPHERTEXT_SIZE];
	int r = pm_kem_encapsulate(public, ciphertext, &shared);

	return r == PM_E_REJECTED ? PM_E_FORMAT : r;
}

void pm_kem_spki(const uint8_t *public, uint8_t *ret_spki)
{
	pm_copy(ret_spki, spki_head, sizeof(spki_head));
	pm_copy(ret_spki + sizeof(spki_head), public, PM_KEM_PUBLIC_SIZE);
}

static int read_spki(struct pm_view der, struct pm_view *ret)
{
	struct pm_view body, algorithm;

	if (!pm_der_only(der, PM_DER_SEQUENCE, &body) ||
		!pm_der_get(&body, PM_DER_SEQUENCE, &algorithm))
		return PM_E_FORMAT;
	if (!is_xwing(algorithm))
		return PM_E_UNSUPPORTED;
	return pm_der_bits(body, ret) ? PM_OK : PM_E_FORMAT;
}

struct found {
	uint8_t *public;
	size_t count;
};

static int take_public(struct pm_view public, struct found *found)
{
	int r = public.len == PM_KEM_PUBLIC_SIZE ? pm_kem_check_public(public.ptr) : PM_E_FORMAT;

	if (r < 0)
		return r;
	pm_copy(found->public, public.ptr, public.len);
	found->count++;
	return PM_OK;
}

static int take_spki(struct pm_view der, void *arg)
{
	struct pm_view public;
	int r = read_spki(der, &public);

	return r < 0 ? r : take_public(public, arg);
}

int pm_kem_public_read(struct pm_view input, uint8_t *ret_public)
{
	uint8_t public[PM_KEM_PUBLIC_SIZE];
	struct found found = {.public = public};
	int r;

	if (input.len == PM_KEM_PUBLIC_SIZE)
		r = take_public(input, &found);
	else if (pm_pem_is(input))
		r = pm_pem_each(input, "PUBLIC KEY", take_spki, &found);
	else
		r = take_spki(input, &found);
	if (r < 0)
		return r;
	if (found.count != 1)
		return PM_E_FORMAT;
	pm_copy(ret_public, public, sizeof(public));
	return PM_OK;
}

int pm_kem_public_write(const uint8_t *public, char *ret_pem, size_t room)
{
	uint8_t spki[PM_KEM_SPKI_SIZE];

	pm_kem_spki(public, spki);
	return pm_pem_write(pm_view(spki, sizeof(spki)), "PUBLIC KEY", ret_pem, room);
}

/* --- private keys ---------------------------------------------------------------------------- */

/* OneAsymmetricKey, version 1: the public key follows from the seed. */
static int take_pkcs8(struct pm_view der, void *arg)
{
	static const uint8_t version_1 = 0;
	struct pm_view body, version, algorithm, seed;

	if (!pm_der_only(der, PM_DER_SEQUENCE, &body) ||
		!pm_der_get(&body, PM_DER_INTEGER, &version) ||
		!pm_view_equal(version, pm_view(&version_1, 1)) ||
		!pm_der_get(&body, PM_DER_SEQUENCE, &algorithm))
		return PM_E_FORMAT;
	if (!is_xwing(algorithm))
		return PM_E_UNSUPPORTED;
	if (!pm_der_only(body, PM_DER_OCTET_STRING, &seed) || seed.len != PM_KEM_SEED_SIZE)
		return PM_E_FORMAT;
	return pm_secret_copy(arg, seed);
}

int pm_kem_seed_read(struct pm_view pem, struct pm_secret *ret_seed)
{
	return pm_pem_private(pem, take_pkcs8, ret_seed);
}

int pm_kem_seed_write(const struct pm_secret *seed, char *ret_pem, size_t room)
{
	pm_cleanup(secret) struct pm_secret der = {0};
	int r = pm_secret_new(&der, sizeof(pkcs8_head) + PM_KEM_SEED_SIZE);
	struct pm_wr wr;

	if (r < 0)
		return r;
	wr = pm_wr(der.ptr, der.len);
	pm_wr_bytes(&wr, pm_view(pkcs8_head, sizeof(pkcs8_head)));
	pm_wr_bytes(&wr, pm_view(seed->ptr, seed->len));
	if (!pm_wr_done(&wr, NULL))
		return PM_E_ARG;
	return pm_pem_write(pm_view(der.ptr, der.len), "PRIVATE KEY", ret_pem, room);
}
