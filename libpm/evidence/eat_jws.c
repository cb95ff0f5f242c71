/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One signed part of a token: JWS in its compact form, with one algorithm and one profile of the
 * header. Written here rather than taken from libjwt: its releases of today know no JWKS, take the
 * algorithm from the token, tolerate doubled members and loose base64url; over crypto.h and jansson
 * the whole of it is this file, and there is no algorithm to confuse.
 */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "evidence/eat.h"

#define ALGORITHM "ES384"

int pm_eat_json(const char *name, struct pm_view text, struct pm_report *report, json_t **ret)
{
	json_error_t e;
	json_t *json = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, &e);

	if (!json && json_error_code(&e) == json_error_out_of_memory)
		return PM_E_NOMEM;
	if (!json)
		return pm_fail(report, PM_E_FORMAT, name, "JSON without doubled keys",
			"at byte %d: %s", e.position, e.text);
	*ret = json;
	return PM_OK;
}

const char *pm_eat_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

bool pm_eat_copy_text(const char *text, char ret[PM_EAT_TEXT_SIZE])
{
	size_t n = text ? strlen(text) : 0;

	if (!n || n >= PM_EAT_TEXT_SIZE)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (text[i] < ' ' || text[i] > '~')
			return false;
	}
	memset(ret, 0, PM_EAT_TEXT_SIZE);
	pm_copy(ret, text, n);
	return true;
}

/* --- parse ----------------------------------------------------------------------------------- */

/* Up to the dot, which is consumed; the rest when last. */
static bool take_segment(struct pm_view *text, bool last, struct pm_view *ret)
{
	const uint8_t *dot = text->len ? memchr(text->ptr, '.', text->len) : NULL;
	size_t n = dot ? (size_t)(dot - text->ptr) : text->len;

	if (last == (dot != NULL))
		return false;
	*ret = pm_view(text->ptr, n);
	if (dot)
		*text = pm_view(dot + 1, text->len - n - 1);
	return true;
}

static int read_object(
	struct pm_view segment, const char *name, struct pm_report *report, json_t **ret)
{
	pm_cleanup(free) uint8_t *bytes = pm_alloc(segment.len + 1);
	pm_owned_json json_t *json = NULL;
	size_t len;
	int r;

	if (!bytes)
		return PM_E_NOMEM;
	r = pm_base64url_decode(segment, bytes, segment.len, &len);
	if (r < 0)
		return pm_fail(
			report, PM_E_FORMAT, name, "base64url without padding", "other text");
	r = pm_eat_json(name, pm_view(bytes, len), report, &json);
	if (r < 0)
		return r;
	if (!json_is_object(json))
		return pm_fail(report, PM_E_FORMAT, name, "a JSON object", "another value");
	*ret = pm_steal(json);
	return PM_OK;
}

/* alg, kid and perhaps typ: what else a header may hold changes what a signature means. */
static int check_header(
	json_t *header, const char *name, struct pm_report *report, char ret_kid[PM_EAT_TEXT_SIZE])
{
	const char *alg = pm_eat_text(header, "alg"), *typ = pm_eat_text(header, "typ");
	size_t known = 2 + (json_object_get(header, "typ") != NULL);

	if (!alg || strcmp(alg, ALGORITHM) != 0)
		return pm_fail(report, PM_E_UNSUPPORTED, name, "alg " ALGORITHM, "%s",
			alg ? alg : "none named");
	if (!pm_eat_copy_text(pm_eat_text(header, "kid"), ret_kid))
		return pm_fail(report, PM_E_FORMAT, name, "kid", "no key named");
	if (known == 3 && (!typ || strcmp(typ, "JWT") != 0))
		return pm_fail(
			report, PM_E_UNSUPPORTED, name, "typ JWT", "%s", typ ? typ : "other");
	if (json_object_size(header) != known)
		return pm_fail(report, PM_E_UNSUPPORTED, name, "a header of alg, kid and typ",
			"further members");
	return PM_OK;
}

static int read_signature(
	struct pm_view segment, const char *name, struct pm_report *report, uint8_t *ret)
{
	size_t len = 0;

	if (pm_base64url_decode(segment, ret, PM_JWS_SIGNATURE_SIZE, &len) < 0 ||
		len != PM_JWS_SIGNATURE_SIZE)
		return pm_fail(report, PM_E_FORMAT, name, "a signature of 96 bytes in base64url",
			"another");
	return PM_OK;
}

int pm_jws_parse(
	struct pm_view text, const char *name, struct pm_report *report, struct pm_jws *ret)
{
	struct pm_view left = text, head, body, signature;
	pm_owned_json json_t *header = NULL;
	pm_owned_json json_t *claims = NULL;
	int r;

	if (text.len > PM_EAT_TOKEN_SIZE_MAX)
		return pm_fail(report, PM_E_LIMIT, name, "at most 16384 bytes", "%zu", text.len);
	if (!take_segment(&left, false, &head) || !take_segment(&left, false, &body) ||
		!take_segment(&left, true, &signature))
		return pm_fail(report, PM_E_FORMAT, name, "three segments", "another number");
	r = read_object(head, name, report, &header);
	if (r < 0)
		return r;
	r = check_header(header, name, report, ret->kid);
	if (r < 0)
		return r;
	r = read_signature(signature, name, report, ret->signature);
	if (r < 0)
		return r;
	r = read_object(body, name, report, &claims);
	if (r < 0)
		return r;
	ret->text = text;
	ret->signed_part = pm_view(text.ptr, head.len + 1 + body.len);
	ret->claims = pm_steal(claims);
	return PM_OK;
}

void pm_jws_clear(struct pm_jws *jws)
{
	json_decref(jws->claims);
	jws->claims = NULL;
}

/* --- verify ---------------------------------------------------------------------------------- */

int pm_jws_verify(const struct pm_jws *jws, const struct pm_jwks *jwks,
	const struct pm_eat_policy *policy, const char *name, struct pm_report *report)
{
	const uint8_t *digest = NULL;
	const struct pm_pubkey *key = pm_jwks_find(jwks, jws->kid, &digest);
	int r;

	if (!key)
		return pm_fail(report, PM_E_MISSING, name, "kid of the JWKS", "%s", jws->kid);
	if (policy->keys.count && !pm_list_has(&policy->keys, digest))
		return pm_fail(report, PM_E_REJECTED, name, "a pinned key", "%s", jws->kid);
	r = pm_ecdsa_verify(
		key, PM_SHA384, jws->signed_part, pm_view(jws->signature, sizeof(jws->signature)));
	if (r < 0)
		return pm_fail(report, r, name, "an " ALGORITHM " signature that verifies",
			"another, kid %s", jws->kid);
	return PM_OK;
}
