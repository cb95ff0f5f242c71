/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys and signatures made by OpenSSL: all verifiers of the build give the same answers. */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "mint.h"
#include "testing.h"

static const char *const hash_names[] = {"SHA256", "SHA384", "SHA512"};

/* --- signatures: what all backends say ------------------------------------------------------- */

/* Loads the key with each backend and asserts that all give this answer. */
static void check_load(struct pm_view spki, int want)
{
	for (size_t i = 0; pm_sig_backends[i]; i++) {
		pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;
		int r = pm_pubkey_from_spki_with(pm_sig_backends[i], spki, &key);

		ck_assert_msg(r == want, "%s: got %s, want %s",
			pm_sig_backend_name(pm_sig_backends[i]), pm_strerror(r), pm_strerror(want));
		ck_assert((key != NULL) == (r == PM_OK));
	}
}

static void check_load_free(struct pm_view spki, int want)
{
	check_load(spki, want);
	test_free(spki);
}

typedef int (*verify_fn)(
	const struct pm_pubkey *, enum pm_hash_alg, struct pm_view, struct pm_view);

static void check_with(verify_fn verify, struct pm_view spki, enum pm_hash_alg alg,
	struct pm_view message, struct pm_view signature, int want)
{
	for (size_t i = 0; pm_sig_backends[i]; i++) {
		pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;
		int r;

		ck_pm(pm_pubkey_from_spki_with(pm_sig_backends[i], spki, &key), PM_OK);
		r = verify(key, alg, message, signature);
		ck_assert_msg(r == want, "%s: got %s, want %s",
			pm_sig_backend_name(pm_sig_backends[i]), pm_strerror(r), pm_strerror(want));
	}
}

#define check_ecdsa(...) check_with(pm_ecdsa_verify, __VA_ARGS__)
#define check_pss(...)	 check_with(pm_rsa_pss_verify, __VA_ARGS__)

static const struct pm_view message = {(const uint8_t *)"The operator sees ciphertext only.", 34};

/* --- ECDSA ----------------------------------------------------------------------------------- */

static const struct curve {
	const char *name;
	int nid;
	size_t n; /* bytes of a scalar */
	const char *order;
} curves[] = {
	{"P-256", NID_X9_62_prime256v1, 32,
		"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"},
	{"P-384", NID_secp384r1, 48,
		"ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf"
		"581a0db248b0a77aecec196accc52973"},
};

START_TEST(ecdsa_accepts_what_openssl_signs)
{
	EVP_PKEY *key = mint_ec(curves[_i].name);
	struct pm_view spki = mint_spki(key);

	for (int alg = PM_SHA256; alg <= PM_SHA512; alg++) {
		for (int round = 0; round < 8; round++) {
			struct pm_view sig =
				mint_ecdsa(key, hash_names[alg], message, curves[_i].n);

			check_ecdsa(spki, (enum pm_hash_alg)alg, message, sig, PM_OK);
			check_ecdsa(spki, (enum pm_hash_alg)((alg + 1) % 3), message, sig,
				PM_E_REJECTED);
			test_free(sig);
		}
	}
	test_free(spki);
	EVP_PKEY_free(key);
}
END_TEST

START_TEST(ecdsa_refuses_flipped_bits)
{
	EVP_PKEY *key = mint_ec(curves[_i].name), *other = mint_ec(curves[_i].name);
	struct pm_view spki = mint_spki(key), other_spki = mint_spki(other);
	struct pm_view sig = mint_ecdsa(key, "SHA384", message, curves[_i].n);
	uint8_t *s = (uint8_t *)sig.ptr;

	for (size_t i = 0; i < sig.len; i++) {
		s[i] ^= (uint8_t)(1 << i % 8);
		check_ecdsa(spki, PM_SHA384, message, sig, PM_E_REJECTED);
		s[i] ^= (uint8_t)(1 << i % 8);
	}
	check_ecdsa(
		spki, PM_SHA384, VIEW("the operator sees ciphertext only."), sig, PM_E_REJECTED);
	check_ecdsa(spki, PM_SHA384, VIEW(""), sig, PM_E_REJECTED);
	check_ecdsa(other_spki, PM_SHA384, message, sig, PM_E_REJECTED);
	check_ecdsa(spki, PM_SHA384, message, sig, PM_OK);
	test_free(sig);
	test_free(spki);
	test_free(other_spki);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}
END_TEST

/* R and S out of these: 0, n, all ones, as signed, and the other one. */
START_TEST(ecdsa_refuses_scalars_out_of_range)
{
	size_t n = curves[_i].n;
	EVP_PKEY *key = mint_ec(curves[_i].name);
	struct pm_view spki = mint_spki(key), order = test_hex(curves[_i].order);
	struct pm_view sig = mint_ecdsa(key, "SHA384", message, n);
	uint8_t zero[48] = {0}, ones[48], bad[96];
	const uint8_t *parts[] = {zero, order.ptr, ones, sig.ptr, sig.ptr + n};

	memset(ones, 0xff, sizeof(ones));
	for (size_t r = 0; r < PM_ARRAY_LEN(parts); r++) {
		for (size_t s = 0; s < PM_ARRAY_LEN(parts); s++) {
			pm_copy(bad, parts[r], n);
			pm_copy(bad + n, parts[s], n);
			check_ecdsa(spki, PM_SHA384, message, pm_view(bad, 2 * n),
				r == 3 && s == 4 ? PM_OK : PM_E_REJECTED);
		}
	}
	test_free(sig);
	test_free(spki);
	test_free(order);
	EVP_PKEY_free(key);
}
END_TEST

START_TEST(ecdsa_signatures_have_one_size)
{
	size_t n = curves[_i].n;
	EVP_PKEY *key = mint_ec(curves[_i].name);
	struct pm_view spki = mint_spki(key), sig = mint_ecdsa(key, "SHA384", message, n);
	uint8_t padded[98] = {0};

	pm_copy(padded + 1, sig.ptr, n);
	pm_copy(padded + 2 + n, sig.ptr + n, n);
	check_ecdsa(spki, PM_SHA384, message, pm_view(padded, 2 * n + 2), PM_E_REJECTED);
	check_ecdsa(spki, PM_SHA384, message, pm_view(sig.ptr, 2 * n - 1), PM_E_REJECTED);
	check_ecdsa(spki, PM_SHA384, message, pm_view(sig.ptr, n), PM_E_REJECTED);
	check_ecdsa(spki, PM_SHA384, message, pm_view(NULL, 0), PM_E_REJECTED);
	check_pss(spki, PM_SHA384, message, sig, PM_E_ARG);
	test_free(sig);
	test_free(spki);
	EVP_PKEY_free(key);
}
END_TEST

/*
 * A key for which (r, s) = (x, 1) is a valid signature, where x is the small abscissa of the point
 * R: Q = (R - e G) / r. With so small an r, r + n fits into the bytes of a scalar, and x + p into
 * those of a coordinate: to be refused, though it is the same number modulo n, or p.
 */
struct small {
	EC_GROUP *group;
	EC_POINT *point; /* R */
	BIGNUM *x;
	BN_CTX *ctx;
};

static struct small find_small_point(const struct curve *curve)
{
	struct small s = {EC_GROUP_new_by_curve_name(curve->nid), NULL, BN_new(), BN_CTX_new()};

	s.point = EC_POINT_new(s.group);
	BN_set_word(s.x, 2);
	while (EC_POINT_set_compressed_coordinates(s.group, s.point, s.x, 0, s.ctx) != 1)
		BN_add_word(s.x, 1);
	return s;
}

static void small_free(struct small *s)
{
	BN_free(s->x);
	EC_POINT_free(s->point);
	BN_CTX_free(s->ctx);
	EC_GROUP_free(s->group);
}

/* SubjectPublicKeyInfo of an uncompressed point given by its bytes. */
static struct pm_view spki_of_point(const struct curve *curve, struct pm_view point)
{
	const char *alg = curve->n == 32 ? "301306072a8648ce3d020106082a8648ce3d030107"
					 : "301006072a8648ce3d020106052b81040022";
	struct pm_view a = test_hex(alg), bits = mint_wrap(0x03, pm_view("", 1), point);
	struct pm_view spki = mint_wrap(0x30, a, bits);

	test_free(a);
	test_free(bits);
	return spki;
}

static struct pm_view spki_of(const struct curve *curve, const struct small *s, const EC_POINT *q)
{
	uint8_t bytes[97];
	size_t n = EC_POINT_point2oct(
		s->group, q, POINT_CONVERSION_UNCOMPRESSED, bytes, sizeof(bytes), s->ctx);

	return spki_of_point(curve, pm_view(bytes, n));
}

/* Q = r^-1 (R - e G), e from the SHA-256 of the message, which is not longer than the order. */
static struct pm_view small_signer(const struct curve *curve, const struct small *s)
{
	const BIGNUM *order = EC_GROUP_get0_order(s->group);
	uint8_t digest[PM_SHA256_SIZE];
	BIGNUM *inverse = BN_mod_inverse(NULL, s->x, order, s->ctx), *e;
	EC_POINT *q = EC_POINT_new(s->group);
	struct pm_view spki;

	ck_pm(pm_hash(PM_SHA256, message, digest), PM_OK);
	e = BN_bin2bn(digest, sizeof(digest), NULL);
	BN_mod_mul(e, e, inverse, order, s->ctx);
	BN_sub(e, order, e);
	ck_assert_int_eq(EC_POINT_mul(s->group, q, e, s->point, inverse, s->ctx), 1);
	spki = spki_of(curve, s, q);
	EC_POINT_free(q);
	BN_free(inverse);
	BN_free(e);
	return spki;
}

START_TEST(ecdsa_scalars_are_not_reduced)
{
	const struct curve *curve = &curves[_i];
	struct small small = find_small_point(curve);
	struct pm_view spki = small_signer(curve, &small);
	uint8_t sig[96] = {0};
	BIGNUM *more = BN_dup(small.x);

	sig[2 * curve->n - 1] = 1; /* S */
	BN_bn2binpad(small.x, sig, (int)curve->n);
	check_ecdsa(spki, PM_SHA256, message, pm_view(sig, 2 * curve->n), PM_OK);
	BN_add(more, more, EC_GROUP_get0_order(small.group));
	ck_assert_int_eq(BN_bn2binpad(more, sig, (int)curve->n), (int)curve->n);
	check_ecdsa(spki, PM_SHA256, message, pm_view(sig, 2 * curve->n), PM_E_REJECTED);
	BN_bn2binpad(small.x, sig, (int)curve->n);
	BN_copy(more, EC_GROUP_get0_order(small.group));
	BN_add_word(more, 1); /* S = 1 + n */
	BN_bn2binpad(more, sig + curve->n, (int)curve->n);
	check_ecdsa(spki, PM_SHA256, message, pm_view(sig, 2 * curve->n), PM_E_REJECTED);
	BN_free(more);
	test_free(spki);
	small_free(&small);
}
END_TEST

START_TEST(ec_points_are_checked)
{
	const struct curve *curve = &curves[_i];
	struct small small = find_small_point(curve);
	struct pm_view good = spki_of(curve, &small, small.point);
	uint8_t point[97] = {4}, *x = point + 1, *y = point + 1 + curve->n;
	BIGNUM *p = BN_dup(EC_GROUP_get0_field(small.group));
	size_t len = 1 + 2 * curve->n;

	check_load(good, PM_OK);
	pm_copy(point, good.ptr + good.len - len, len);
	y[curve->n - 1] ^= 1;
	check_load_free(spki_of_point(curve, pm_view(point, len)), PM_E_FORMAT); /* off the curve */
	y[curve->n - 1] ^= 1;
	BN_add(p, p, small.x);
	ck_assert_int_eq(BN_bn2binpad(p, x, (int)curve->n), (int)curve->n);
	check_load_free(spki_of_point(curve, pm_view(point, len)), PM_E_FORMAT); /* x + p */
	memset(x, 0, 2 * curve->n);
	check_load_free(spki_of_point(curve, pm_view(point, len)), PM_E_FORMAT); /* (0, 0) */
	check_load_free(spki_of_point(curve, VIEW("\0")), PM_E_FORMAT);		 /* infinity */
	check_load_free(spki_of_point(curve, VIEW("")), PM_E_FORMAT);
	pm_copy(point, good.ptr + good.len - len, len);
	point[0] = 2;
	check_load_free(
		spki_of_point(curve, pm_view(point, 1 + curve->n)), PM_E_FORMAT); /* compressed */
	check_load_free(spki_of_point(curve, pm_view(point, len)), PM_E_FORMAT);
	point[0] = 6;
	check_load_free(spki_of_point(curve, pm_view(point, len)), PM_E_FORMAT); /* hybrid */
	point[0] = 4;
	check_load_free(spki_of_point(curve, pm_view(point, len - 1)), PM_E_FORMAT);
	check_load_free(
		spki_of_point(&curves[!_i], pm_view(point, len)), PM_E_FORMAT); /* other curve */
	BN_free(p);
	test_free(good);
	small_free(&small);
}
END_TEST

/* --- SubjectPublicKeyInfo -------------------------------------------------------------------- */

START_TEST(spki_is_read_strictly)
{
	EVP_PKEY *key = mint_ec("P-384");
	struct pm_view spki = mint_spki(key);
	uint8_t bad[200];

	check_load(spki, PM_OK);
	for (size_t n = 0; n < spki.len; n++)
		check_load(pm_view(spki.ptr, n), PM_E_FORMAT);
	pm_copy(bad, spki.ptr, spki.len);
	bad[spki.len] = 0;
	check_load(pm_view(bad, spki.len + 1), PM_E_FORMAT); /* a byte behind */
	bad[0] = 0x31;
	check_load(pm_view(bad, spki.len), PM_E_FORMAT); /* SET instead of SEQUENCE */
	bad[0] = 0x30;
	ck_assert_uint_eq(bad[spki.len - 98], 0);
	bad[spki.len - 98] = 1; /* unused bits */
	check_load(pm_view(bad, spki.len), PM_E_FORMAT);
	ck_assert_uint_lt(spki.ptr[1], 0x80);
	bad[spki.len - 98] = 0;
	pm_copy(bad, "\x30\x81", 2); /* the length in a longer form than needed */
	pm_copy(bad + 2, spki.ptr + 1, spki.len - 1);
	check_load(pm_view(bad, spki.len + 1), PM_E_FORMAT);
	test_free(spki);
	EVP_PKEY_free(key);
}
END_TEST

START_TEST(other_keys_are_unsupported)
{
	EVP_PKEY *p521 = mint_ec("P-521"), *koblitz = mint_ec("secp256k1");
	EVP_PKEY *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	check_load_free(mint_spki(p521), PM_E_UNSUPPORTED);
	check_load_free(mint_spki(koblitz), PM_E_UNSUPPORTED);
	check_load_free(mint_spki(ed), PM_E_UNSUPPORTED);
	EVP_PKEY_free(p521);
	EVP_PKEY_free(koblitz);
	EVP_PKEY_free(ed);
}
END_TEST

START_TEST(keys_tell_their_kind)
{
	static const struct {
		enum pm_key_type type;
		size_t bits;
	} want[] = {{PM_KEY_P256, 256}, {PM_KEY_P384, 384}, {PM_KEY_RSA, 2048}};

	for (int i = 0; i < 3; i++) {
		EVP_PKEY *key = i == 2 ? mint_rsa(2048) : mint_ec(curves[i].name);
		pm_cleanup(pm_pubkey) struct pm_pubkey *pub = NULL;
		struct pm_view spki = mint_spki(key);

		ck_pm(pm_pubkey_from_spki(spki, &pub), PM_OK);
		ck_assert_int_eq(pm_pubkey_type(pub), want[i].type);
		ck_assert_uint_eq(pm_pubkey_bits(pub), want[i].bits);
		test_free(spki);
		EVP_PKEY_free(key);
	}
	pm_pubkey_free(NULL);
}
END_TEST

/* --- RSA ------------------------------------------------------------------------------------- */

/* A number of so many bits: the first bit, the last byte, and something between. */
static struct pm_view number(uint8_t *buf, size_t bits, uint8_t last)
{
	size_t n = (bits + 7) / 8;

	for (size_t i = 0; i < n; i++)
		buf[i] = (uint8_t)(i * 37 + 11);
	buf[0] = (uint8_t)(1 << (bits + 7) % 8);
	buf[n - 1] = last;
	return pm_view(buf, n);
}

START_TEST(rsa_keys_have_bounds)
{
	static const struct {
		size_t bits;
		uint8_t last;
		const char *exponent;
		int want;
	} rows[] = {
		{2048, 1, "\x01\x01\x01", PM_OK},
		{4096, 1, "\x01\x01\x01", PM_OK},
		{2048, 1, "\x03", PM_OK},
		{2048, 1, "\xff\xff\xff\xff", PM_OK},
		{2048, 0, "\x01\x01\x01", PM_E_FORMAT}, /* even modulus */
		{2048, 1, "\x01", PM_E_FORMAT},		/* exponent 1 */
		{2048, 1, "\x02", PM_E_FORMAT},		/* even exponents */
		{2048, 1, "\x01\x01\x02", PM_E_FORMAT},
		{2048, 1, "\x01\x01\x01\x01\x01", PM_E_FORMAT}, /* more than 32 bits */
		{2048, 1, "", PM_E_FORMAT},			/* exponent 0 */
		{512, 1, "\x01\x01\x01", PM_E_UNSUPPORTED},
		{1024, 1, "\x01\x01\x01", PM_E_UNSUPPORTED},
		{2047, 1, "\x01\x01\x01", PM_E_UNSUPPORTED},
		{2049, 1, "\x01\x01\x01", PM_E_UNSUPPORTED},
		{3071, 1, "\x01\x01\x01", PM_E_UNSUPPORTED},
		{4097, 1, "\x01\x01\x01", PM_E_UNSUPPORTED},
		{4104, 1, "\x01\x01\x01", PM_E_UNSUPPORTED},
		{16384, 1, "\x01\x01\x01", PM_E_UNSUPPORTED},
	};
	uint8_t buf[2048];

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++)
		check_load_free(mint_rsa_spki(number(buf, rows[i].bits, rows[i].last),
					pm_view(rows[i].exponent, strlen(rows[i].exponent))),
			rows[i].want);
}
END_TEST

/* The key of mint_rsa_spki(), whose pieces are given as DER. */
static struct pm_view rsa_spki_of(struct pm_view n, struct pm_view e, struct pm_view more)
{
	static const char alg[] = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
	struct pm_view numbers = mint_join(n, e), key = mint_wrap(0x30, numbers, more);
	struct pm_view bits = mint_wrap(0x03, pm_view("", 1), key);
	struct pm_view spki = mint_wrap(0x30, pm_view(alg, sizeof(alg) - 1), bits);

	test_free(numbers);
	test_free(key);
	test_free(bits);
	return spki;
}

START_TEST(rsa_numbers_are_read_strictly)
{
	uint8_t buf[300] = {0};
	struct pm_view e = mint_integer(VIEW("\x01\x00\x01")), m = number(buf + 2, 2048, 1);
	struct pm_view good = mint_integer(m), negative = mint_wrap(0x02, m, VIEW(""));
	struct pm_view padded = mint_wrap(0x02, pm_view(buf, 258), VIEW(""));
	struct pm_view zero = mint_wrap(0x02, VIEW("\0"), VIEW(""));
	struct pm_view long_e = mint_wrap(0x02, VIEW("\x00\x01\x00\x01"), VIEW(""));

	check_load_free(rsa_spki_of(good, e, VIEW("")), PM_OK);
	check_load_free(rsa_spki_of(negative, e, VIEW("")), PM_E_FORMAT);
	check_load_free(rsa_spki_of(padded, e, VIEW("")), PM_E_FORMAT);
	check_load_free(rsa_spki_of(zero, e, VIEW("")), PM_E_FORMAT);
	check_load_free(rsa_spki_of(good, zero, VIEW("")), PM_E_FORMAT);
	check_load_free(rsa_spki_of(good, long_e, VIEW("")), PM_E_FORMAT);
	check_load_free(
		rsa_spki_of(good, e, VIEW("\x02\x01\x01")), PM_E_FORMAT); /* a third number */
	check_load_free(rsa_spki_of(good, VIEW(""), VIEW("")), PM_E_FORMAT);
	test_free(e);
	test_free(good);
	test_free(negative);
	test_free(padded);
	test_free(zero);
	test_free(long_e);
}
END_TEST

START_TEST(pss_accepts_what_openssl_signs)
{
	static const unsigned int bits[] = {2048, 3072, 4096};
	EVP_PKEY *key = mint_rsa(bits[_i]);
	struct pm_view spki = mint_spki(key);

	for (int alg = PM_SHA256; alg <= PM_SHA512; alg++) {
		struct pm_view sig = mint_pss(key, hash_names[alg], message, 0);

		check_pss(spki, (enum pm_hash_alg)alg, message, sig, PM_OK);
		check_pss(spki, (enum pm_hash_alg)((alg + 1) % 3), message, sig, PM_E_REJECTED);
		check_pss(spki, (enum pm_hash_alg)alg, VIEW("another"), sig, PM_E_REJECTED);
		check_ecdsa(spki, (enum pm_hash_alg)alg, message, sig, PM_E_ARG);
		test_free(sig);
	}
	test_free(spki);
	EVP_PKEY_free(key);
}
END_TEST

static struct pm_view sign_with(EVP_PKEY *key, int padding, const EVP_MD *mgf1)
{
	uint8_t *sig = pm_alloc(512);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx = NULL;
	size_t n = 512;

	ck_assert_int_eq(EVP_DigestSignInit(md, &ctx, EVP_sha384(), NULL, key), 1);
	ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_padding(ctx, padding), 1);
	if (mgf1) {
		ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, mgf1), 1);
		ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST), 1);
	}
	ck_assert_int_eq(EVP_DigestSign(md, sig, &n, message.ptr, message.len), 1);
	EVP_MD_CTX_free(md);
	return pm_view(sig, n);
}

START_TEST(pss_refuses_other_forms)
{
	EVP_PKEY *key = mint_rsa(2048);
	struct pm_view spki = mint_spki(key);
	struct pm_view rows[] = {
		mint_pss(key, "SHA384", message, 32),
		mint_pss(key, "SHA384", message, 47),
		mint_pss(key, "SHA384", message, 49),
		mint_pss(key, "SHA384", message, RSA_PSS_SALTLEN_MAX),
		sign_with(key, RSA_PKCS1_PADDING, NULL),
		sign_with(key, RSA_PKCS1_PSS_PADDING, EVP_sha256()),
		sign_with(key, RSA_PKCS1_PSS_PADDING, EVP_sha1()),
	};
	struct pm_view good = sign_with(key, RSA_PKCS1_PSS_PADDING, EVP_sha384());

	check_pss(spki, PM_SHA384, message, good, PM_OK);
	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		check_pss(spki, PM_SHA384, message, rows[i], PM_E_REJECTED);
		test_free(rows[i]);
	}
	test_free(good);
	test_free(spki);
	EVP_PKEY_free(key);
}
END_TEST

START_TEST(pss_refuses_flipped_bits_and_sizes)
{
	EVP_PKEY *key = mint_rsa(2048);
	struct pm_view spki = mint_spki(key), sig = mint_pss(key, "SHA384", message, 0);
	uint8_t bad[257] = {0}, *s = (uint8_t *)sig.ptr;

	for (size_t i = 0; i < sig.len; i++) {
		s[i] ^= (uint8_t)(1 << i % 8);
		check_pss(spki, PM_SHA384, message, sig, PM_E_REJECTED);
		s[i] ^= (uint8_t)(1 << i % 8);
	}
	check_pss(spki, PM_SHA384, message, pm_view(bad, 256), PM_E_REJECTED); /* 0 */
	bad[255] = 1;
	check_pss(spki, PM_SHA384, message, pm_view(bad, 256), PM_E_REJECTED); /* 1 */
	pm_copy(bad + 1, sig.ptr, 256);
	bad[0] = 0;
	check_pss(spki, PM_SHA384, message, pm_view(bad, 257), PM_E_REJECTED);
	check_pss(spki, PM_SHA384, message, pm_view(sig.ptr, 255), PM_E_REJECTED);
	check_pss(spki, PM_SHA384, message, pm_view(NULL, 0), PM_E_REJECTED);
	test_free(sig);
	test_free(spki);
	EVP_PKEY_free(key);
}
END_TEST

/* The same number modulo n: refused (RFC 8017, 5.2.2). */
START_TEST(pss_signatures_are_not_reduced)
{
	EVP_PKEY *key = mint_rsa(2048);
	struct pm_view spki = mint_spki(key), sig = {0};
	BIGNUM *n = NULL, *s = NULL;
	uint8_t bad[256];

	ck_assert_int_eq(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n), 1);
	do { /* until signature + n has no more than 2048 bits */
		test_free(sig);
		sig = mint_pss(key, "SHA384", message, 0);
		s = BN_bin2bn(sig.ptr, (int)sig.len, s);
		BN_add(s, s, n);
	} while (BN_num_bits(s) > 2048);
	BN_bn2binpad(s, bad, sizeof(bad));
	check_pss(spki, PM_SHA384, message, sig, PM_OK);
	check_pss(spki, PM_SHA384, message, pm_view(bad, sizeof(bad)), PM_E_REJECTED);
	BN_bn2binpad(n, bad, sizeof(bad));
	check_pss(spki, PM_SHA384, message, pm_view(bad, sizeof(bad)), PM_E_REJECTED);
	BN_free(n);
	BN_free(s);
	test_free(sig);
	test_free(spki);
	EVP_PKEY_free(key);
}
END_TEST

/* --- the list -------------------------------------------------------------------------------- */

static void add_tests(TCase *t)
{
	tcase_add_loop_test(t, ecdsa_accepts_what_openssl_signs, 0, 2);
	tcase_add_loop_test(t, ecdsa_refuses_flipped_bits, 0, 2);
	tcase_add_loop_test(t, ecdsa_refuses_scalars_out_of_range, 0, 2);
	tcase_add_loop_test(t, ecdsa_signatures_have_one_size, 0, 2);
	tcase_add_loop_test(t, ecdsa_scalars_are_not_reduced, 0, 2);
	tcase_add_loop_test(t, ec_points_are_checked, 0, 2);
	tcase_add_test(t, spki_is_read_strictly);
	tcase_add_test(t, other_keys_are_unsupported);
	tcase_add_test(t, keys_tell_their_kind);
	tcase_add_test(t, rsa_keys_have_bounds);
	tcase_add_test(t, rsa_numbers_are_read_strictly);
	tcase_add_loop_test(t, pss_accepts_what_openssl_signs, 0, 3);
	tcase_add_test(t, pss_refuses_other_forms);
	tcase_add_test(t, pss_refuses_flipped_bits_and_sizes);
	tcase_add_test(t, pss_signatures_are_not_reduced);
}

int main(void)
{
	Suite *s = suite_create("sig");
	TCase *t = tcase_create("sig");

	if (pm_crypto_init() < 0)
		return EXIT_FAILURE;
	tcase_set_timeout(t, 60);
	add_tests(t);
	suite_add_tcase(s, t);
	return test_main(s);
}
