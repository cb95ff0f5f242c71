/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/ocsp_response.h"

#include "base/hex.h"
#include "base/report.h"
#include "crypto/der.h"

/* id-pkix-ocsp-basic 1.3.6.1.5.5.7.48.1.1 and id-pkix-ocsp-nonce ...1.2, content octets */
static const char oid_basic[] = "\x2b\x06\x01\x05\x05\x07\x30\x01\x01";
static const char oid_nonce[] = "\x2b\x06\x01\x05\x05\x07\x30\x01\x02";
/* AlgorithmIdentifier of ecdsa-with-SHA384 1.2.840.10045.4.3.3 (RFC 5758: no parameters) */
static const char alg_ecdsa_sha384[] = "\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03";

#define IS(view, literal) pm_view_equal(view, pm_view(literal, sizeof(literal) - 1))

/* What is wrong, for the report. */
struct reading {
	struct pm_report *report;
	struct pm_ocsp_response *to;
};

static int malformed(const struct reading *in, const char *name, const char *expected)
{
	return pm_fail(in->report, PM_E_FORMAT, name, expected, "something else");
}

/* --- extensions ------------------------------------------------------------------------------ */

/* Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING } */
static bool get_extension(struct pm_view *list, struct pm_view *ret_oid, bool *ret_critical,
	struct pm_view *ret_value)
{
	struct pm_view ext, critical;

	if (!pm_der_get(list, PM_DER_SEQUENCE, &ext) || !pm_der_get(&ext, PM_DER_OID, ret_oid))
		return false;
	*ret_critical = pm_der_get(&ext, PM_DER_BOOLEAN, &critical);
	if (*ret_critical && !IS(critical, "\xff")) /* DER leaves a default out */
		return false;
	return pm_der_only(ext, PM_DER_OCTET_STRING, ret_value);
}

/* RFC 8954: an OCTET STRING in the OCTET STRING; older responders put the bytes there alone. */
static bool read_nonce(struct pm_view value, struct pm_ocsp_response *to)
{
	struct pm_view nonce;

	if (to->has_nonce || !pm_der_only(value, PM_DER_OCTET_STRING, &nonce) || !nonce.len)
		return false;
	to->has_nonce = true;
	to->nonce = nonce;
	return true;
}

/* Takes the nonce where one may be; refuses what is critical and unknown. */
static int read_extensions(const struct reading *in, struct pm_view field, bool may_have_nonce)
{
	struct pm_view list, oid, value;
	bool critical;

	if (!pm_der_only(field, PM_DER_SEQUENCE, &list))
		return malformed(in, "OCSP, extensions", "SEQUENCE OF Extension");
	while (list.len) {
		if (!get_extension(&list, &oid, &critical, &value))
			return malformed(in, "OCSP, extensions", "Extension");
		if (may_have_nonce && IS(oid, oid_nonce)) {
			if (!read_nonce(value, in->to))
				return malformed(in, "OCSP, nonce", "one OCTET STRING");
		} else if (critical) {
			return pm_fail(in->report, PM_E_UNSUPPORTED, "OCSP, extensions",
				"none unknown and critical", "OID %s", pm_hex(oid.ptr, oid.len).s);
		}
	}
	return PM_OK;
}

/* --- one answer ------------------------------------------------------------------------------ */

/* CertID ::= SEQUENCE { hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber } */
static int read_id(const struct reading *in, struct pm_view *from, struct pm_ocsp_id *ret)
{
	struct pm_view id, alg;

	if (!pm_der_get(from, PM_DER_SEQUENCE, &id) || !pm_der_get(&id, PM_DER_SEQUENCE, &alg))
		return malformed(in, "OCSP, certID", "CertID");
	if (!pm_ocsp_hash_of(alg, &ret->hash))
		return pm_fail(in->report, PM_E_UNSUPPORTED, "OCSP, certID",
			"SHA-384, SHA-256 or SHA-1", "another hash");
	if (!pm_der_get(&id, PM_DER_OCTET_STRING, &ret->name_hash) ||
		!pm_der_get(&id, PM_DER_OCTET_STRING, &ret->key_hash) ||
		!pm_der_only(id, PM_DER_INTEGER, &ret->serial))
		return malformed(in, "OCSP, certID", "CertID");
	return PM_OK;
}

/* RevokedInfo ::= [1] { revocationTime, revocationReason [0] EXPLICIT ENUMERATED OPTIONAL } */
static bool read_revoked(struct pm_view info, struct pm_ocsp_single *ret)
{
	struct pm_view field, reason;

	if (!pm_der_get_time(&info, &ret->revoked_at))
		return false;
	if (!info.len)
		return true;
	if (!pm_der_only(info, PM_DER_EXPLICIT(0), &field) ||
		!pm_der_only(field, PM_DER_ENUMERATED, &reason))
		return false;
	if (reason.len != 1 || reason.ptr[0] > 10)
		return false;
	ret->reason = reason.ptr[0];
	return true;
}

static bool read_status(struct pm_view *from, struct pm_ocsp_single *ret)
{
	struct pm_view v;

	ret->reason = PM_OCSP_REASON_NONE;
	if (pm_der_get(from, PM_DER_EXPLICIT(1), &v)) {
		ret->status = PM_OCSP_REVOKED;
		return read_revoked(v, ret);
	}
	if (pm_der_get(from, PM_DER_CONTEXT(0), &v)) {
		ret->status = PM_OCSP_GOOD;
		return v.len == 0;
	}
	ret->status = PM_OCSP_UNKNOWN;
	return pm_der_get(from, PM_DER_CONTEXT(2), &v) && v.len == 0;
}

static bool read_times(struct pm_view *from, struct pm_ocsp_single *ret)
{
	struct pm_view next;

	if (!pm_der_get_time(from, &ret->this_update))
		return false;
	if (!pm_der_get(from, PM_DER_EXPLICIT(0), &next))
		return true;
	ret->has_next_update = true;
	return pm_der_get_time(&next, &ret->next_update) && !next.len &&
	       ret->next_update > ret->this_update;
}

/* SingleResponse ::= SEQUENCE { certID, certStatus, thisUpdate, nextUpdate [0], extensions [1] } */
static int read_single(const struct reading *in, struct pm_view single)
{
	struct pm_ocsp_single *to = &in->to->singles[in->to->single_count];
	struct pm_view extensions;
	int r = read_id(in, &single, &to->id);

	if (r < 0)
		return r;
	if (!read_status(&single, to))
		return malformed(in, "OCSP, certStatus", "good, revoked or unknown");
	if (!read_times(&single, to))
		return malformed(
			in, "OCSP, thisUpdate, nextUpdate", "two times, the second one later");
	in->to->single_count++;
	if (!single.len)
		return PM_OK;
	if (!pm_der_only(single, PM_DER_EXPLICIT(1), &extensions))
		return malformed(in, "OCSP, SingleResponse", "nothing behind the extensions");
	return read_extensions(in, extensions, false);
}

static int read_singles(const struct reading *in, struct pm_view list)
{
	struct pm_view single;

	if (!list.len)
		return malformed(in, "OCSP, responses", "at least one");
	while (list.len) {
		int r;

		if (in->to->single_count == PM_OCSP_SINGLES_MAX)
			return pm_fail(
				in->report, PM_E_LIMIT, "OCSP, responses", "at most 16", "more");
		if (!pm_der_get(&list, PM_DER_SEQUENCE, &single))
			return malformed(in, "OCSP, responses", "SEQUENCE OF SingleResponse");
		r = read_single(in, single);
		if (r < 0)
			return r;
	}
	return PM_OK;
}

/* --- the response ---------------------------------------------------------------------------- */

/* ResponderID ::= CHOICE { byName [1] Name, byKey [2] OCTET STRING } */
static bool read_responder(struct pm_view *from, struct pm_ocsp_response *to)
{
	struct pm_view field, content;

	if (pm_der_get(from, PM_DER_EXPLICIT(2), &field)) {
		to->by_key = true;
		return pm_der_only(field, PM_DER_OCTET_STRING, &to->responder) &&
		       to->responder.len == PM_KEY_IDENTIFIER_SIZE;
	}
	return pm_der_get(from, PM_DER_EXPLICIT(1), &field) &&
	       pm_der_get_whole(&field, PM_DER_SEQUENCE, &to->responder, &content) && !field.len;
}

/* ResponseData ::= SEQUENCE { version (v1, left out), responderID, producedAt, responses, [1] } */
static int read_data(const struct reading *in, struct pm_view data)
{
	struct pm_view list, extensions;
	int r;

	if (!read_responder(&data, in->to))
		return malformed(in, "OCSP, responderID", "version 1, and a name or a key's SHA-1");
	if (!pm_der_get_time(&data, &in->to->produced_at))
		return malformed(in, "OCSP, producedAt", "a time");
	if (!pm_der_get(&data, PM_DER_SEQUENCE, &list))
		return malformed(in, "OCSP, responses", "SEQUENCE OF SingleResponse");
	r = read_singles(in, list);
	if (r < 0 || !data.len)
		return r;
	if (!pm_der_only(data, PM_DER_EXPLICIT(1), &extensions))
		return malformed(in, "OCSP, ResponseData", "nothing behind the extensions");
	return read_extensions(in, extensions, true);
}

static int read_certs(const struct reading *in, struct pm_view field)
{
	struct pm_ocsp_response *to = in->to;
	struct pm_view list, content;

	if (!pm_der_only(field, PM_DER_SEQUENCE, &list))
		return malformed(in, "OCSP, certificates", "SEQUENCE OF Certificate");
	while (list.len) {
		if (to->cert_count == PM_OCSP_CERTS_MAX)
			return pm_fail(
				in->report, PM_E_LIMIT, "OCSP, certificates", "at most 4", "more");
		if (!pm_der_get_whole(&list, PM_DER_SEQUENCE, &to->certs[to->cert_count], &content))
			return malformed(in, "OCSP, certificates", "Certificate");
		to->cert_count++;
	}
	return PM_OK;
}

/* BasicOCSPResponse ::= SEQUENCE { tbsResponseData, signatureAlgorithm, signature, certs [0] } */
static int read_basic(const struct reading *in, struct pm_view basic)
{
	struct pm_view data, alg, whole, bits, certs;
	int r;

	if (!pm_der_get_whole(&basic, PM_DER_SEQUENCE, &in->to->body, &data) ||
		!pm_der_get(&basic, PM_DER_SEQUENCE, &alg) ||
		!pm_der_get_whole(&basic, PM_DER_BIT_STRING, &whole, &bits) ||
		!pm_der_bits(whole, &in->to->signature))
		return malformed(in, "OCSP response", "BasicOCSPResponse");
	if (!IS(alg, alg_ecdsa_sha384))
		return pm_fail(in->report, PM_E_UNSUPPORTED, "OCSP, signature",
			"ECDSA with SHA-384", "another algorithm");
	r = read_data(in, data);
	if (r < 0 || !basic.len)
		return r;
	if (!pm_der_only(basic, PM_DER_EXPLICIT(0), &certs))
		return malformed(in, "OCSP response", "nothing behind the certificates");
	return read_certs(in, certs);
}

/* OCSPResponseStatus of a response without an answer. */
static int refuse_status(const struct reading *in, struct pm_view status)
{
	static const char *const texts[] = {"successful", "malformedRequest", "internalError",
		"tryLater", "4", "sigRequired", "unauthorized"};
	size_t i = status.len == 1 ? status.ptr[0] : 0;

	if (!i || i >= PM_ARRAY_LEN(texts))
		return malformed(in, "OCSP, responseStatus", "0 to 6");
	return pm_fail(in->report, PM_E_REJECTED, "OCSP, responseStatus", texts[0], "%s", texts[i]);
}

/* OCSPResponse ::= SEQUENCE { responseStatus, responseBytes [0] { responseType, response } } */
static int read_response(const struct reading *in, struct pm_view der)
{
	struct pm_view response, status, field, type, bytes, basic;

	if (!pm_der_only(der, PM_DER_SEQUENCE, &response) ||
		!pm_der_get(&response, PM_DER_ENUMERATED, &status))
		return malformed(in, "OCSP response", "OCSPResponse");
	if (!IS(status, "\x00"))
		return refuse_status(in, status);
	if (!pm_der_only(response, PM_DER_EXPLICIT(0), &field) ||
		!pm_der_only(field, PM_DER_SEQUENCE, &bytes) ||
		!pm_der_get(&bytes, PM_DER_OID, &type))
		return malformed(in, "OCSP response", "ResponseBytes");
	if (!IS(type, oid_basic))
		return pm_fail(in->report, PM_E_UNSUPPORTED, "OCSP, responseType",
			"id-pkix-ocsp-basic", "another");
	if (!pm_der_only(bytes, PM_DER_OCTET_STRING, &field) ||
		!pm_der_only(field, PM_DER_SEQUENCE, &basic))
		return malformed(in, "OCSP response", "BasicOCSPResponse");
	return read_basic(in, basic);
}

int pm_ocsp_response_read(
	struct pm_view der, struct pm_report *report, struct pm_ocsp_response *ret)
{
	struct pm_ocsp_response response = {.der = der};
	const struct reading in = {report, &response};
	int r;

	if (der.len > PM_OCSP_RESPONSE_SIZE_MAX)
		return pm_fail(report, PM_E_LIMIT, "OCSP response", "at most 16384 bytes",
			"%zu bytes", der.len);
	r = read_response(&in, der);
	if (r < 0)
		return r;
	*ret = response;
	return PM_OK;
}
