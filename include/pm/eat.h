/* SPDX-License-Identifier: Apache-2.0 */
/** @file eat.h
 * Tokens of NVIDIA's remote attestation service (NRAS): detached entity attestation tokens, of one
 * overall token and one for each GPU or switch. The service has looked at the evidence; who
 * believes a token believes the service, its keys and its clock, where pm_gpu_verify() (gpu.h)
 * believes the device alone. Prefer that.
 *
 * A token is accepted only as a whole, unless the policy waives a part: every part signed with
 * ES384 by a key that the caller trusts (no other algorithm exists here), for the caller's nonce,
 * within its time, by an issuer that the caller allows; the parts are exactly those whose digests
 * the overall token names; and each claim of each device is known and says yes. Nothing is
 * downloaded, no clock is read.
 *
 * The keys (a JWKS) are the root of trust: fetch them over TLS from the service, or get them from
 * whoever you trust. Certificates in them (x5c) are not looked at, since the root above them is
 * not published; pm_eat_policy_pin_key() narrows a set down to keys that are known.
 *
 * A token is parsed and not trusted; facts exist after pm_eat_verify() said yes. Objects may be
 * read by several threads when nobody changes them; pm_eat_verify() changes the token.
 *
 * Sources: RFC 7515 (JWS), RFC 7517 (JWK), RFC 7518 (ES384), RFC 7519 (JWT), RFC 9711 (EAT); the
 * claims are NVIDIA's, versions 2.0 and 3.0.
 */
#ifndef PM_EAT_H
#define PM_EAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <pm/error.h>
#include <pm/report.h>

PM_BEGIN_DECLS

/** Longest detached token that is read. */
#define PM_EAT_SIZE_MAX 262144
/** Longest single token in it. */
#define PM_EAT_TOKEN_SIZE_MAX 16384
/** Most devices of a token. */
#define PM_EAT_DEVICES_MAX 32
/** Longest JWKS that is read. */
#define PM_JWKS_SIZE_MAX 131072
/** Most keys of a JWKS. */
#define PM_JWKS_KEYS_MAX 64
/** Size of the nonce. */
#define PM_EAT_NONCE_SIZE 32
/** Longest text of a claim or name that facts hold, with its final NUL. */
#define PM_EAT_TEXT_SIZE 128
/** Most members of each list of a policy. */
#define PM_EAT_POLICY_LIST_MAX 16
/** The issuer that a policy allows unless it names others. */
#define PM_EAT_ISSUER "https://nras.attestation.nvidia.com"
/** How far the service's clock may be off, unless the policy says otherwise, in seconds. */
#define PM_EAT_SKEW_DEFAULT 60
/** The most that a policy can say, in seconds. */
#define PM_EAT_SKEW_MAX 600
/** The longest life of a token that is accepted, in seconds; the service's live one hour. */
#define PM_EAT_LIFETIME_MAX 86400

/** What pm_eat_policy_waive() can waive. */
enum pm_eat_waiver {
	/** Any nonce: the token may be an old one, or another's. */
	PM_EAT_WAIVE_NONCE = 1,
	/** An overall token alone: it says yes, and of nothing that can be named. No devices. */
	PM_EAT_WAIVE_DEVICES = 2,
	/** A device's token alone: of that device all is checked, of its neighbours nothing. */
	PM_EAT_WAIVE_OVERALL = 4
};

/** What pm_eat_policy_permit() can permit and is refused otherwise. */
enum pm_eat_permission {
	/** Claims that libpm does not know; they are listed in the report. */
	PM_EAT_PERMIT_UNKNOWN_CLAIMS = 1,
	/** A warning of the service, such as of a certificate on hold; it is in the report. */
	PM_EAT_PERMIT_WARNING = 2
};

/** Kind of device. */
enum pm_eat_kind {
	/** A GPU. */
	PM_EAT_GPU = 1,
	/** An NVLink switch. */
	PM_EAT_SWITCH = 2
};

/** What the service says of one device. Texts are printable ASCII. */
struct pm_eat_device {
	/** Kind. */
	enum pm_eat_kind kind;
	/** Name in the token, such as "GPU-0"; "GPU" or "SWITCH" of one that came alone. */
	char name[PM_EAT_TEXT_SIZE];
	/** Serial number of the device's certificate, decimal; differs from all others' here. */
	char ueid[PM_EAT_TEXT_SIZE];
	/** Model, such as "GH100 A01 GSP BROM". */
	char hwmodel[PM_EAT_TEXT_SIZE];
	/** Version of the driver; "" for a switch. */
	char driver[PM_EAT_TEXT_SIZE];
	/** Version of the VBIOS, of a switch the BIOS, in upper case. */
	char vbios[PM_EAT_TEXT_SIZE];
};

/** What a token proves, to those who believe the service. */
struct pm_eat_facts {
	/** Version of the claims: 2 or 3. */
	int version;
	/** Who issued it. */
	char issuer[PM_EAT_TEXT_SIZE];
	/** Name of the key of the overall token, or of the device's that came alone. */
	char kid[PM_EAT_TEXT_SIZE];
	/** When it was issued. */
	int64_t issued_at;
	/** The last second in which all of it holds: tokens, and the certificates they tell of. */
	int64_t valid_until;
	/** The nonce that it is for. */
	uint8_t nonce[PM_EAT_NONCE_SIZE];
	/** The nonce was the one demanded; else it was waived. */
	bool nonce_checked;
	/** The devices, in the order of the token; none when they were waived and not given. */
	const struct pm_eat_device *devices;
	/** How many. */
	size_t device_count;
};

/** Keys that a caller trusts. */
struct pm_jwks;
/** What to demand of a token. */
struct pm_eat_policy;
/** A token, parsed and not trusted. */
struct pm_eat;

/**
 * pm_jwks_parse - read a set of keys
 * @json: a JWKS
 * @size: how many bytes, at most PM_JWKS_SIZE_MAX
 * @report: receives the reason of a failure, or NULL
 * @ret_jwks: receives the set, to be freed with pm_jwks_free()
 *
 * Keys other than of P-384, for another use or algorithm, or without a name (kid) are left out. A
 * key of P-384 must be whole: a point of the curve, public, and with a name that no other key has.
 *
 * Return: 0; PM_E_FORMAT, PM_E_LIMIT, PM_E_MISSING when no usable key is left, PM_E_NOMEM,
 * PM_E_CRYPTO.
 */
PM_API int pm_jwks_parse(const void *json, size_t size, struct pm_report *report,
	struct pm_jwks **ret_jwks) PM_MUST_USE;

/**
 * pm_jwks_free - free a set of keys
 * @jwks: the set, or NULL
 */
PM_API void pm_jwks_free(struct pm_jwks *jwks);

/**
 * pm_eat_policy_new - make a policy that refuses everything
 * @ret_policy: receives the policy, to be freed with pm_eat_policy_free()
 *
 * A nonce must be demanded or waived by name. What is not set means the safe default: the service's
 * production issuer, at least one device, no unknown claim, no warning.
 *
 * Return: 0; PM_E_NOMEM.
 */
PM_API int pm_eat_policy_new(struct pm_eat_policy **ret_policy) PM_MUST_USE;

/**
 * pm_eat_policy_free - free a policy
 * @policy: the policy, or NULL
 */
PM_API void pm_eat_policy_free(struct pm_eat_policy *policy);

/**
 * pm_eat_policy_expect_nonce - demand this nonce, in the overall token and in each device's
 * @policy: the policy
 * @nonce: the PM_EAT_NONCE_SIZE bytes that the verifier chose
 *
 * A demand prevails over PM_EAT_WAIVE_NONCE.
 *
 * Return: 0.
 */
PM_API int pm_eat_policy_expect_nonce(
	struct pm_eat_policy *policy, const uint8_t *nonce) PM_MUST_USE;

/**
 * pm_eat_policy_waive - do without what must be demanded
 * @policy: the policy
 * @waivers: enum pm_eat_waiver values, or-ed; added to those before
 *
 * Return: 0; PM_E_ARG for another bit.
 */
PM_API int pm_eat_policy_waive(struct pm_eat_policy *policy, unsigned int waivers) PM_MUST_USE;

/**
 * pm_eat_policy_permit - permit what is refused by default
 * @policy: the policy
 * @permissions: enum pm_eat_permission values, or-ed; added to those before
 *
 * Return: 0; PM_E_ARG for another bit.
 */
PM_API int pm_eat_policy_permit(struct pm_eat_policy *policy, unsigned int permissions) PM_MUST_USE;

/**
 * pm_eat_policy_allow_issuer - accept tokens of this issuer
 * @policy: the policy
 * @issuer: exactly as in the claim "iss"; the first call replaces the default, PM_EAT_ISSUER
 *
 * Return: 0; PM_E_ARG for the empty text and one that is too long; PM_E_LIMIT; PM_E_NOMEM.
 */
PM_API int pm_eat_policy_allow_issuer(struct pm_eat_policy *policy, const char *issuer) PM_MUST_USE;

/**
 * pm_eat_policy_pin_key - accept signatures of this key
 * @policy: the policy
 * @spki_sha256: SHA-256 of its SubjectPublicKeyInfo in DER; without a pin each key of the set does
 *
 * Return: 0; PM_E_LIMIT; PM_E_NOMEM.
 */
PM_API int pm_eat_policy_pin_key(
	struct pm_eat_policy *policy, const uint8_t *spki_sha256) PM_MUST_USE;

/**
 * pm_eat_policy_expect_count - demand so many devices
 * @policy: the policy
 * @count: 1 to PM_EAT_DEVICES_MAX; without a demand any number but none does
 *
 * Return: 0; PM_E_ARG.
 */
PM_API int pm_eat_policy_expect_count(struct pm_eat_policy *policy, size_t count) PM_MUST_USE;

/**
 * pm_eat_policy_max_age - demand that the token was issued lately
 * @policy: the policy
 * @seconds: above 0; without a demand the token's own end alone counts
 *
 * Return: 0; PM_E_ARG.
 */
PM_API int pm_eat_policy_max_age(struct pm_eat_policy *policy, int64_t seconds) PM_MUST_USE;

/**
 * pm_eat_policy_skew - how far the service's clock may be off
 * @policy: the policy
 * @seconds: 0 to PM_EAT_SKEW_MAX; PM_EAT_SKEW_DEFAULT without this call
 *
 * Return: 0; PM_E_ARG.
 */
PM_API int pm_eat_policy_skew(struct pm_eat_policy *policy, int64_t seconds) PM_MUST_USE;

/**
 * pm_eat_parse - read a token
 * @bytes: a detached EAT, which is JSON: [["JWT", TOKEN], {NAME: TOKEN, ...}]; or one TOKEN alone,
 * in the compact form of JWS
 * @size: how many bytes, at most PM_EAT_SIZE_MAX
 * @report: receives the reason of a failure, or NULL
 * @ret_eat: receives the token, to be freed with pm_eat_free()
 *
 * Return: 0; PM_E_FORMAT, PM_E_UNSUPPORTED for another algorithm than ES384 and another kind of
 * device, PM_E_LIMIT, PM_E_NOMEM.
 */
PM_API int pm_eat_parse(const void *bytes, size_t size, struct pm_report *report,
	struct pm_eat **ret_eat) PM_MUST_USE;

/**
 * pm_eat_free - free a token, and the facts with it
 * @eat: the token, or NULL
 */
PM_API void pm_eat_free(struct pm_eat *eat);

/**
 * pm_eat_verify - decide whether to believe a token
 * @eat: the token
 * @jwks: the keys of the service
 * @policy: what to demand
 * @now: the time, in seconds since 1970-01-01T00:00:00Z
 * @report: receives the checks, or NULL
 * @ret_facts: receives what the token proves; owned by the token, until it is freed or verified
 * again
 *
 * Return: 0 when all of it was checked and says yes; PM_E_ARG for a policy that neither demands nor
 * waives a nonce; PM_E_MISSING when the key is not in the set or a token that is needed not there;
 * PM_E_STALE outside its time; PM_E_FORMAT, PM_E_UNSUPPORTED for claims of another version or type;
 * PM_E_REJECTED for every other no; PM_E_CRYPTO, PM_E_NOMEM.
 */
PM_API int pm_eat_verify(struct pm_eat *eat, const struct pm_jwks *jwks,
	const struct pm_eat_policy *policy, int64_t now, struct pm_report *report,
	const struct pm_eat_facts **ret_facts) PM_MUST_USE;

PM_END_DECLS

#endif
