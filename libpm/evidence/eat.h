/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens from the inside: their parts, the keys, what a policy holds, the steps of the decision. */
#ifndef PM_EVIDENCE_EAT_H
#define PM_EVIDENCE_EAT_H

#include <jansson.h>

#include <pm/eat.h>
#include "base/list.h"
#include "base/report.h"
#include "crypto/crypto.h"

PM_OWNER(pm_jwks, pm_jwks_free);
PM_OWNER(pm_eat, pm_eat_free);
PM_OWNER(pm_eat_policy, pm_eat_policy_free);

static inline void pm_eat_json_free(json_t **json)
{
	json_decref(*json);
}

#define pm_owned_json __attribute__((cleanup(pm_eat_json_free)))

/* --- JSON ------------------------------------------------------------------------------------ */

/* One value (RFC 8259) and no byte more, no doubled key. PM_E_FORMAT, PM_E_NOMEM. */
int pm_eat_json(
	const char *name, struct pm_view text, struct pm_report *report, json_t **ret) PM_MUST_USE;

/* The text of a member, or NULL when there is none or it is no text. Borrowed. */
const char *pm_eat_text(const json_t *object, const char *key);

/* Copies a text of printable ASCII that fits with its NUL and is not empty; else false. */
bool pm_eat_copy_text(const char *text, char ret[PM_EAT_TEXT_SIZE])
	__attribute__((warn_unused_result));

/* --- one signed part: JWS in its compact form (RFC 7515, 7.1) --------------------------------- */

#define PM_JWS_SIGNATURE_SIZE 96

struct pm_jws {
	struct pm_view text;	    /* all of it, borrowed from the token's JSON */
	struct pm_view signed_part; /* header and payload, as they stand there */
	uint8_t signature[PM_JWS_SIGNATURE_SIZE];
	char kid[PM_EAT_TEXT_SIZE];
	json_t *claims; /* an object */
};

/* Of ES384 and nothing else. name: of the checks. PM_E_FORMAT, PM_E_UNSUPPORTED, PM_E_LIMIT. */
int pm_jws_parse(struct pm_view text, const char *name, struct pm_report *report,
	struct pm_jws *ret) PM_MUST_USE;
void pm_jws_clear(struct pm_jws *jws);

/* The key of that name. NULL when there is none. */
const struct pm_pubkey *pm_jwks_find(
	const struct pm_jwks *jwks, const char *kid, const uint8_t **ret_spki_sha256);

/* By a key of the set, which the policy accepts. PM_E_MISSING, PM_E_REJECTED. */
int pm_jws_verify(const struct pm_jws *jws, const struct pm_jwks *jwks,
	const struct pm_eat_policy *policy, const char *name, struct pm_report *report) PM_MUST_USE;

/* --- the token ------------------------------------------------------------------------------- */

struct pm_eat_part {
	const char *name; /* "GPU-0", borrowed from the JSON */
	enum pm_eat_kind kind;
	struct pm_jws jws;
};

struct pm_eat {
	json_t *root;
	struct pm_jws overall;
	bool has_parts;
	struct pm_eat_part parts[PM_EAT_DEVICES_MAX];
	size_t count;
	struct pm_eat_device devices[PM_EAT_DEVICES_MAX];
	struct pm_eat_facts facts;
};

struct pm_eat_policy {
	unsigned int waivers, permissions;
	bool has_nonce;
	uint8_t nonce[PM_EAT_NONCE_SIZE];
	struct pm_list issuers; /* texts of PM_EAT_TEXT_SIZE, padded with zeros */
	struct pm_list keys;	/* SHA-256 */
	size_t count;		/* 0: any but none */
	int64_t max_age;	/* 0: any */
	int64_t skew;
};

/* Does the policy name each demand or waiver that must be named? PM_E_ARG. */
int pm_eat_policy_check_complete(
	const struct pm_eat_policy *policy, struct pm_report *report) PM_MUST_USE;
bool pm_eat_policy_issuer(const struct pm_eat_policy *policy, const char *issuer);

/* What is being decided: everything that the steps need. */
struct pm_eat_check {
	const struct pm_eat_policy *policy;
	struct pm_report *report;
	int64_t now;
	struct pm_eat_facts *facts;
};

/* iss, exp, nbf, iat and eat_nonce, which each part has; "who" stands in the messages. */
int pm_eat_check_common(
	const struct pm_eat_check *c, const json_t *claims, const char *who) PM_MUST_USE;

/* Each claim of a device: known, and a yes. */
int pm_eat_check_device(const struct pm_eat_check *c, const struct pm_eat_part *part,
	struct pm_eat_device *ret) PM_MUST_USE;

/* Facts do not hold longer than that. */
static inline void pm_eat_until(struct pm_eat_facts *facts, int64_t time)
{
	if (time < facts->valid_until)
		facts->valid_until = time;
}

#endif
