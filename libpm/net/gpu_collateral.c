/* SPDX-License-Identifier: Apache-2.0 */
#include <pm/gpu_collateral.h>

#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "crypto/crypto.h"
#include "evidence/ocsp.h"
#include "evidence/rim.h"

#define ALL_FLAGS                                                                                  \
	(PM_GPU_COLLATERAL_NO_RIM | PM_GPU_COLLATERAL_NO_OCSP | PM_GPU_COLLATERAL_OCSP_NONCE)

/* Certificates that were asked about: as many as there may be responses. */
#define ASKED_MAX PM_OCSP_RESPONSES_MAX

/* Bytes of ours. */
struct blob {
	uint8_t *ptr;
	size_t len;
};

struct golden {
	char id[PM_GPU_RIM_ID_SIZE]; /* "" for one that the caller gave */
	struct blob xml;
	struct pm_rim_document *document;
};

struct pm_gpu_collateral {
	struct golden rims[PM_GPU_COLLATERAL_RIMS_MAX];
	size_t rim_count;
	struct pm_rim *verified[PM_GPU_COLLATERAL_RIMS_MAX];
	size_t verified_count;
	struct pm_ocsp_set *set;
	struct blob responses[PM_OCSP_RESPONSES_MAX];
	size_t response_count;
	uint8_t asked[ASKED_MAX][PM_SHA256_SIZE];
	size_t asked_count;
};

PM_OWNER(pm_gpu_collateral, pm_gpu_collateral_free);

/* One call's view. */
struct job {
	struct pm_gpu_collateral *c;
	struct pm_gpu_fetch *fetch;
	const struct pm_gpu_evidence *evidence;
	unsigned int flags;
	int64_t now;
	struct pm_report *report;
};

/* --- the object ------------------------------------------------------------------------------ */

int pm_gpu_collateral_new(struct pm_gpu_collateral **ret_collateral)
{
	pm_cleanup(pm_gpu_collateral) struct pm_gpu_collateral *c = NULL;
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	c = pm_alloc(sizeof(*c));
	if (!c)
		return PM_E_NOMEM;
	r = pm_ocsp_set_new(&c->set);
	if (r == PM_OK)
		*ret_collateral = pm_steal(c);
	return r;
}

static void drop_verified(struct pm_gpu_collateral *c)
{
	for (size_t i = 0; i < c->verified_count; i++)
		pm_rim_free(c->verified[i]);
	c->verified_count = 0;
}

void pm_gpu_collateral_free(struct pm_gpu_collateral *collateral)
{
	if (!collateral)
		return;
	drop_verified(collateral);
	for (size_t i = 0; i < collateral->rim_count; i++) {
		pm_rim_document_free(collateral->rims[i].document);
		free(collateral->rims[i].xml.ptr);
	}
	for (size_t i = 0; i < collateral->response_count; i++)
		free(collateral->responses[i].ptr);
	pm_ocsp_set_free(collateral->set);
	free(collateral);
}

/* --- adding ---------------------------------------------------------------------------------- */

static int add_rim(
	struct pm_gpu_collateral *c, const char *id, struct pm_view xml, struct pm_report *report)
{
	struct golden *slot = &c->rims[c->rim_count];
	pm_cleanup(pm_rim_document) struct pm_rim_document *document = NULL;
	uint8_t *copy;
	int r;

	if (c->rim_count == PM_GPU_COLLATERAL_RIMS_MAX)
		return pm_fail(report, PM_E_LIMIT, "gpu.rims", "at most 32", "one more");
	r = pm_rim_parse(xml.ptr, xml.len, report, &document);
	if (r < 0)
		return r;
	copy = pm_dup(xml);
	if (!copy)
		return PM_E_NOMEM;
	pm_copy(slot->id, id, strlen(id) + 1);
	slot->xml = (struct blob){copy, xml.len};
	slot->document = pm_steal(document);
	c->rim_count++;
	drop_verified(c);
	return PM_OK;
}

int pm_gpu_collateral_add_rim(struct pm_gpu_collateral *collateral, const uint8_t *xml, size_t size,
	struct pm_report *report)
{
	return add_rim(collateral, "", pm_view(xml, size), report);
}

/* The set drops what it has already; so do we. */
static int add_ocsp(struct pm_gpu_collateral *c, struct pm_view der, const uint8_t *nonce,
	struct pm_report *report)
{
	size_t before = pm_ocsp_set_count(c->set);
	uint8_t *copy;
	int r;

	if (c->response_count == PM_OCSP_RESPONSES_MAX)
		return pm_fail(report, PM_E_LIMIT, "gpu.ocsp", "at most 64", "one more");
	copy = pm_dup(der);
	if (!copy)
		return PM_E_NOMEM;
	r = nonce ? pm_ocsp_set_add_for(c->set, der.ptr, der.len, nonce, report)
		  : pm_ocsp_set_add(c->set, der.ptr, der.len, report);
	if (r == PM_OK && pm_ocsp_set_count(c->set) > before)
		c->responses[c->response_count++] = (struct blob){pm_steal(copy), der.len};
	free(copy);
	return r;
}

int pm_gpu_collateral_add_ocsp(struct pm_gpu_collateral *collateral, const uint8_t *der,
	size_t size, struct pm_report *report)
{
	return add_ocsp(collateral, pm_view(der, size), NULL, report);
}

/* --- fetching: revocation -------------------------------------------------------------------- */

static bool was_asked(const struct pm_gpu_collateral *c, const uint8_t *digest)
{
	for (size_t i = 0; i < c->asked_count; i++) {
		if (pm_ct_equal(c->asked[i], digest, PM_SHA256_SIZE))
			return true;
	}
	return false;
}

static int fetch_response(const struct job *j, struct pm_view cert, struct pm_view issuer)
{
	pm_cleanup(free) uint8_t *der = NULL;
	uint8_t nonce[PM_OCSP_NONCE_SIZE];
	bool with_nonce = j->flags & PM_GPU_COLLATERAL_OCSP_NONCE;
	size_t size;
	int r;

	pm_random(nonce, sizeof(nonce));
	r = pm_gpu_fetch_ocsp(j->fetch, cert.ptr, cert.len, issuer.ptr, issuer.len,
		with_nonce ? nonce : NULL, j->now, j->report, &der, &size);
	if (r < 0)
		return r;
	return add_ocsp(j->c, pm_view(der, size), with_nonce ? nonce : NULL, j->report);
}

/* What several devices or documents share is asked about once. */
static int ask_about(const struct job *j, struct pm_view cert, struct pm_view issuer)
{
	uint8_t digest[PM_SHA256_SIZE];
	int r = pm_hash(PM_SHA256, cert, digest);

	if (r < 0 || was_asked(j->c, digest))
		return r;
	if (j->c->asked_count == ASKED_MAX)
		return pm_fail(j->report, PM_E_LIMIT, "gpu.ocsp", "at most 64", "one more");
	r = fetch_response(j, cert, issuer);
	if (r == PM_OK)
		pm_copy(j->c->asked[j->c->asked_count++], digest, sizeof(digest));
	return r;
}

static int device_cert(const struct job *j, size_t index, struct pm_view *ret)
{
	return pm_gpu_evidence_cert(j->evidence, index, &ret->ptr, &ret->len);
}

/* The device's own is of its firmware's making, and the root is pinned. */
static int ask_about_device(const struct job *j)
{
	for (size_t i = 1; i + 1 < PM_GPU_CERTS; i++) {
		struct pm_view cert, issuer;
		int r = device_cert(j, i, &cert);

		if (r == PM_OK)
			r = device_cert(j, i + 1, &issuer);
		if (r == PM_E_MISSING)
			return pm_fail(j->report, r, "gpu.certs", "5", "fewer");
		if (r == PM_OK)
			r = ask_about(j, cert, issuer);
		if (r < 0)
			return r;
	}
	return PM_OK;
}

static int ask_about_document(const struct job *j, const struct pm_rim_document *document)
{
	for (size_t i = 0; i + 1 < PM_RIM_CERTS; i++) {
		struct pm_view cert, issuer;
		int r = pm_rim_document_cert(document, i, &cert.ptr, &cert.len);

		if (r == PM_OK)
			r = pm_rim_document_cert(document, i + 1, &issuer.ptr, &issuer.len);
		if (r == PM_OK)
			r = ask_about(j, cert, issuer);
		if (r < 0)
			return r;
	}
	return PM_OK;
}

static int ask_about_all(const struct job *j)
{
	int r = ask_about_device(j);

	for (size_t i = 0; r == PM_OK && i < j->c->rim_count; i++)
		r = ask_about_document(j, j->c->rims[i].document);
	return r;
}

/* --- fetching: golden measurements ----------------------------------------------------------- */

static bool has_rim(const struct pm_gpu_collateral *c, const char *id)
{
	for (size_t i = 0; i < c->rim_count; i++) {
		if (!strcmp(c->rims[i].id, id))
			return true;
	}
	return false;
}

static int fetch_rim(const struct job *j, enum pm_rim_kind kind)
{
	pm_cleanup(free) uint8_t *xml = NULL;
	char id[PM_GPU_RIM_ID_SIZE];
	size_t size;
	int r = pm_gpu_evidence_rim_id(j->evidence, kind, id);

	if (r == PM_E_MISSING || r == PM_E_UNSUPPORTED)
		return pm_fail(j->report, r, "gpu.rim", "a device that says what it is",
			"no name for its measurements");
	if (r < 0 || has_rim(j->c, id))
		return r;
	r = pm_gpu_fetch_rim(j->fetch, id, j->now, j->report, &xml, &size);
	return r < 0 ? r : add_rim(j->c, id, pm_view(xml, size), j->report);
}

static int fetch_rims(const struct job *j)
{
	int r;

	if (pm_gpu_evidence_arch(j->evidence) == PM_GPU_LS10)
		return fetch_rim(j, PM_RIM_SWITCH);
	r = fetch_rim(j, PM_RIM_DRIVER);
	return r < 0 ? r : fetch_rim(j, PM_RIM_VBIOS);
}

int pm_gpu_collateral_fetch(struct pm_gpu_collateral *collateral, struct pm_gpu_fetch *fetch,
	const struct pm_gpu_evidence *evidence, unsigned int flags, int64_t now,
	struct pm_report *report)
{
	const struct job j = {collateral, fetch, evidence, flags, now, report};
	int r = PM_OK;

	if (flags & ~(unsigned int)ALL_FLAGS)
		return PM_E_ARG;
	if (!(flags & PM_GPU_COLLATERAL_NO_RIM))
		r = fetch_rims(&j);
	if (r == PM_OK && !(flags & PM_GPU_COLLATERAL_NO_OCSP))
		r = ask_about_all(&j);
	return r;
}

/* --- verifying ------------------------------------------------------------------------------- */

int pm_gpu_collateral_verify(struct pm_gpu_collateral *collateral,
	const struct pm_gpu_policy *policy, int64_t now, struct pm_report *report)
{
	int r = PM_OK;

	drop_verified(collateral);
	for (size_t i = 0; r == PM_OK && i < collateral->rim_count; i++) {
		r = pm_rim_verify(collateral->rims[i].document, policy, collateral->set, now,
			report, &collateral->verified[i]);
		if (r == PM_OK)
			collateral->verified_count++;
	}
	if (r < 0)
		drop_verified(collateral);
	return r;
}

const struct pm_rim *const *pm_gpu_collateral_rims(
	const struct pm_gpu_collateral *collateral, size_t *ret_count)
{
	*ret_count = collateral->verified_count;
	return (const struct pm_rim *const *)collateral->verified;
}

const struct pm_ocsp_set *pm_gpu_collateral_ocsp(const struct pm_gpu_collateral *collateral)
{
	return collateral->set;
}

const uint8_t *pm_gpu_collateral_rim_at(
	const struct pm_gpu_collateral *collateral, size_t index, size_t *ret_size)
{
	if (index >= collateral->rim_count)
		return NULL;
	*ret_size = collateral->rims[index].xml.len;
	return collateral->rims[index].xml.ptr;
}

const uint8_t *pm_gpu_collateral_ocsp_at(
	const struct pm_gpu_collateral *collateral, size_t index, size_t *ret_size)
{
	if (index >= collateral->response_count)
		return NULL;
	*ret_size = collateral->responses[index].len;
	return collateral->responses[index].ptr;
}
