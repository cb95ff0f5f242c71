/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/ocsp_set.h"

#include <stdlib.h>

#include "base/hex.h"
#include "base/report.h"
#include "evidence/ocsp.h"

/* For each response its signature and its responder's certificate. */
#define VERIFIED_MAX (2 * PM_OCSP_RESPONSES_MAX)

int pm_ocsp_set_new(struct pm_ocsp_set **ret_set)
{
	pm_cleanup(pm_ocsp_set) struct pm_ocsp_set *set = NULL;
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	set = pm_alloc(sizeof(*set));
	if (!set)
		return PM_E_NOMEM;
	r = pm_lru_new(VERIFIED_MAX, &set->verified);
	if (r < 0)
		return r;
	*ret_set = pm_steal(set);
	return PM_OK;
}

static void free_response(struct pm_ocsp_response *response)
{
	if (response)
		free((void *)response->der.ptr);
	free(response);
}

static void pm_cleanup_response(struct pm_ocsp_response **p)
{
	free_response(*p);
}

void pm_ocsp_set_free(struct pm_ocsp_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->count; i++)
		free_response(set->responses[i]);
	pm_lru_free(set->verified);
	free(set);
}

size_t pm_ocsp_set_count(const struct pm_ocsp_set *set)
{
	return set->count;
}

static bool has(const struct pm_ocsp_set *set, struct pm_view der)
{
	for (size_t i = 0; i < set->count; i++) {
		if (pm_view_equal(set->responses[i]->der, der))
			return true;
	}
	return false;
}

/* What was sent must come back: else it may be the answer to another's question of yesterday. */
static int check_nonce(
	const struct pm_ocsp_response *response, const uint8_t *nonce, struct pm_report *report)
{
	if (!response->has_nonce)
		return pm_fail(report, PM_E_REJECTED, "OCSP, nonce",
			pm_hex(nonce, PM_OCSP_NONCE_SIZE).s, "none");
	if (response->nonce.len != PM_OCSP_NONCE_SIZE)
		return pm_fail(report, PM_E_REJECTED, "OCSP, nonce",
			pm_hex(nonce, PM_OCSP_NONCE_SIZE).s, "%zu bytes", response->nonce.len);
	return pm_check_bytes(
		report, "OCSP, nonce", nonce, response->nonce.ptr, PM_OCSP_NONCE_SIZE);
}

static int parse(struct pm_view der, const uint8_t *nonce, struct pm_report *report,
	struct pm_ocsp_response **ret)
{
	__attribute__((cleanup(pm_cleanup_response))) struct pm_ocsp_response *response = NULL;
	struct pm_view copy = {NULL, der.len};
	int r;

	response = pm_alloc(sizeof(*response));
	if (!response)
		return PM_E_NOMEM;
	copy.ptr = pm_dup(der);
	if (!copy.ptr)
		return PM_E_NOMEM;
	response->der = copy;
	r = pm_ocsp_response_read(copy, report, response);
	if (r < 0)
		return r;
	if (nonce) {
		r = check_nonce(response, nonce, report);
		if (r < 0)
			return r;
	}
	*ret = pm_steal(response);
	return PM_OK;
}

static int add(
	struct pm_ocsp_set *set, struct pm_view der, const uint8_t *nonce, struct pm_report *report)
{
	struct pm_ocsp_response *response = NULL;
	int r;

	if (der.len > PM_OCSP_RESPONSE_SIZE_MAX)
		return pm_fail(report, PM_E_LIMIT, "OCSP response", "at most 16384 bytes",
			"%zu bytes", der.len);
	r = parse(der, nonce, report, &response);
	if (r < 0)
		return r;
	if (has(set, der)) {
		free_response(response);
		return PM_OK;
	}
	if (set->count == PM_OCSP_RESPONSES_MAX) {
		free_response(response);
		return pm_fail(report, PM_E_LIMIT, "OCSP responses", "at most 64", "more");
	}
	set->responses[set->count++] = response;
	return PM_OK;
}

int pm_ocsp_set_add(struct pm_ocsp_set *set, const void *der, size_t size, struct pm_report *report)
{
	return add(set, pm_view(der, size), NULL, report);
}

int pm_ocsp_set_add_for(struct pm_ocsp_set *set, const void *der, size_t size, const uint8_t *nonce,
	struct pm_report *report)
{
	return add(set, pm_view(der, size), nonce, report);
}
