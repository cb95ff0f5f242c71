/* SPDX-License-Identifier: Apache-2.0 */
/* The order of things: the overall token, that its parts are the ones it names, each device. */
#include <string.h>

#include <pm/text.h>

#include "base/hex.h"
#include "base/time.h"
#include "evidence/eat.h"

/* Times in tokens lie between these, so that sums with a skew can't wrap: 1970 and about 9999. */
#define TIME_MAX INT64_C(253402300799)

/* --- what each part says --------------------------------------------------------------------- */

static int read_time(const struct pm_eat_check *c, const json_t *claims, const char *name,
	const char *who, int64_t *ret)
{
	const json_t *value = json_object_get(claims, name);
	json_int_t n = json_integer_value(value);

	if (!json_is_integer(value) || n < 0 || n > TIME_MAX)
		return pm_fail(c->report, PM_E_FORMAT, name, "whole seconds", "%s: %s", who,
			value ? "another value" : "nothing");
	*ret = n;
	return PM_OK;
}

static int check_window(
	const struct pm_eat_check *c, const char *who, int64_t iat, int64_t nbf, int64_t exp)
{
	int64_t skew = c->policy->skew, age = c->policy->max_age;

	if (c->now >= exp + skew) /* RFC 7519, 4.1.4: "on or after" */
		return pm_fail(c->report, PM_E_STALE, "exp", pm_time(c->now).s, "%s: %s", who,
			pm_time(exp).s);
	if (c->now < nbf - skew)
		return pm_fail(c->report, PM_E_STALE, "nbf", pm_time(c->now).s, "%s: %s", who,
			pm_time(nbf).s);
	if (c->now < iat - skew)
		return pm_fail(c->report, PM_E_STALE, "iat", pm_time(c->now).s, "%s: %s", who,
			pm_time(iat).s);
	if (exp < nbf || exp - nbf > PM_EAT_LIFETIME_MAX)
		return pm_fail(c->report, PM_E_REJECTED, "exp", "a life of at most a day", "%s: %s",
			who, pm_time(exp).s);
	if (age && c->now - iat > age)
		return pm_fail(c->report, PM_E_STALE, "iat", "a younger token", "%s: %s", who,
			pm_time(iat).s);
	return PM_OK;
}

static int check_times(const struct pm_eat_check *c, const json_t *claims, const char *who)
{
	int64_t iat = 0, nbf = 0, exp = 0;
	int r = read_time(c, claims, "iat", who, &iat);

	if (r < 0)
		return r;
	r = read_time(c, claims, "nbf", who, &nbf);
	if (r < 0)
		return r;
	r = read_time(c, claims, "exp", who, &exp);
	if (r < 0)
		return r;
	r = check_window(c, who, iat, nbf, exp);
	if (r < 0)
		return r;
	pm_eat_until(c->facts, exp - 1);
	return PM_OK;
}

/* The nonce is hexadecimal. All parts have the one of the overall token, which comes first. */
static int check_nonce(const struct pm_eat_check *c, const json_t *claims, const char *who)
{
	const char *text = pm_eat_text(claims, "eat_nonce");
	uint8_t nonce[PM_EAT_NONCE_SIZE];

	if (!text || pm_hex_decode(text, nonce, sizeof(nonce)) < 0)
		return pm_fail(c->report, PM_E_REJECTED, "eat_nonce", "64 hexadecimal digits",
			"%s: %s", who, text ? text : "none");
	if (!pm_ct_equal(nonce, c->facts->nonce, sizeof(nonce)))
		return pm_fail(c->report, PM_E_REJECTED, "eat_nonce",
			pm_hex(c->facts->nonce, sizeof(nonce)).s, "%s: %s", who, text);
	return PM_OK;
}

int pm_eat_check_common(const struct pm_eat_check *c, const json_t *claims, const char *who)
{
	const char *issuer = pm_eat_text(claims, "iss");
	int r;

	if (!issuer || strcmp(issuer, c->facts->issuer) != 0)
		return pm_fail(c->report, PM_E_REJECTED, "iss", c->facts->issuer, "%s: %s", who,
			issuer ? issuer : "none");
	r = check_times(c, claims, who);
	return r < 0 ? r : check_nonce(c, claims, who);
}

/* --- the overall token ----------------------------------------------------------------------- */

/* Of whom, and for which nonce: what all parts are then compared with. */
static int set_terms(const struct pm_eat_check *c, const json_t *claims)
{
	const char *issuer = pm_eat_text(claims, "iss"), *nonce = pm_eat_text(claims, "eat_nonce");
	struct pm_eat_facts *facts = c->facts;

	if (!pm_eat_copy_text(issuer, facts->issuer) || !pm_eat_policy_issuer(c->policy, issuer))
		return pm_fail(c->report, PM_E_REJECTED, "iss", "an issuer that is allowed", "%s",
			issuer ? issuer : "none");
	pm_pass(c->report, "iss", "%s", issuer);
	if (c->policy->has_nonce)
		pm_copy(facts->nonce, c->policy->nonce, sizeof(facts->nonce));
	else if (!nonce || pm_hex_decode(nonce, facts->nonce, sizeof(facts->nonce)) < 0)
		return pm_fail(c->report, PM_E_REJECTED, "eat_nonce", "64 hexadecimal digits", "%s",
			nonce ? nonce : "none");
	facts->nonce_checked = c->policy->has_nonce;
	return PM_OK;
}

static int check_version(const struct pm_eat_check *c, const json_t *claims)
{
	const char *version = pm_eat_text(claims, "x-nvidia-ver");

	if (!version || (strcmp(version, "2.0") != 0 && strcmp(version, "3.0") != 0))
		return pm_fail(c->report, PM_E_UNSUPPORTED, "x-nvidia-ver", "2.0 or 3.0", "%s",
			version ? version : "none");
	c->facts->version = version[0] - '0';
	return PM_OK;
}

static int check_known(const struct pm_eat_check *c, json_t *claims)
{
	static const char *const known[] = {"sub", "iss", "exp", "nbf", "iat", "jti", "eat_nonce",
		"submods", "x-nvidia-ver", "x-nvidia-overall-att-result"};
	const char *name;
	json_t *value;

	json_object_foreach(claims, name, value)
	{
		size_t i = 0;

		while (i < PM_ARRAY_LEN(known) && strcmp(known[i], name) != 0)
			i++;
		if (i < PM_ARRAY_LEN(known))
			continue;
		if (!(c->policy->permissions & PM_EAT_PERMIT_UNKNOWN_CLAIMS))
			return pm_fail(c->report, PM_E_REJECTED, "unknown claim", "known claims",
				"overall: %s", name);
		pm_skip(c->report, "unknown claim", "overall: %s", name);
	}
	return PM_OK;
}

static int check_result(const struct pm_eat_check *c, const json_t *claims)
{
	static const char claim[] = "x-nvidia-overall-att-result";
	const char *sub = pm_eat_text(claims, "sub");

	if (!sub || strcmp(sub, "NVIDIA-PLATFORM-ATTESTATION") != 0)
		return pm_fail(c->report, PM_E_REJECTED, "sub", "NVIDIA-PLATFORM-ATTESTATION", "%s",
			sub ? sub : "none");
	if (!json_is_true(json_object_get(claims, claim)))
		return pm_fail(c->report, PM_E_REJECTED, claim, "true", "not so");
	pm_pass(c->report, claim, "true");
	return PM_OK;
}

/* Whose it is and how long it holds, once it is known to be so. */
static void note_origin(const struct pm_eat_check *c, const struct pm_jws *jws)
{
	struct pm_eat_facts *facts = c->facts;

	facts->issued_at = json_integer_value(json_object_get(jws->claims, "iat"));
	pm_copy(facts->kid, jws->kid, sizeof(jws->kid));
	if (!c->report)
		return;
	pm_pass(c->report, "exp, nbf, iat", "issued %s, until %s", pm_time(facts->issued_at).s,
		pm_time(facts->valid_until).s);
	if (facts->nonce_checked)
		pm_pass(c->report, "eat_nonce", "%s", pm_hex(facts->nonce, sizeof(facts->nonce)).s);
	else
		pm_skip(c->report, "eat_nonce", "%s", pm_hex(facts->nonce, sizeof(facts->nonce)).s);
}

static int check_overall(const struct pm_eat_check *c, const struct pm_jws *jws)
{
	int r = set_terms(c, jws->claims);

	if (r < 0)
		return r;
	r = check_version(c, jws->claims);
	if (r < 0)
		return r;
	r = pm_eat_check_common(c, jws->claims, "overall");
	if (r < 0)
		return r;
	note_origin(c, jws);
	r = check_known(c, jws->claims);
	return r < 0 ? r : check_result(c, jws->claims);
}

/* --- the parts ------------------------------------------------------------------------------- */

/* ["DIGEST", ["SHA-256", hex]] over the compact form of the part. */
static int check_digest(
	const struct pm_eat_check *c, const json_t *entry, const struct pm_eat_part *part)
{
	const json_t *pair = json_array_get(entry, 1);
	const char *word = json_string_value(json_array_get(entry, 0));
	const char *alg = json_string_value(json_array_get(pair, 0));
	const char *hex = json_string_value(json_array_get(pair, 1));
	uint8_t wanted[PM_SHA256_SIZE], found[PM_SHA256_SIZE];
	int r;

	if (json_array_size(entry) != 2 || json_array_size(pair) != 2 || !word ||
		strcmp(word, "DIGEST") != 0 || !alg || strcmp(alg, "SHA-256") != 0 || !hex ||
		pm_hex_decode(hex, wanted, sizeof(wanted)) < 0)
		return pm_fail(c->report, PM_E_FORMAT, "submods",
			"[\"DIGEST\", [\"SHA-256\", HEX]]", "%s: another", part->name);
	r = pm_hash(PM_SHA256, part->jws.text, found);
	if (r < 0)
		return r;
	if (!pm_ct_equal(wanted, found, sizeof(found)))
		return pm_fail(c->report, PM_E_REJECTED, "submods", hex, "%s: %s", part->name,
			pm_hex(found, sizeof(found)).s);
	return PM_OK;
}

/* As many parts as digests, and a digest for each part: then the sets are equal. */
static int check_digests(const struct pm_eat_check *c, const struct pm_eat *eat)
{
	const json_t *submods = json_object_get(eat->overall.claims, "submods");
	int r;

	if (!json_is_object(submods) || !json_object_size(submods))
		return pm_fail(c->report, PM_E_REJECTED, "submods", "digests of devices", "none");
	if (!eat->has_parts && c->policy->waivers & PM_EAT_WAIVE_DEVICES) {
		pm_skip(c->report, "submods", "%zu devices, whose tokens are not there",
			json_object_size(submods));
		return PM_OK;
	}
	if (!eat->has_parts)
		return pm_fail(
			c->report, PM_E_MISSING, "submods", "the tokens of the devices", "none");
	if (json_object_size(submods) != eat->count)
		return pm_fail(c->report, PM_E_REJECTED, "submods", "a token for each digest",
			"%zu tokens, %zu digests", eat->count, json_object_size(submods));
	for (size_t i = 0; i < eat->count; i++) {
		const json_t *entry = json_object_get(submods, eat->parts[i].name);

		if (!entry)
			return pm_fail(c->report, PM_E_REJECTED, "submods",
				"a digest for each token", "none for %s", eat->parts[i].name);
		r = check_digest(c, entry, &eat->parts[i]);
		if (r < 0)
			return r;
	}
	pm_pass(c->report, "submods", "%zu digests of %zu tokens", eat->count, eat->count);
	return PM_OK;
}

static int check_count(const struct pm_eat_check *c, size_t count)
{
	if (c->policy->count && c->policy->count != count)
		return pm_fail(c->report, PM_E_REJECTED, "devices", "as many as demanded",
			"%zu instead of %zu", count, c->policy->count);
	return PM_OK;
}

/* One good device must not stand for several. */
static int check_distinct(const struct pm_eat_check *c, const struct pm_eat *eat, size_t last)
{
	for (size_t i = 0; i < last; i++) {
		if (strcmp(eat->devices[i].ueid, eat->devices[last].ueid) == 0)
			return pm_fail(c->report, PM_E_REJECTED, "ueid", "another for each device",
				"%s and %s: %s", eat->devices[i].name, eat->devices[last].name,
				eat->devices[last].ueid);
	}
	return PM_OK;
}

static int check_parts(const struct pm_eat_check *c, const struct pm_jwks *jwks, struct pm_eat *eat)
{
	int r;

	for (size_t i = 0; i < eat->count; i++) {
		const struct pm_eat_part *part = &eat->parts[i];

		r = pm_jws_verify(&part->jws, jwks, c->policy, "device's token", c->report);
		if (r < 0)
			return r;
		r = pm_eat_check_device(c, part, &eat->devices[i]);
		if (r < 0)
			return r;
		r = check_distinct(c, eat, i);
		if (r < 0)
			return r;
	}
	return PM_OK;
}

/* --- a device's token alone ------------------------------------------------------------------ */

/* Devices have an identity, platforms none. */
static bool is_alone(const struct pm_eat *eat)
{
	return !eat->has_parts && json_object_get(eat->overall.claims, "ueid");
}

/*
 * The overall token would tell the kind and the version. Without it the claims themselves do: each
 * is then demanded as that version has it, so that a wrong guess can't but refuse.
 */
static void guess_kind(const struct pm_eat_check *c, struct pm_eat_part *part)
{
	static const char *const chains[] = {
		[PM_EAT_GPU] = "x-nvidia-gpu-attestation-report-cert-chain",
		[PM_EAT_SWITCH] = "x-nvidia-switch-attestation-report-cert-chain"};
	const json_t *claims = part->jws.claims;

	part->kind = PM_EAT_GPU;
	part->name = "GPU";
	if (json_object_get(claims, "x-nvidia-switch-arch-check")) {
		part->kind = PM_EAT_SWITCH;
		part->name = "SWITCH";
	}
	c->facts->version = json_object_get(claims, chains[part->kind]) ? 3 : 2;
}

static int verify_alone(
	struct pm_eat *eat, const struct pm_jwks *jwks, const struct pm_eat_check *c)
{
	struct pm_eat_part part = {.jws = eat->overall};
	int r;

	if (!(c->policy->waivers & PM_EAT_WAIVE_OVERALL))
		return pm_fail(
			c->report, PM_E_MISSING, "overall token", "beside the device's", "none");
	r = pm_jws_verify(&part.jws, jwks, c->policy, "device's token", c->report);
	if (r < 0)
		return r;
	pm_pass(c->report, "device's token", "ES384, kid %s", part.jws.kid);
	r = set_terms(c, part.jws.claims);
	if (r < 0)
		return r;
	guess_kind(c, &part);
	r = pm_eat_check_device(c, &part, &eat->devices[0]);
	if (r < 0)
		return r;
	note_origin(c, &part.jws);
	pm_skip(c->report, "overall token", "none");
	c->facts->device_count = 1;
	return check_count(c, 1);
}

/* --- all of it ------------------------------------------------------------------------------- */

static int verify(struct pm_eat *eat, const struct pm_jwks *jwks, const struct pm_eat_check *c)
{
	int r = pm_jws_verify(&eat->overall, jwks, c->policy, "overall token", c->report);

	if (r < 0)
		return r;
	pm_pass(c->report, "overall token", "ES384, kid %s", eat->overall.kid);
	r = check_overall(c, &eat->overall);
	if (r < 0)
		return r;
	r = check_digests(c, eat);
	if (r < 0)
		return r;
	r = check_count(c, eat->count);
	c->facts->device_count = eat->count;
	return r < 0 ? r : check_parts(c, jwks, eat);
}

int pm_eat_verify(struct pm_eat *eat, const struct pm_jwks *jwks,
	const struct pm_eat_policy *policy, int64_t now, struct pm_report *report,
	const struct pm_eat_facts **ret_facts)
{
	struct pm_eat_facts facts = {.valid_until = INT64_MAX};
	const struct pm_eat_check check = {policy, report, now, &facts};
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	eat->facts = (struct pm_eat_facts){0}; /* what was handed out before is no longer proved */
	r = pm_eat_policy_check_complete(policy, report);
	if (r < 0)
		return r;
	r = is_alone(eat) ? verify_alone(eat, jwks, &check) : verify(eat, jwks, &check);
	if (r < 0)
		return r;
	facts.devices = eat->devices;
	eat->facts = facts;
	*ret_facts = &eat->facts;
	return PM_OK;
}
