/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the key exchange. */
#ifndef PM_ENVELOPE_KEYEX_H
#define PM_ENVELOPE_KEYEX_H

#include <pm/keyex.h>

#include "base/base64.h"
#include "crypto/crypto.h"
#include "crypto/kem.h"

/* --- text (keyex_json.c) --------------------------------------------------------------------- */

/* One member of an object, whose value is a string without escapes, borrowed. */
struct pm_keyex_member {
	const char *name;
	struct pm_view value; /* NULL until it is found */
};

/* Reads an object of exactly these members, in any order. PM_E_FORMAT, PM_E_LIMIT. */
int pm_keyex_read(struct pm_view json, struct pm_keyex_member *members, size_t count,
	struct pm_report *report) PM_MUST_USE;

/* Reads a member's base64 of exactly size bytes. PM_E_FORMAT. */
int pm_keyex_decode(const struct pm_keyex_member *member, uint8_t *ret, size_t size,
	struct pm_report *report) PM_MUST_USE;

/* --- what both sides compute (keyex.c) ------------------------------------------------------- */

struct pm_keyex_client {
	struct pm_secret seed;
	uint8_t public[PM_KEM_PUBLIC_SIZE];
	char id[PM_KEYEX_ID_SIZE];
};

PM_OWNER(pm_keyex_client, pm_keyex_client_free);

/* A client of that key pair: the private key is given, for tests. As pm_keyex_client_new(). */
int pm_keyex_client_from_seed(struct pm_view seed, struct pm_keyex_client **ret) PM_MUST_USE;

/* Base64 of SHA-256(public key). PM_E_CRYPTO. */
int pm_keyex_id(const uint8_t *public, char *ret_id) PM_MUST_USE;

/* The shared secret's export. PM_E_NOMEM, PM_E_CRYPTO. */
int pm_keyex_derive(
	const struct pm_brief *shared, const char *purpose, uint8_t *ret_secret) PM_MUST_USE;

/* Did the owner of this certificate sign both keys, and is it who it must be? (keyex_cert.c) */
int pm_keyex_check_signature(const struct pm_keyex_trust *trust, struct pm_view cert,
	struct pm_view keys, struct pm_view signature, struct pm_report *report) PM_MUST_USE;

#endif
