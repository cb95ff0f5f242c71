/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON in which NVIDIA's service wraps golden measurements. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include <pm/rim.h>
#include <pm/text.h>

#include "base/base64.h"
#include "base/hex.h"
#include "base/report.h"
#include "crypto/crypto.h"
#include "crypto/x509.h"
#include "net/gpu_fetch.h"

#define CHECK "rim.answer"

/* Longest answer: base64 of the longest document, and some more members. */
#define ANSWER_MAX (PM_BASE64_SIZE(PM_RIM_SIZE_MAX) + 8192)

static inline void pm_cleanup_json(json_t **p)
{
	json_decref(*p);
}

/* jansson does not tell a lack of memory from a malformed text but by its code. */
static int parse(struct pm_view text, struct pm_report *report, json_t **ret)
{
	json_error_t error = {0};
	json_t *root;

	root = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, &error);
	if (root) {
		*ret = root;
		return PM_OK;
	}
	if (json_error_code(&error) == json_error_out_of_memory)
		return PM_E_NOMEM;
	return pm_fail(report, PM_E_FORMAT, CHECK, "a JSON object", "%s", error.text);
}

/* A member of text, borrowed from the object. */
static int member(
	const json_t *root, const char *name, struct pm_report *report, struct pm_view *ret)
{
	const json_t *value = json_object_get(root, name);

	if (!json_is_string(value))
		return pm_fail(report, PM_E_FORMAT, CHECK, name, "no such text");
	*ret = pm_view(json_string_value(value), json_string_length(value));
	return PM_OK;
}

static int check_text(
	const json_t *root, const char *name, const char *want, int error, struct pm_report *report)
{
	struct pm_view text = {0};
	int r = member(root, name, report, &text);

	if (r < 0)
		return r;
	if (!pm_view_equal(text, pm_view(want, strlen(want))))
		return pm_fail(report, error, CHECK, want, "%s is %.*s", name,
			text.len < 100 ? (int)text.len : 100, text.ptr);
	return PM_OK;
}

/* The digest came the same way as the bytes: it finds damage. */
static int check_digest(const json_t *root, struct pm_view bytes, struct pm_report *report)
{
	uint8_t digest[PM_SHA256_SIZE], wanted[PM_SHA256_SIZE];
	struct pm_view text = {0};
	int r = member(root, "sha256", report, &text);

	if (r == PM_OK)
		r = pm_hash(PM_SHA256, bytes, digest);
	if (r < 0)
		return r;
	if (text.len != 2 * sizeof(wanted) ||
		pm_hex_decode((const char *)text.ptr, wanted, sizeof(wanted)) < 0)
		return pm_fail(report, PM_E_FORMAT, CHECK, "a SHA-256", "sha256 is none");
	if (!pm_ct_equal(digest, wanted, sizeof(digest)))
		return pm_fail(report, PM_E_REJECTED, CHECK, pm_hex(wanted, sizeof(wanted)).s,
			"SHA-256 %s", pm_hex(digest, sizeof(digest)).s);
	return PM_OK;
}

static int decode(const json_t *root, struct pm_report *report, uint8_t **ret, size_t *ret_len)
{
	pm_cleanup(free) uint8_t *bytes = pm_alloc(PM_RIM_SIZE_MAX);
	struct pm_view text = {0};
	size_t len;
	int r = member(root, "rim", report, &text);

	if (!bytes)
		return PM_E_NOMEM;
	if (r < 0)
		return r;
	r = pm_base64_decode(text, bytes, PM_RIM_SIZE_MAX, &len);
	if (r < 0)
		return pm_fail(report, r, CHECK, "base64 of at most 262144 bytes", "%zu characters",
			text.len);
	*ret = pm_steal(bytes);
	*ret_len = len;
	return PM_OK;
}

int pm_rim_unwrap(struct pm_view json, const char *id, struct pm_report *report, uint8_t **ret,
	size_t *ret_len)
{
	pm_cleanup(json) json_t *root = NULL;
	pm_cleanup(free) uint8_t *bytes = NULL;
	size_t len = 0;
	int r = parse(json, report, &root);

	if (r == PM_OK)
		r = check_text(root, "id", id, PM_E_REJECTED, report);
	if (r == PM_OK)
		r = check_text(root, "rim_format", "TCG", PM_E_UNSUPPORTED, report);
	if (r == PM_OK)
		r = decode(root, report, &bytes, &len);
	if (r == PM_OK)
		r = check_digest(root, pm_view(bytes, len), report);
	if (r < 0)
		return r;
	*ret = pm_steal(bytes);
	*ret_len = len;
	return PM_OK;
}

static int unwrap(const struct pm_net_item *item, struct pm_view body, struct pm_report *report,
	uint8_t **ret, size_t *ret_len)
{
	return pm_rim_unwrap(body, item->context, report, ret, ret_len);
}

static int check_document(
	const struct pm_net_item *item, struct pm_view bytes, struct pm_report *report)
{
	struct pm_rim_document *document;
	int r = pm_rim_parse(bytes.ptr, bytes.len, report, &document);

	(void)item;
	if (r == PM_OK)
		pm_rim_document_free(document);
	return r;
}

static int check_times(const struct pm_rim_document *document, int64_t now)
{
	for (size_t i = 0; i < PM_RIM_CERTS; i++) {
		pm_cleanup(pm_cert) struct pm_cert *cert = NULL;
		const uint8_t *der;
		size_t size;
		int r = pm_rim_document_cert(document, i, &der, &size);

		if (r == PM_OK)
			r = pm_cert_parse(pm_view(der, size), &cert);
		if (r == PM_OK)
			r = pm_cert_check_time(cert, now);
		if (r < 0)
			return r;
	}
	return PM_OK;
}

/* NVIDIA signs the same measurements again before a certificate ends: a copy from before is of no
 * use then. */
static enum pm_net_age age(
	const struct pm_net_item *item, struct pm_view bytes, int64_t stored, int64_t wall)
{
	struct pm_rim_document *document;
	int r = pm_rim_parse(bytes.ptr, bytes.len, NULL, &document);

	if (r < 0)
		return PM_NET_USELESS;
	r = check_times(document, item->now);
	pm_rim_document_free(document);
	return r < 0 ? PM_NET_USELESS : pm_net_age_by_time(stored, wall, PM_GPU_FETCH_RIM_FRESH);
}

const struct pm_net_kind pm_gpu_kind_rim = {.check = "rim.fetch",
	.body_max = ANSWER_MAX,
	.max = PM_RIM_SIZE_MAX,
	.unwrap = unwrap,
	.check_bytes = check_document,
	.age = age};
