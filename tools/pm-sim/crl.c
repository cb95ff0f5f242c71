/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-sim/sim.h"

#include <stdio.h>

#include <openssl/x509v3.h>

static int set_times(X509_CRL *crl, const struct sim_crl_plan *plan)
{
	sim_cleanup(ASN1_TIME) ASN1_TIME *this_update = NULL;
	sim_cleanup(ASN1_TIME) ASN1_TIME *next_update = NULL;
	int r = sim_time_set(&this_update, plan->this_update);

	if (r == TOOL_OK)
		r = sim_time_set(&next_update, plan->next_update);
	if (r != TOOL_OK)
		return r;
	if (X509_CRL_set1_lastUpdate(crl, this_update) != 1)
		return sim_fail("can't set thisUpdate");
	if (plan->no_next_update || X509_CRL_set1_nextUpdate(crl, next_update) == 1)
		return TOOL_OK;
	return sim_fail("can't set nextUpdate");
}

static int add_revoked(X509_CRL *crl, uint32_t serial, int64_t time)
{
	sim_cleanup(ASN1_INTEGER) ASN1_INTEGER *number = ASN1_INTEGER_new();
	sim_cleanup(ASN1_TIME) ASN1_TIME *date = NULL;
	X509_REVOKED *revoked = X509_REVOKED_new();
	int r = sim_time_set(&date, time);

	if (r == TOOL_OK && number && revoked && ASN1_INTEGER_set_uint64(number, serial) == 1 &&
		X509_REVOKED_set_serialNumber(revoked, number) == 1 &&
		X509_REVOKED_set_revocationDate(revoked, date) == 1 &&
		X509_CRL_add0_revoked(crl, revoked) == 1)
		return TOOL_OK;
	X509_REVOKED_free(revoked);
	return sim_fail("can't add a revoked certificate");
}

static int set_head(X509_CRL *crl, const char *issuer)
{
	sim_cleanup(X509_NAME) X509_NAME *name = sim_name(issuer);
	sim_cleanup(ASN1_INTEGER) ASN1_INTEGER *number = ASN1_INTEGER_new();

	if (name && number && X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
		X509_CRL_set_issuer_name(crl, name) == 1 && ASN1_INTEGER_set(number, 1) == 1 &&
		X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, X509V3_ADD_DEFAULT) == 1)
		return TOOL_OK;
	return sim_fail("can't make a CRL");
}

static int add_authority(struct sim_machine *m, X509_CRL *crl, enum sim_key signer)
{
	AUTHORITY_KEYID *id = NULL;
	EVP_PKEY *key = NULL;
	int ok, r = sim_machine_key(m, signer, &key);

	if (r != TOOL_OK)
		return r;
	id = sim_authority_id(key);
	ok = id && X509_CRL_add1_ext_i2d(
			   crl, NID_authority_key_identifier, id, 0, X509V3_ADD_DEFAULT) == 1;
	AUTHORITY_KEYID_free(id);
	return ok ? TOOL_OK : sim_fail("can't add authorityKeyIdentifier");
}

static int sign(struct sim_machine *m, X509_CRL *crl, const struct sim_signing *by)
{
	sim_cleanup(EVP_MD_CTX) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int r = ctx ? sim_signing_begin(m, by, ctx) : sim_fail("out of memory");

	if (r != TOOL_OK)
		return r;
	return X509_CRL_sign_ctx(crl, ctx) > 0 ? TOOL_OK : sim_fail("can't sign a CRL");
}

static int take_der(X509_CRL *crl, struct sim_bytes *ret)
{
	unsigned char *der = NULL;
	int n = i2d_X509_CRL(crl, &der);
	int r = n > 0 ? sim_bytes_set(ret, der, (size_t)n) : sim_fail("can't encode a CRL");

	OPENSSL_free(der);
	return r;
}

int sim_crl_make(struct sim_plan *plan, struct sim_bytes *ret)
{
	const struct sim_crl_plan *c = &plan->crl;
	sim_cleanup(X509_CRL) X509_CRL *crl = X509_CRL_new();
	char issuer[32];
	int r = crl ? TOOL_OK : sim_fail("out of memory");

	snprintf(issuer, sizeof(issuer), "ARK-%s", c->issuer);
	if (r == TOOL_OK)
		r = set_head(crl, issuer);
	if (r == TOOL_OK)
		r = add_authority(plan->machine, crl, c->by.key);
	if (r == TOOL_OK)
		r = set_times(crl, c);
	for (size_t i = 0; r == TOOL_OK && i < c->revoked_count; i++)
		r = add_revoked(crl, c->revoked[i], c->this_update);
	if (r == TOOL_OK)
		r = sign(plan->machine, crl, &c->by);
	return r ? r : take_der(crl, ret);
}
