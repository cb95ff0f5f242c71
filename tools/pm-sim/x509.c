/* SPDX-License-Identifier: Apache-2.0 */
/* What certificates and revocation lists share: AMD's names and signature algorithm. */
#include "pm-sim/sim.h"

#include <openssl/rsa.h>
#include <openssl/x509v3.h>

X509_NAME *sim_name(const char *cn)
{
	static const struct {
		const char *type, *value;
	} parts[] = {{"OU", "libpm TEST ROOT"}, {"C", "US"}, {"L", "Santa Clara"}, {"ST", "CA"},
		{"O", "Advanced Micro Devices"}};
	X509_NAME *name = X509_NAME_new();
	int ok = name != NULL;

	for (size_t i = 0; ok && i < sizeof(parts) / sizeof(parts[0]); i++)
		ok = X509_NAME_add_entry_by_txt(name, parts[i].type, MBSTRING_ASC,
			(const unsigned char *)parts[i].value, -1, -1, 0);
	if (ok && X509_NAME_add_entry_by_txt(
			  name, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0))
		return name;
	X509_NAME_free(name);
	return NULL;
}

int sim_time_set(ASN1_TIME **ret, int64_t time)
{
	*ret = ASN1_TIME_set(NULL, (time_t)time);
	return *ret ? TOOL_OK : sim_fail("can't write the time");
}

static int set_validity(X509 *cert, const struct sim_cert_spec *spec)
{
	sim_cleanup(ASN1_TIME) ASN1_TIME *from = NULL;
	sim_cleanup(ASN1_TIME) ASN1_TIME *to = NULL;
	int r = sim_time_set(&from, spec->not_before);

	if (r == TOOL_OK)
		r = sim_time_set(&to, spec->not_after);
	if (r != TOOL_OK)
		return r;
	if (X509_set1_notBefore(cert, from) == 1 && X509_set1_notAfter(cert, to) == 1)
		return TOOL_OK;
	return sim_fail("can't set the validity");
}

static int set_names(X509 *cert, const struct sim_cert_spec *spec)
{
	sim_cleanup(X509_NAME) X509_NAME *subject = sim_name(spec->cn);
	sim_cleanup(X509_NAME) X509_NAME *issuer = sim_name(spec->issuer);

	if (subject && issuer && X509_set_subject_name(cert, subject) == 1 &&
		X509_set_issuer_name(cert, issuer) == 1)
		return TOOL_OK;
	return sim_fail("can't set the names");
}

X509 *sim_cert_new(struct sim_machine *m, const struct sim_cert_spec *spec)
{
	X509 *cert = X509_new();
	EVP_PKEY *key = NULL;
	int r = sim_machine_key(m, spec->key, &key);

	if (r == TOOL_OK &&
		(!cert || X509_set_version(cert, X509_VERSION_3) != 1 ||
			!ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), spec->serial) ||
			X509_set_pubkey(cert, key) != 1))
		r = sim_fail("can't make a certificate");
	if (r == TOOL_OK)
		r = set_validity(cert, spec);
	if (r == TOOL_OK)
		r = set_names(cert, spec);
	if (r == TOOL_OK)
		return cert;
	X509_free(cert);
	return NULL;
}

int sim_signing_begin(struct sim_machine *m, const struct sim_signing *by, EVP_MD_CTX *ret)
{
	const EVP_MD *hash = EVP_get_digestbyname(by->hash);
	EVP_PKEY_CTX *ctx;
	EVP_PKEY *key = NULL;
	int r = sim_machine_key(m, by->key, &key);

	if (r != TOOL_OK)
		return r;
	if (EVP_DigestSignInit(ret, &ctx, hash, NULL, key) != 1)
		return sim_fail("can't begin a signature");
	if (by->pkcs1)
		return TOOL_OK;
	if (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
		EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, by->salt) == 1 &&
		EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, hash) == 1)
		return TOOL_OK;
	return sim_fail("can't set up RSASSA-PSS");
}

int sim_cert_sign(struct sim_machine *m, X509 *cert, const struct sim_signing *by)
{
	sim_cleanup(EVP_MD_CTX) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int r = ctx ? sim_signing_begin(m, by, ctx) : sim_fail("out of memory");

	if (r != TOOL_OK)
		return r;
	return X509_sign_ctx(cert, ctx) > 0 ? TOOL_OK : sim_fail("can't sign a certificate");
}

AUTHORITY_KEYID *sim_authority_id(EVP_PKEY *key)
{
	AUTHORITY_KEYID *id = AUTHORITY_KEYID_new();
	sim_cleanup(X509) X509 *holder = X509_new();
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	int ok = id && holder && X509_set_pubkey(holder, key) == 1 &&
		 X509_pubkey_digest(holder, EVP_sha1(), digest, &n) == 1;

	if (ok)
		id->keyid = ASN1_OCTET_STRING_new();
	if (ok && id->keyid && ASN1_OCTET_STRING_set(id->keyid, digest, (int)n) == 1)
		return id;
	AUTHORITY_KEYID_free(id);
	return NULL;
}
