/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of field messages, shared by field_key.c, field_message.c and field.c. */
#ifndef PM_ENVELOPE_FIELD_H
#define PM_ENVELOPE_FIELD_H

#include <pm/error.h>
#include <pm/field.h>

#include "base/lru.h"
#include "base/wr.h"
#include "crypto/crypto.h"
#include "crypto/nonce.h"
#include "envelope/nonce_set.h"

/* Digits of a nonce or iv. */
#define PM_FIELD_NONCE_DIGITS ((size_t)2 * PM_FIELD_NONCE_SIZE)

struct pm_field_key {
	struct pm_shared shared;
	struct pm_aead *aead;
	struct pm_nonces *nonces;
	struct pm_nonce_set *requests; /* a responder's, or NULL */
	size_t id_len;
	char id[PM_FIELD_ID_MAX + 1];
};

PM_OWNER(pm_field_key, pm_field_key_free);

/* What all messages of one exchange begin with: quote, id, colon, nonce, colon. */
struct pm_field_head {
	uint8_t nonce[PM_FIELD_NONCE_SIZE];
	uint8_t text[PM_FIELD_ID_MAX + PM_FIELD_NONCE_DIGITS + 3];
	size_t len;
};

void pm_field_head_init(
	struct pm_field_head *head, const struct pm_field_key *key, const uint8_t *nonce);

/* A message in pieces, borrowed. Nothing is verified; iv and sealed are still digits. */
struct pm_field_parts {
	struct pm_view id, nonce, iv, sealed;
};

/*
 * head: what the message should begin with, if that is known; it is then read at once, but another
 * beginning is no error here. PM_E_FORMAT, PM_E_LIMIT.
 */
int pm_field_parse(struct pm_view message, const struct pm_field_head *head,
	struct pm_field_parts *ret, struct pm_report *report) PM_MUST_USE;

/* May the character stand in an id? Printable, and nothing that JSON or the message would read. */
static inline bool pm_field_id_char(uint8_t c)
{
	return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != ':';
}

/* One message with that iv. ret: pm_field_sealed_size() bytes. PM_E_CRYPTO. */
int pm_field_message_seal(const struct pm_field_key *key, const struct pm_field_head *head,
	uint32_t seq, const uint8_t *iv, struct pm_view plain, uint8_t *ret) PM_MUST_USE;

/* As pm_field_open_at(). */
int pm_field_message_open(const struct pm_field_key *key, const struct pm_field_head *head,
	uint32_t seq, const struct pm_field_parts *parts, struct pm_wr *ret,
	struct pm_report *report) PM_MUST_USE;

enum pm_field_role { PM_FIELD_REQUESTER, PM_FIELD_RESPONDER };

struct pm_field_exchange {
	enum pm_field_role role;
	struct pm_field_key *key;
	struct pm_field_head head; /* len is 0 until a responder knows the nonce */
	uint64_t sealed, opened;   /* messages so far */
	/* The ivs of a requester's messages: what comes back with one of them is a reflection. */
	uint8_t (*ivs)[PM_FIELD_NONCE_SIZE];
	size_t ivs_cap;
};

PM_OWNER(pm_field_exchange, pm_field_exchange_free);

#endif
