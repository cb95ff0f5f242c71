/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the service says of one device, claim by claim. The tables below know every claim of the
 * versions 2.0 and 3.0; each has one value that means yes. A claim that is not there is no yes, and
 * one that no table knows is refused, unless the policy permits it: it may be a no.
 */
#include <string.h>

#include <pm/text.h>

#include "base/time.h"
#include "evidence/eat.h"
#include "evidence/gpu_version.h"

/* Which version of claims has it. */
#define V2  2u
#define V3  4u
#define ALL (V2 | V3)

enum rule {
	TRUE,	 /* true */
	CHAIN,	 /* an object: certificates valid, OCSP good */
	MEASRES, /* "success"; version 2: "comparison-successful" */
	DEBUG,	 /* "disabled" */
	MAKER,	 /* "5703", NVIDIA's number; null or absent too */
	UEID,	 /* decimal digits */
	MODEL,	 /* text */
	DRIVER,	 /* a version, decimal */
	VBIOS,	 /* a version, hexadecimal */
	NOTHING, /* null, or an empty array; absent too */
	WARNING, /* the same, unless the policy permits another */
	COMMON,	 /* pm_eat_check_common() has looked at it */
	ANY	 /* no verdict; absent too */
};

struct claim {
	const char *name;
	enum rule rule;
	unsigned int versions;
};

static const struct claim gpu_claims[] = {
	{"iss", COMMON, ALL},
	{"exp", COMMON, ALL},
	{"nbf", COMMON, ALL},
	{"iat", COMMON, ALL},
	{"eat_nonce", COMMON, ALL},
	{"jti", ANY, ALL},
	{"ueid", UEID, ALL},
	{"hwmodel", MODEL, ALL},
	{"oemid", MAKER, ALL},
	{"measres", MEASRES, ALL},
	{"secboot", TRUE, ALL},
	{"dbgstat", DEBUG, ALL},
	{"x-nvidia-attestation-warning", WARNING, ALL},
	{"x-nvidia-error-details", NOTHING, ALL},
	{"x-nvidia-mismatch-measurement-records", NOTHING, ALL},
	{"x-nvidia-gpu-arch-check", TRUE, ALL},
	{"x-nvidia-gpu-driver-version", DRIVER, ALL},
	{"x-nvidia-gpu-vbios-version", VBIOS, ALL},
	{"x-nvidia-gpu-attestation-report-parsed", TRUE, ALL},
	{"x-nvidia-gpu-attestation-report-nonce-match", TRUE, ALL},
	{"x-nvidia-gpu-attestation-report-signature-verified", TRUE, ALL},
	{"x-nvidia-gpu-attestation-report-cert-chain-validated", TRUE, V2},
	{"x-nvidia-gpu-attestation-report-cert-chain", CHAIN, V3},
	{"x-nvidia-gpu-attestation-report-cert-chain-fwid-match", TRUE, V3},
	{"x-nvidia-gpu-driver-rim-fetched", TRUE, ALL},
	{"x-nvidia-gpu-driver-rim-schema-validated", TRUE, ALL},
	{"x-nvidia-gpu-driver-rim-cert-validated", TRUE, V2},
	{"x-nvidia-gpu-driver-rim-cert-chain", CHAIN, V3},
	{"x-nvidia-gpu-driver-rim-version-match", TRUE, V3},
	{"x-nvidia-gpu-driver-rim-signature-verified", TRUE, ALL},
	{"x-nvidia-gpu-driver-rim-measurements-available", TRUE, ALL},
	{"x-nvidia-gpu-vbios-rim-fetched", TRUE, ALL},
	{"x-nvidia-gpu-vbios-rim-schema-validated", TRUE, ALL},
	{"x-nvidia-gpu-vbios-rim-cert-validated", TRUE, V2},
	{"x-nvidia-gpu-vbios-rim-cert-chain", CHAIN, V3},
	{"x-nvidia-gpu-vbios-rim-version-match", TRUE, V3},
	{"x-nvidia-gpu-vbios-rim-signature-verified", TRUE, ALL},
	{"x-nvidia-gpu-vbios-rim-measurements-available", TRUE, ALL},
	{"x-nvidia-gpu-vbios-index-no-conflict", TRUE, ALL},
};

/* Version 3.0 alone tells of switches. */
static const struct claim switch_claims[] = {
	{"iss", COMMON, V3},
	{"exp", COMMON, V3},
	{"nbf", COMMON, V3},
	{"iat", COMMON, V3},
	{"eat_nonce", COMMON, V3},
	{"jti", ANY, V3},
	{"ueid", UEID, V3},
	{"hwmodel", MODEL, V3},
	{"oemid", MAKER, V3},
	{"measres", MEASRES, V3},
	{"secboot", TRUE, V3},
	{"dbgstat", DEBUG, V3},
	{"x-nvidia-attestation-warning", WARNING, V3},
	{"x-nvidia-error-details", NOTHING, V3},
	{"x-nvidia-mismatch-measurement-records", NOTHING, V3},
	{"x-nvidia-switch-arch-check", TRUE, V3},
	{"x-nvidia-switch-bios-version", VBIOS, V3},
	{"x-nvidia-switch-attestation-report-parsed", TRUE, V3},
	{"x-nvidia-switch-attestation-report-nonce-match", TRUE, V3},
	{"x-nvidia-switch-attestation-report-signature-verified", TRUE, V3},
	{"x-nvidia-switch-attestation-report-cert-chain", CHAIN, V3},
	{"x-nvidia-switch-attestation-report-cert-chain-fwid-match", TRUE, V3},
	{"x-nvidia-switch-bios-rim-fetched", TRUE, V3},
	{"x-nvidia-switch-bios-rim-schema-validated", TRUE, V3},
	{"x-nvidia-switch-bios-rim-cert-chain", CHAIN, V3},
	{"x-nvidia-switch-bios-rim-version-match", TRUE, V3},
	{"x-nvidia-switch-bios-rim-signature-verified", TRUE, V3},
	{"x-nvidia-switch-bios-rim-measurements-available", TRUE, V3},
};

/* A device's claims while they are judged. */
struct judge {
	const struct pm_eat_check *check;
	const struct pm_eat_part *part;
	struct pm_eat_device *device;
};

static const char *type_of(const json_t *value)
{
	static const char *const types[] = {[JSON_OBJECT] = "an object",
		[JSON_ARRAY] = "an array",
		[JSON_STRING] = "a text",
		[JSON_INTEGER] = "a number",
		[JSON_REAL] = "a number",
		[JSON_TRUE] = "true",
		[JSON_FALSE] = "false",
		[JSON_NULL] = "null"};

	return value ? types[json_typeof(value)] : "nothing";
}

static int refuse(const struct judge *j, int error, const struct claim *c, const char *expected,
	const json_t *value)
{
	const char *text = json_string_value(value);

	return pm_fail(j->check->report, error, c->name, expected, "%s: %s", j->part->name,
		text ? text : type_of(value));
}

/* --- one rule each --------------------------------------------------------------------------- */

static int judge_word(
	const struct judge *j, const struct claim *c, const json_t *value, const char *word)
{
	const char *text = json_string_value(value);

	return text && strcmp(text, word) == 0 ? PM_OK : refuse(j, PM_E_REJECTED, c, word, value);
}

static int judge_maker(const struct judge *j, const struct claim *c, const json_t *value)
{
	return !value || json_is_null(value) ? PM_OK : judge_word(j, c, value, "5703");
}

static int judge_ueid(const struct judge *j, const struct claim *c, const json_t *value)
{
	const char *text = json_string_value(value);

	if (!pm_eat_copy_text(text, j->device->ueid) || text[strspn(text, "0123456789")] ||
		text[0] == '0')
		return refuse(j, PM_E_FORMAT, c, "a decimal number", value);
	return PM_OK;
}

static int judge_model(const struct judge *j, const struct claim *c, const json_t *value)
{
	if (!pm_eat_copy_text(json_string_value(value), j->device->hwmodel))
		return refuse(j, PM_E_FORMAT, c, "a text", value);
	return PM_OK;
}

static int judge_version(
	const struct judge *j, const struct claim *c, const json_t *value, int base, char *ret)
{
	struct pm_gpu_version v;

	if (!json_is_string(value) ||
		pm_gpu_version_parse(
			pm_view(json_string_value(value), json_string_length(value)), base, &v) < 0)
		return refuse(j, PM_E_FORMAT, c, "a version", value);
	pm_copy(ret, v.text, sizeof(v.text));
	return PM_OK;
}

static int judge_warning(
	const struct judge *j, const struct claim *c, const json_t *value, bool permitted)
{
	const char *text = json_string_value(value);

	if (!value || json_is_null(value) || (json_is_array(value) && !json_array_size(value)))
		return PM_OK;
	if (!permitted)
		return refuse(j, PM_E_REJECTED, c, "null", value);
	pm_skip(j->check->report, c->name, "%s: %s", j->part->name, text ? text : type_of(value));
	return PM_OK;
}

/* The members of a certificate chain's object; what else it holds is as unknown as a claim. */
static bool chain_known(const json_t *chain)
{
	static const char *const members[] = {"x-nvidia-cert-status", "x-nvidia-cert-ocsp-status",
		"x-nvidia-cert-expiration-date", "x-nvidia-cert-revocation-reason"};
	size_t known = 0;

	for (size_t i = 0; i < PM_ARRAY_LEN(members); i++)
		known += json_object_get(chain, members[i]) != NULL;
	return known == json_object_size(chain);
}

static bool has_word(const json_t *object, const char *member, const char *word)
{
	const char *text = pm_eat_text(object, member);

	return text && strcmp(text, word) == 0;
}

/* The certificates are the service's business, but what it says of their end must make sense. */
static int judge_chain(const struct judge *j, const struct claim *c, const json_t *value)
{
	const json_t *reason = json_object_get(value, "x-nvidia-cert-revocation-reason");
	const char *until = pm_eat_text(value, "x-nvidia-cert-expiration-date");
	bool strict = !(j->check->policy->permissions & PM_EAT_PERMIT_UNKNOWN_CLAIMS);
	int64_t end;

	if (!json_is_object(value))
		return refuse(j, PM_E_FORMAT, c, "an object", value);
	if (!has_word(value, "x-nvidia-cert-status", "valid"))
		return refuse(j, PM_E_REJECTED, c, "x-nvidia-cert-status valid",
			json_object_get(value, "x-nvidia-cert-status"));
	if (!has_word(value, "x-nvidia-cert-ocsp-status", "good"))
		return refuse(j, PM_E_REJECTED, c, "x-nvidia-cert-ocsp-status good",
			json_object_get(value, "x-nvidia-cert-ocsp-status"));
	if (reason && !json_is_null(reason))
		return refuse(j, PM_E_REJECTED, c, "no x-nvidia-cert-revocation-reason", reason);
	if (strict && !chain_known(value))
		return refuse(j, PM_E_REJECTED, c, "known members", value);
	if (!until || pm_time_parse(until, &end) < 0)
		return refuse(j, PM_E_FORMAT, c, "x-nvidia-cert-expiration-date",
			json_object_get(value, "x-nvidia-cert-expiration-date"));
	if (end < j->check->now)
		return refuse(j, PM_E_STALE, c, "certificates that have not expired",
			json_object_get(value, "x-nvidia-cert-expiration-date"));
	pm_eat_until(j->check->facts, end);
	return PM_OK;
}

static int judge_claim(const struct judge *j, const struct claim *c, const json_t *value)
{
	switch (c->rule) {
	case TRUE:
		return json_is_true(value) ? PM_OK : refuse(j, PM_E_REJECTED, c, "true", value);
	case CHAIN:
		return judge_chain(j, c, value);
	case MEASRES:
		return judge_word(j, c, value,
			j->check->facts->version == 2 ? "comparison-successful" : "success");
	case DEBUG:
		return judge_word(j, c, value, "disabled");
	case MAKER:
		return judge_maker(j, c, value);
	case UEID:
		return judge_ueid(j, c, value);
	case MODEL:
		return judge_model(j, c, value);
	case DRIVER:
		return judge_version(j, c, value, 10, j->device->driver);
	case VBIOS:
		return judge_version(j, c, value, 16, j->device->vbios);
	case NOTHING:
		return judge_warning(j, c, value, false);
	case WARNING:
		return judge_warning(
			j, c, value, j->check->policy->permissions & PM_EAT_PERMIT_WARNING);
	case COMMON:
	case ANY:
		return PM_OK;
	}
	return PM_E_REJECTED;
}

/* --- all of them ----------------------------------------------------------------------------- */

static bool is_known(
	const struct claim *claims, size_t count, unsigned int version, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (claims[i].versions & version && strcmp(claims[i].name, name) == 0)
			return true;
	}
	return false;
}

static int judge_unknown(
	const struct judge *j, const struct claim *claims, size_t count, unsigned int version)
{
	struct pm_report *report = j->check->report;
	const char *name;
	json_t *value;

	json_object_foreach(j->part->jws.claims, name, value)
	{
		if (is_known(claims, count, version, name))
			continue;
		if (!(j->check->policy->permissions & PM_EAT_PERMIT_UNKNOWN_CLAIMS))
			return pm_fail(report, PM_E_REJECTED, "unknown claim", "known claims",
				"%s: %s", j->part->name, name);
		pm_skip(report, "unknown claim", "%s: %s is %s", j->part->name, name,
			type_of(value));
	}
	return PM_OK;
}

static int judge_all(const struct judge *j, const struct claim *claims, size_t count)
{
	unsigned int version = 1u << (j->check->facts->version - 1);
	size_t judged = 0;
	int r;

	for (size_t i = 0; i < count; i++) {
		if (!(claims[i].versions & version))
			continue;
		r = judge_claim(
			j, &claims[i], json_object_get(j->part->jws.claims, claims[i].name));
		if (r < 0)
			return r;
		judged++;
	}
	if (!judged)
		return pm_fail(j->check->report, PM_E_UNSUPPORTED, "x-nvidia-ver",
			"3.0 for switches", "%d.0", j->check->facts->version);
	r = judge_unknown(j, claims, count, version);
	if (r < 0)
		return r;
	pm_pass(j->check->report, "device", "%s: %s, driver %s, VBIOS %s, %zu claims",
		j->part->name, j->device->hwmodel,
		j->device->driver[0] ? j->device->driver : "none", j->device->vbios, judged);
	return PM_OK;
}

int pm_eat_check_device(
	const struct pm_eat_check *c, const struct pm_eat_part *part, struct pm_eat_device *ret)
{
	const struct judge j = {c, part, ret};
	int r = pm_eat_check_common(c, part->jws.claims, part->name);

	if (r < 0)
		return r;
	*ret = (struct pm_eat_device){.kind = part->kind};
	pm_copy(ret->name, part->name, strlen(part->name));
	if (part->kind == PM_EAT_GPU)
		return judge_all(&j, gpu_claims, PM_ARRAY_LEN(gpu_claims));
	return judge_all(&j, switch_claims, PM_ARRAY_LEN(switch_claims));
}
