/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/snp_evidence.h"

#include <stdlib.h>

#include "base/report.h"
#include "crypto/der.h"
#include "crypto/x509.h"
#include "evidence/snp_fields.h"
#include "evidence/snp_hcl.h"
#include "evidence/snp_tcb.h"

/* Finds the report in the input: the input itself, or inside of an Azure HCL blob. */
static int unwrap(struct pm_view input, struct pm_report *report, struct pm_snp_hcl *ret)
{
	if (input.len > PM_SNP_INPUT_MAX)
		return pm_fail(
			report, PM_E_LIMIT, "report length", "1184 bytes", "%zu bytes", input.len);
	if (pm_snp_hcl_is(input))
		return pm_snp_hcl_parse(input, report, ret);
	*ret = (struct pm_snp_hcl){.report = input};
	return PM_OK;
}

static int keep_runtime_data(struct pm_snp_evidence *ev, struct pm_view data)
{
	uint8_t *copy;

	if (!data.len)
		return PM_OK;
	copy = pm_dup(data);
	if (!copy)
		return PM_E_NOMEM;
	ev->runtime_data = pm_view(copy, data.len);
	return PM_OK;
}

int pm_snp_evidence_parse(const void *bytes, size_t size, struct pm_report *report,
	struct pm_snp_evidence **ret_evidence)
{
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL;
	struct pm_snp_hcl parts;
	int r = unwrap(pm_view(bytes, size), report, &parts);

	if (r < 0)
		return r;
	ev = pm_alloc(sizeof(*ev));
	if (!ev)
		return PM_E_NOMEM;
	r = pm_snp_fields_parse(parts.report, report, &ev->fields);
	if (r < 0)
		return r;
	pm_copy(ev->signed_bytes, parts.report.ptr, parts.report.len);
	r = keep_runtime_data(ev, parts.runtime_data);
	if (r < 0)
		return r;
	*ret_evidence = pm_steal(ev);
	return PM_OK;
}

static void free_views(struct pm_view *views, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free((void *)views[i].ptr);
}

void pm_snp_evidence_free(struct pm_snp_evidence *evidence)
{
	if (!evidence)
		return;
	free_views(evidence->certs, evidence->cert_count);
	free_views(evidence->crls, evidence->crl_count);
	free_views(&evidence->table, 1);
	free_views(&evidence->runtime_data, 1);
	free(evidence);
}

const struct pm_snp_fields *pm_snp_evidence_untrusted(const struct pm_snp_evidence *evidence)
{
	return &evidence->fields;
}

const uint8_t *pm_snp_evidence_untrusted_cert(
	const struct pm_snp_evidence *evidence, size_t index, size_t *ret_len)
{
	if (index >= evidence->cert_count)
		return NULL;
	*ret_len = evidence->certs[index].len;
	return evidence->certs[index].ptr;
}

int pm_snp_evidence_product(const struct pm_snp_evidence *evidence)
{
	const struct pm_snp_fields *f = &evidence->fields;

	return f->version < 3 ? 0 : pm_snp_product_by_cpuid(f->cpuid_family, f->cpuid_model);
}

/* Where it is among them; count: nowhere. */
static size_t find(const struct pm_view *views, size_t count, struct pm_view bytes)
{
	size_t i = 0;

	while (i < count && !pm_view_equal(views[i], bytes))
		i++;
	return i;
}

/* Where an added item goes: a certificate's bytes or a list's. */
struct adding {
	struct pm_snp_evidence *ev;
	struct pm_report *report;
	bool of_table;
};

/* Chains the digest of what was there with the new certificate. */
static int extend_digest(struct pm_snp_evidence *ev, struct pm_view der)
{
	const struct pm_view parts[] = {pm_view(ev->certs_digest, PM_SHA256_SIZE), der};
	uint8_t digest[PM_SHA256_SIZE];
	int r = pm_hash_parts(PM_SHA256, parts, 2, digest);

	if (r < 0)
		return r;
	pm_copy(ev->certs_digest, digest, sizeof(digest));
	return PM_OK;
}

/* At least of the outer form, so that whoever adds a file learns that it is the wrong one. */
static bool is_sequence(struct pm_view der)
{
	struct pm_view content;

	return pm_der_only(der, PM_DER_SEQUENCE, &content);
}

static int add_cert(struct pm_view der, void *arg)
{
	struct adding *a = arg;
	struct pm_snp_evidence *ev = a->ev;
	pm_cleanup(free) uint8_t *copy = NULL;
	int r;

	if (der.len > PM_CERT_SIZE_MAX)
		return pm_fail(a->report, PM_E_LIMIT, "certificate length", "at most 16384 bytes",
			"%zu bytes", der.len);
	if (!is_sequence(der))
		return pm_fail(a->report, PM_E_FORMAT, "certificate",
			"a DER certificate, nothing behind it", "%zu bytes that are not one",
			der.len);
	if (find(ev->certs, ev->cert_count, der) < ev->cert_count)
		return PM_OK;
	if (ev->cert_count == PM_SNP_CERTS_MAX)
		return pm_fail(a->report, PM_E_LIMIT, "certificates", "at most 16", "more");
	copy = pm_dup(der);
	if (!copy)
		return PM_E_NOMEM;
	r = extend_digest(ev, der);
	if (r < 0)
		return r;
	ev->certs[ev->cert_count++] = pm_view(pm_steal(copy), der.len);
	return PM_OK;
}

static int add_crl(struct pm_view der, void *arg)
{
	struct adding *a = arg;
	struct pm_snp_evidence *ev = a->ev;
	size_t i = find(ev->crls, ev->crl_count, der);
	uint8_t *copy;

	if (der.len > PM_CRL_SIZE_MAX)
		return pm_fail(
			a->report, PM_E_LIMIT, "CRL length", "at most 1 MiB", "%zu bytes", der.len);
	if (!is_sequence(der))
		return pm_fail(a->report, PM_E_FORMAT, "CRL", "a DER CRL, nothing behind it",
			"%zu bytes that are not one", der.len);
	if (i < ev->crl_count) {
		ev->crl_of_table[i] &= a->of_table;
		return PM_OK;
	}
	if (ev->crl_count == PM_SNP_CRLS_MAX)
		return pm_fail(a->report, PM_E_LIMIT, "CRLs", "at most 8", "more");
	copy = pm_dup(der);
	if (!copy)
		return PM_E_NOMEM;
	ev->crls[i] = pm_view(copy, der.len);
	ev->crl_of_table[i] = a->of_table;
	ev->crl_count++;
	return PM_OK;
}

/* Elements in a row, as tools write chains without PEM? */
static bool is_row(struct pm_view der)
{
	struct pm_view content;

	while (der.len) {
		if (!pm_der_get(&der, PM_DER_SEQUENCE, &content))
			return false;
	}
	return true;
}

static int add_row(struct adding *a, struct pm_view der, pm_pem_fn fn)
{
	struct pm_view whole, content;
	int r = PM_OK;

	if (!is_row(der))
		return fn(der, a); /* which says what is wrong */
	while (r == PM_OK && der.len) {
		if (!pm_der_get_whole(&der, PM_DER_SEQUENCE, &whole, &content))
			return PM_E_FORMAT;
		r = fn(whole, a);
	}
	return r;
}

/*
 * Hands each element of DER, or each block of PEM text, to fn. Whether it is more than a SEQUENCE,
 * verification finds out.
 */
static int add(struct adding *a, struct pm_view bytes, const char *label, pm_pem_fn fn)
{
	int r;

	if (bytes.len > PM_CRL_SIZE_MAX)
		return pm_fail(
			a->report, PM_E_LIMIT, label, "at most 1 MiB", "%zu bytes", bytes.len);
	if (!bytes.len)
		return pm_fail(a->report, PM_E_FORMAT, label, "DER or PEM", "nothing");
	if (!pm_pem_is(bytes))
		return add_row(a, bytes, fn);
	r = pm_pem_each(bytes, label, fn, a);
	if (r == PM_E_FORMAT)
		return pm_fail(a->report, r, label, "PEM blocks of that label",
			"none, or a malformed one");
	return r;
}

int pm_snp_evidence_add_certs(
	struct pm_snp_evidence *evidence, const void *bytes, size_t size, struct pm_report *report)
{
	struct adding a = {evidence, report};
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	return add(&a, pm_view(bytes, size), "CERTIFICATE", add_cert);
}

int pm_snp_evidence_add_crl(
	struct pm_snp_evidence *evidence, const void *bytes, size_t size, struct pm_report *report)
{
	struct adding a = {evidence, report};

	return add(&a, pm_view(bytes, size), "X509 CRL", add_crl);
}

int pm_snp_evidence_add_table_crl(
	struct pm_snp_evidence *evidence, struct pm_view bytes, struct pm_report *report)
{
	struct adding a = {evidence, report, .of_table = true};

	return add(&a, bytes, "X509 CRL", add_crl);
}
