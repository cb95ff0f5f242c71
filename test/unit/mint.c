/* SPDX-License-Identifier: Apache-2.0 */
#include "mint.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "testing.h"

/* Memory of OpenSSL's to memory of ours. */
static struct pm_view take(unsigned char *der, int len)
{
	uint8_t *copy;

	ck_assert_int_gt(len, 0);
	copy = pm_dup(pm_view(der, (size_t)len));
	ck_assert_ptr_nonnull(copy);
	OPENSSL_free(der);
	return pm_view(copy, (size_t)len);
}

/* --- keys ------------------------------------------------------------------------------------ */

EVP_PKEY *mint_ec(const char *curve)
{
	EVP_PKEY *key = EVP_EC_gen(curve);

	ck_assert_ptr_nonnull(key);
	return key;
}

EVP_PKEY *mint_rsa(unsigned int bits)
{
	EVP_PKEY *key = EVP_RSA_gen(bits);

	ck_assert_ptr_nonnull(key);
	return key;
}

struct pm_view mint_spki(EVP_PKEY *key)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);

	return take(der, len);
}

struct pm_view mint_integer(struct pm_view number)
{
	BIGNUM *bn = BN_bin2bn(number.ptr, (int)number.len, NULL);
	ASN1_INTEGER *integer = BN_to_ASN1_INTEGER(bn, NULL);
	unsigned char *der = NULL;
	int len = i2d_ASN1_INTEGER(integer, &der);

	ASN1_INTEGER_free(integer);
	BN_free(bn);
	return take(der, len);
}

struct pm_view mint_wrap(int tag, struct pm_view a, struct pm_view b)
{
	size_t n = a.len + b.len, head = n < 0x80 ? 2 : n < 0x100 ? 3 : 4;
	uint8_t *out = pm_alloc(head + n);

	ck_assert(out && n < 0x10000);
	out[0] = (uint8_t)tag;
	out[1] = (uint8_t)(head == 2 ? n : 0x80 + head - 2);
	if (head > 2) {
		out[head - 2] = (uint8_t)(n >> 8);
		out[head - 1] = (uint8_t)n;
	}
	if (head == 3)
		out[1] = 0x81;
	pm_copy(out + head, a.ptr, a.len);
	pm_copy(out + head + a.len, b.ptr, b.len);
	return pm_view(out, head + n);
}

struct pm_view mint_rsa_spki(struct pm_view modulus, struct pm_view exponent)
{
	/* SEQUENCE { OID rsaEncryption, NULL } */
	static const char alg[] = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
	struct pm_view n = mint_integer(modulus), e = mint_integer(exponent);
	struct pm_view key = mint_wrap(0x30, n, e);
	struct pm_view bits = mint_wrap(0x03, pm_view("", 1), key);
	struct pm_view spki = mint_wrap(0x30, pm_view(alg, sizeof(alg) - 1), bits);

	test_free(n);
	test_free(e);
	test_free(key);
	test_free(bits);
	return spki;
}

/* --- signatures ------------------------------------------------------------------------------ */

static EVP_MD_CTX *begin_sign(EVP_PKEY *key, const char *hash, bool pss, int salt)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx = NULL;

	ck_assert_int_eq(EVP_DigestSignInit_ex(md, &ctx, hash, NULL, NULL, key, NULL), 1);
	if (!pss)
		return md;
	ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING), 1);
	ck_assert_int_eq(
		EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt ? salt : RSA_PSS_SALTLEN_DIGEST), 1);
	return md;
}

static struct pm_view sign(EVP_MD_CTX *md, struct pm_view message)
{
	unsigned char *signature;
	size_t len = 0;

	ck_assert_int_eq(EVP_DigestSign(md, NULL, &len, message.ptr, message.len), 1);
	signature = OPENSSL_zalloc(len);
	ck_assert_int_eq(EVP_DigestSign(md, signature, &len, message.ptr, message.len), 1);
	EVP_MD_CTX_free(md);
	return take(signature, (int)len);
}

struct pm_view mint_ecdsa(EVP_PKEY *key, const char *hash, struct pm_view message, size_t n)
{
	struct pm_view der = sign(begin_sign(key, hash, false, 0), message);
	const unsigned char *p = der.ptr;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)der.len);
	uint8_t *raw = pm_alloc(2 * n);

	ck_assert(sig && raw);
	ck_assert_int_eq(BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, (int)n), (int)n);
	ck_assert_int_eq(BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + n, (int)n), (int)n);
	ECDSA_SIG_free(sig);
	test_free(der);
	return pm_view(raw, 2 * n);
}

struct pm_view mint_pss(EVP_PKEY *key, const char *hash, struct pm_view message, int salt)
{
	return sign(begin_sign(key, hash, true, salt), message);
}

static EVP_MD_CTX *begin_signer(const struct mint_signer *signer)
{
	bool pss = EVP_PKEY_is_a(signer->key, "RSA") && signer->padding == MINT_PSS;

	return begin_sign(signer->key, signer->hash ? signer->hash : "SHA384", pss, signer->salt);
}

/* --- certificates ---------------------------------------------------------------------------- */

static void add_name(X509_NAME *to, const char *name, int len)
{
	ck_assert_int_eq(X509_NAME_add_entry_by_txt(to, "CN", MBSTRING_ASC,
				 (const unsigned char *)name, len ? len : -1, -1, 0),
		1);
}

static void add_known(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *ext;

	if (!value)
		return;
	ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	ck_assert_ptr_nonnull(ext);
	ck_assert_int_eq(X509_add_ext(x, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

static void add_extension(X509 *x, const struct mint_extension *extension, int count, bool critical)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(extension->oid, 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext;

	ASN1_OCTET_STRING_set(value, extension->value.ptr, (int)extension->value.len);
	ext = X509_EXTENSION_create_by_OBJ(NULL, oid, critical, value);
	ck_assert_ptr_nonnull(ext);
	for (int i = 0; i < count; i++)
		ck_assert_int_eq(X509_add_ext(x, ext, -1), 1);
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(oid);
}

static void add_own(X509 *x, const struct mint_cert *cert)
{
	struct mint_extension own = {cert->oid, cert->oid_value};

	if (cert->oid)
		add_extension(x, &own, cert->oid_count, cert->oid_critical);
	for (size_t i = 0; i < cert->extension_count; i++)
		add_extension(x, &cert->extensions[i], 1, false);
}

static void set_names(X509 *x, const struct mint_cert *cert)
{
	X509_NAME *subject = X509_NAME_new(), *issuer = X509_NAME_new();

	add_name(subject, cert->name, cert->name_len);
	if (cert->name2)
		add_name(subject, cert->name2, 0);
	add_name(issuer, cert->signer.name, 0);
	X509_set_subject_name(x, subject);
	X509_set_issuer_name(x, issuer);
	X509_NAME_free(subject);
	X509_NAME_free(issuer);
}

static void set_serial(X509 *x, const struct mint_cert *cert)
{
	BIGNUM *number;

	if (!cert->serial_bytes.len) {
		ASN1_INTEGER_set(X509_get_serialNumber(x), cert->serial);
		return;
	}
	number = BN_bin2bn(cert->serial_bytes.ptr, (int)cert->serial_bytes.len, NULL);
	BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x));
	BN_free(number);
}

struct pm_view mint_cert(const struct mint_cert *cert)
{
	EVP_MD_CTX *md = begin_signer(&cert->signer);
	unsigned char *der = NULL;
	X509 *x = X509_new();
	int len;

	X509_set_version(x, X509_VERSION_3);
	set_serial(x, cert);
	ASN1_TIME_set(X509_getm_notBefore(x), cert->not_before);
	ASN1_TIME_set(X509_getm_notAfter(x), cert->not_after);
	set_names(x, cert);
	X509_set_pubkey(x, cert->key);
	add_known(x, NID_basic_constraints, cert->constraints);
	add_known(x, NID_key_usage, cert->usage);
	add_own(x, cert);
	ck_assert_int_gt(X509_sign_ctx(x, md), 0);
	len = i2d_X509(x, &der);
	X509_free(x);
	EVP_MD_CTX_free(md);
	return take(der, len);
}

/* --- revocation lists ------------------------------------------------------------------------ */

static void set_times(X509_CRL *x, const struct mint_crl *crl)
{
	ASN1_TIME *t = ASN1_TIME_set(NULL, crl->this_update);

	X509_CRL_set1_lastUpdate(x, t);
	if (crl->next_update) {
		ASN1_TIME_set(t, crl->next_update);
		X509_CRL_set1_nextUpdate(x, t);
	}
	ASN1_TIME_free(t);
}

static void revoke(X509_CRL *x, long serial, int64_t when)
{
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	ASN1_TIME *t = ASN1_TIME_set(NULL, when);
	X509_REVOKED *entry = X509_REVOKED_new();

	ASN1_INTEGER_set(number, serial);
	X509_REVOKED_set_serialNumber(entry, number);
	X509_REVOKED_set_revocationDate(entry, t);
	ck_assert_int_eq(X509_CRL_add0_revoked(x, entry), 1);
	ASN1_INTEGER_free(number);
	ASN1_TIME_free(t);
}

struct pm_view mint_crl(const struct mint_crl *crl)
{
	EVP_MD_CTX *md = begin_signer(&crl->signer);
	X509_NAME *issuer = X509_NAME_new();
	ASN1_INTEGER *base = ASN1_INTEGER_new();
	X509_CRL *x = X509_CRL_new();
	unsigned char *der = NULL;
	int len;

	add_name(issuer, crl->signer.name, 0);
	X509_CRL_set_version(x, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(x, issuer);
	set_times(x, crl);
	for (size_t i = 0; i < crl->count; i++)
		revoke(x, crl->serials[i], crl->this_update);
	ASN1_INTEGER_set(base, 1);
	if (crl->delta)
		ck_assert_int_eq(X509_CRL_add1_ext_i2d(x, NID_delta_crl, base, 1, 0), 1);
	ck_assert_int_gt(X509_CRL_sign_ctx(x, md), 0);
	len = i2d_X509_CRL(x, &der);
	X509_CRL_free(x);
	ASN1_INTEGER_free(base);
	X509_NAME_free(issuer);
	EVP_MD_CTX_free(md);
	return take(der, len);
}

/* --- text ------------------------------------------------------------------------------------ */

struct pm_view mint_pem(const char *label, struct pm_view der)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct pm_view text;
	char *data;

	ck_assert_int_gt(PEM_write_bio(bio, label, "", der.ptr, (long)der.len), 0);
	text.len = (size_t)BIO_get_mem_data(bio, &data);
	text.ptr = pm_dup(pm_view(data, text.len));
	BIO_free(bio);
	return text;
}

struct pm_view mint_join(struct pm_view a, struct pm_view b)
{
	uint8_t *both = pm_alloc(a.len + b.len);

	ck_assert_ptr_nonnull(both);
	pm_copy(both, a.ptr, a.len);
	pm_copy(both + a.len, b.ptr, b.len);
	return pm_view(both, a.len + b.len);
}
