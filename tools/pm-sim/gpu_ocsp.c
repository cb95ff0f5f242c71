/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OCSP responder (RFC 6960) of the simulated authorities: answers as NVIDIA's does, by key,
 * with one responder certificate that the issuer of the checked certificate signed, for a day.
 */
#include "pm-sim/sim_gpu.h"

#include <stdio.h>
#include <string.h>

/* Most certificates that a machine's responder knows. */
#define KNOWN_MAX 64

void sim_ocsp_init(struct sim_gpu_plan *plan)
{
	plan->ocsp = (struct sim_ocsp){.status = V_OCSP_CERTSTATUS_GOOD,
		.reason = -1,
		.this_update = plan->now - 3600,
		.next_update = plan->now - 3600 + SIM_DAY - 1};
}

/* --- who issued what -------------------------------------------------------------------------- */

/* What needs a response, and the authority that issued it. */
struct known {
	struct sim_gpu_cert cert, issuer;
};

struct known_list {
	struct known known[KNOWN_MAX];
	size_t count;
};

static void add_known(
	struct known_list *list, const struct sim_gpu_cert *chain, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		bool seen = false;

		for (size_t k = 0; k < list->count && !seen; k++)
			seen = strcmp(list->known[k].cert.name, chain[i].name) == 0;
		if (!seen && list->count < KNOWN_MAX)
			list->known[list->count++] = (struct known){chain[i], chain[i + 1]};
	}
}

/* Not the leaf, which the device makes itself, and not the root. */
static int list_known(const struct sim_gpu_machine *m, struct known_list *ret)
{
	struct sim_gpu_cert chain[SIM_GPU_CHAIN];
	struct sim_gpu_device d;
	int r = TOOL_OK;

	ret->count = 0;
	for (unsigned int i = 0; r == TOOL_OK && i < sim_gpu_device_count(m); i++) {
		r = sim_gpu_device(m, i, &d);
		if (r != TOOL_OK)
			return r;
		sim_gpu_chain_init(m, &d, chain);
		add_known(ret, chain, 1, SIM_GPU_CHAIN - 1);
		sim_rim_chain_init(m, d.arch->product, chain);
		add_known(ret, chain, 0, SIM_RIM_CHAIN - 1);
	}
	return r;
}

int sim_ocsp_each(const struct sim_gpu_machine *m,
	int (*fn)(void *arg, const struct sim_gpu_cert *spec, X509 *cert), void *arg)
{
	struct known_list list;
	int r = list_known(m, &list);

	for (size_t i = 0; r == TOOL_OK && i < list.count; i++) {
		sim_cleanup(X509) X509 *cert = NULL;

		r = sim_gpu_cert_get(m, &list.known[i].cert, &cert);
		if (r == TOOL_OK)
			r = fn(arg, &list.known[i].cert, cert);
	}
	return r;
}

static bool issued(const struct known *k, X509 *cert)
{
	const ASN1_INTEGER *n = X509_get0_serialNumber(cert);
	BIGNUM *serial = ASN1_INTEGER_to_BN(n, NULL);
	uint8_t bytes[64];
	bool same = serial && BN_num_bytes(serial) == (int)k->cert.serial_size &&
		    BN_bn2bin(serial, bytes) > 0 &&
		    memcmp(bytes, k->cert.serial, k->cert.serial_size) == 0;

	BN_free(serial);
	return same;
}

static int issuer_of(const struct sim_gpu_machine *m, X509 *cert, struct sim_gpu_cert *ret)
{
	struct known_list list;
	int r = list_known(m, &list);

	for (size_t i = 0; r == TOOL_OK && i < list.count; i++)
		if (issued(&list.known[i], cert)) {
			*ret = list.known[i].issuer;
			return TOOL_OK;
		}
	return r ? r : sim_fail("the certificate is none that needs a response");
}

/* --- the response ----------------------------------------------------------------------------- */

static int cert_id(const struct sim_gpu_plan *plan, X509 *cert, const struct sim_gpu_cert *issuer,
	OCSP_CERTID **ret)
{
	const EVP_MD *hash = plan->ocsp.sha1 ? EVP_sha1() : EVP_sha384();
	sim_cleanup(X509) X509 *authority = NULL;
	sim_cleanup(X509) X509 *other = NULL;
	struct sim_gpu_cert impostor = *issuer;
	int r = sim_gpu_cert_get(plan->machine, issuer, &authority);

	if (r == TOOL_OK && plan->ocsp.other_issuer) {
		snprintf(impostor.name, sizeof(impostor.name), "rogue");
		impostor.remake = true;
		r = sim_gpu_cert_get(plan->machine, &impostor, &other);
	}
	if (r != TOOL_OK)
		return r;
	*ret = OCSP_cert_to_id(hash, cert, other ? other : authority);
	return *ret ? TOOL_OK : sim_fail("can't name a certificate");
}

/* The certificate that a response for another one would be about. */
static int swap_serial(OCSP_CERTID *id)
{
	ASN1_INTEGER *serial = NULL;

	OCSP_id_get0_info(NULL, NULL, NULL, &serial, id);
	return serial && ASN1_INTEGER_set_uint64(serial, 0x1234567) == 1
		       ? TOOL_OK
		       : sim_fail("can't change a serial number");
}

static int add_status(const struct sim_gpu_plan *plan, OCSP_CERTID *id, OCSP_BASICRESP *basic)
{
	const struct sim_ocsp *o = &plan->ocsp;
	sim_cleanup(ASN1_TIME) ASN1_TIME *from = NULL;
	sim_cleanup(ASN1_TIME) ASN1_TIME *to = NULL;
	sim_cleanup(ASN1_TIME) ASN1_TIME *revoked = NULL;
	int r = o->other_serial ? swap_serial(id) : TOOL_OK;

	/* GeneralizedTime, whatever the year. */
	from = ASN1_GENERALIZEDTIME_set(NULL, (time_t)o->this_update);
	to = ASN1_GENERALIZEDTIME_set(NULL, (time_t)o->next_update);
	revoked = ASN1_GENERALIZEDTIME_set(NULL, (time_t)(o->this_update - SIM_DAY));
	if (r != TOOL_OK || !from || !to || !revoked)
		return r ? r : sim_fail("can't write the time");
	if (!OCSP_basic_add1_status(basic, id, o->status, o->reason,
		    o->status == V_OCSP_CERTSTATUS_REVOKED ? revoked : NULL, from,
		    o->no_next_update ? NULL : to))
		return sim_fail("can't add a status");
	return TOOL_OK;
}

static int add_nonce(
	const struct sim_gpu_plan *plan, const struct sim_bytes *nonce, OCSP_BASICRESP *basic)
{
	uint8_t value[64] = {0};

	if (!nonce->len || plan->ocsp.no_nonce)
		return TOOL_OK;
	if (nonce->len > sizeof(value))
		return sim_fail("the nonce is longer than %zu bytes", sizeof(value));
	memcpy(value, nonce->ptr, nonce->len);
	value[0] ^= plan->ocsp.other_nonce;
	return OCSP_basic_add1_nonce(basic, value, (int)nonce->len) == 1
		       ? TOOL_OK
		       : sim_fail("can't add the nonce");
}

/* Who signs: the responder of the issuer, or what a defect puts in its place. */
static void responder_spec(const struct sim_gpu_plan *plan, const struct sim_gpu_cert *issuer,
	struct sim_gpu_cert *ret)
{
	const struct sim_ocsp *o = &plan->ocsp;
	struct sim_gpu_cert other = *issuer;

	if (o->foreign) {
		snprintf(other.name, sizeof(other.name), "%s", issuer->issuer);
		memcpy(other.cn, issuer->issuer_cn, sizeof(other.cn));
		memcpy(other.number, issuer->issuer_number, sizeof(other.number));
	}
	if (o->rogue)
		snprintf(other.name, sizeof(other.name), "rogue");
	sim_responder_init(plan->machine, &other, ret);
	ret->remake = o->foreign || o->rogue || o->no_usage || o->expired;
	if (o->no_usage)
		ret->usage = SIM_USE_SIGNER;
	if (o->expired)
		ret->not_after = plan->now - SIM_DAY;
}

static int sign_response(
	const struct sim_gpu_plan *plan, const struct sim_gpu_cert *issuer, OCSP_BASICRESP *basic)
{
	const unsigned long flags = OCSP_RESPID_KEY | OCSP_NOTIME;
	sim_cleanup(X509) X509 *cert = NULL;
	sim_cleanup(EVP_PKEY) EVP_PKEY *key = NULL;
	struct sim_gpu_cert spec;
	int r;

	responder_spec(plan, issuer, &spec);
	r = sim_gpu_cert_get(plan->machine, &spec, &cert);
	if (r == TOOL_OK)
		r = sim_gpu_key(plan->machine, spec.name, &key);
	if (r == TOOL_OK && OCSP_basic_sign(basic, cert, key, EVP_sha384(), NULL,
				    flags | (plan->ocsp.no_cert ? OCSP_NOCERTS : 0)) != 1)
		r = sim_fail("can't sign a response");
	return r;
}

/* producedAt is when the response was made, not when it is signed here. */
static int set_produced(const struct sim_gpu_plan *plan, OCSP_BASICRESP *basic)
{
	const ASN1_GENERALIZEDTIME *at = OCSP_resp_get0_produced_at(basic);

	/* OpenSSL hands out the field itself; with OCSP_NOTIME it leaves it alone. */
	return ASN1_GENERALIZEDTIME_set(
		       (ASN1_GENERALIZEDTIME *)(uintptr_t)at, (time_t)plan->ocsp.this_update)
		       ? TOOL_OK
		       : sim_fail("can't write the time");
}

static int encode(const struct sim_gpu_plan *plan, OCSP_BASICRESP *basic, struct sim_bytes *ret)
{
	int status = basic ? OCSP_RESPONSE_STATUS_SUCCESSFUL : OCSP_RESPONSE_STATUS_TRYLATER;
	sim_cleanup(OCSP_RESPONSE) OCSP_RESPONSE *response = OCSP_response_create(status, basic);
	uint8_t *der = NULL;
	int n = response ? i2d_OCSP_RESPONSE(response, &der) : -1;
	int r;

	if (n <= 0)
		return sim_fail("can't encode a response");
	r = sim_bytes_set(ret, der, (size_t)n - plan->ocsp.truncated);
	OPENSSL_free(der);
	return r;
}

/* A bit of the signature's last byte: still well formed. */
static void flip_signature(OCSP_BASICRESP *basic)
{
	const ASN1_OCTET_STRING *signature = OCSP_resp_get0_signature(basic);

	((uint8_t *)(uintptr_t)ASN1_STRING_get0_data(
		signature))[ASN1_STRING_length(signature) - 1] ^= 1;
}

static int make(const struct sim_gpu_plan *plan, OCSP_CERTID *id, const struct sim_gpu_cert *issuer,
	const struct sim_bytes *nonce, struct sim_bytes *ret)
{
	sim_cleanup(OCSP_BASICRESP) OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	int r = basic ? add_status(plan, id, basic) : sim_fail("out of memory");

	if (r == TOOL_OK)
		r = add_nonce(plan, nonce, basic);
	if (r == TOOL_OK)
		r = set_produced(plan, basic);
	if (r == TOOL_OK)
		r = sign_response(plan, issuer, basic);
	if (r == TOOL_OK && plan->ocsp.flip_signature)
		flip_signature(basic);
	return r ? r : encode(plan, plan->ocsp.try_later ? NULL : basic, ret);
}

int sim_ocsp_make(const struct sim_gpu_plan *plan, X509 *cert, const struct sim_bytes *nonce,
	struct sim_bytes *ret)
{
	sim_cleanup(OCSP_CERTID) OCSP_CERTID *id = NULL;
	struct sim_gpu_cert issuer;
	int r = issuer_of(plan->machine, cert, &issuer);

	if (r == TOOL_OK)
		r = cert_id(plan, cert, &issuer, &id);
	return r ? r : make(plan, id, &issuer, nonce, ret);
}

/* --- requests --------------------------------------------------------------------------------- */

struct search {
	const struct sim_gpu_plan *plan;
	OCSP_CERTID *wanted;
	X509 *found;
};

static int compare(void *arg, const struct sim_gpu_cert *spec, X509 *cert)
{
	struct search *s = arg;
	sim_cleanup(OCSP_CERTID) OCSP_CERTID *id = NULL;
	sim_cleanup(X509) X509 *authority = NULL;
	struct sim_gpu_cert issuer;
	ASN1_OBJECT *hash = NULL;
	int r = issuer_of(s->plan->machine, cert, &issuer);

	(void)spec;
	if (r == TOOL_OK)
		r = sim_gpu_cert_get(s->plan->machine, &issuer, &authority);
	if (r != TOOL_OK)
		return r;
	OCSP_id_get0_info(NULL, &hash, NULL, NULL, s->wanted);
	id = OCSP_cert_to_id(EVP_get_digestbyobj(hash), cert, authority);
	if (id && !s->found && OCSP_id_cmp(id, s->wanted) == 0 && X509_up_ref(cert))
		s->found = cert;
	return TOOL_OK;
}

/* The nonce is an OCTET STRING within the extension's. */
static int nonce_of(OCSP_REQUEST *request, struct sim_bytes *ret)
{
	int at = OCSP_REQUEST_get_ext_by_NID(request, NID_id_pkix_OCSP_Nonce, -1);
	const ASN1_OCTET_STRING *value;
	const uint8_t *p;
	ASN1_OCTET_STRING *inner;
	int r;

	if (at < 0)
		return TOOL_OK;
	value = X509_EXTENSION_get_data(OCSP_REQUEST_get_ext(request, at));
	p = ASN1_STRING_get0_data(value);
	inner = d2i_ASN1_OCTET_STRING(NULL, &p, ASN1_STRING_length(value));
	if (!inner)
		return TOOL_REJECTED;
	r = sim_bytes_set(ret, ASN1_STRING_get0_data(inner), (size_t)ASN1_STRING_length(inner));
	ASN1_OCTET_STRING_free(inner);
	return r;
}

int sim_ocsp_answer(
	const struct sim_gpu_plan *plan, const void *request, size_t len, struct sim_bytes *ret)
{
	const uint8_t *p = request;
	sim_cleanup(OCSP_REQUEST) OCSP_REQUEST *parsed = d2i_OCSP_REQUEST(NULL, &p, (long)len);
	sim_cleanup_buf struct sim_bytes nonce = {0};
	sim_cleanup(X509) X509 *found = NULL;
	struct search s = {.plan = plan};
	int r;

	if (!parsed || OCSP_request_onereq_count(parsed) != 1)
		return TOOL_REJECTED;
	s.wanted = OCSP_onereq_get0_id(OCSP_request_onereq_get0(parsed, 0));
	r = nonce_of(parsed, &nonce);
	if (r == TOOL_OK)
		r = sim_ocsp_each(plan->machine, compare, &s);
	found = s.found;
	if (r == TOOL_OK && !found)
		return TOOL_REJECTED;
	return r ? r : sim_ocsp_make(plan, found, &nonce, ret);
}
