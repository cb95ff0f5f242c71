/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One field message: "id:nonce:iv:ciphertext", quotes included (Privatemode's internal/oss/crypto).
 * A message is public, so its text is read and compared without care for time.
 */
#include <pm/text.h>

#include "base/hex.h"
#include "base/hex_bulk.h"
#include "base/rd.h"
#include "base/report.h"
#include "envelope/field.h"

#define AAD_SIZE (PM_FIELD_NONCE_SIZE + 4)

/* Characters around id and ciphertext: two quotes, three colons, nonce and iv. */
#define FRAME (2 + 3 + 2 * PM_FIELD_NONCE_DIGITS)

#define MESSAGE_MAX (FRAME + PM_FIELD_ID_MAX + 2 * ((size_t)PM_FIELD_PLAIN_MAX + PM_AEAD_TAG_SIZE))

void pm_field_head_init(
	struct pm_field_head *head, const struct pm_field_key *key, const uint8_t *nonce)
{
	struct pm_wr wr = pm_wr(head->text, sizeof(head->text));
	uint8_t digits[PM_FIELD_NONCE_DIGITS];

	pm_hex_bulk_encode(nonce, PM_FIELD_NONCE_SIZE, digits);
	pm_wr_u8(&wr, '"');
	pm_wr_bytes(&wr, pm_view(key->id, key->id_len));
	pm_wr_u8(&wr, ':');
	pm_wr_bytes(&wr, pm_view(digits, sizeof(digits)));
	pm_wr_u8(&wr, ':');
	pm_copy(head->nonce, nonce, PM_FIELD_NONCE_SIZE);
	head->len = wr.len;
}

/* The characters of an id, and the colon after it. */
static struct pm_view take_id(struct pm_rd *rd)
{
	size_t n = 0;

	while (n < rd->left && n <= PM_FIELD_ID_MAX && pm_field_id_char(rd->ptr[n]))
		n++;
	if (n == 0 || n > PM_FIELD_ID_MAX)
		pm_rd_fail(rd);
	return pm_rd_bytes(rd, n);
}

static void take_char(struct pm_rd *rd, uint8_t c)
{
	if (pm_rd_u8(rd) != c)
		pm_rd_fail(rd);
}

/* Quote, id, colon, nonce, colon. */
static void take_head(struct pm_rd *rd, struct pm_field_parts *ret)
{
	take_char(rd, '"');
	ret->id = take_id(rd);
	take_char(rd, ':');
	ret->nonce = pm_rd_bytes(rd, PM_FIELD_NONCE_DIGITS);
	take_char(rd, ':');
}

/* The same, when it is the head that we know, in which all is well. */
static bool take_known_head(
	struct pm_rd *rd, const struct pm_field_head *head, struct pm_field_parts *ret)
{
	size_t id_len;

	if (!head->len || rd->left < head->len ||
		!pm_view_equal(pm_view(rd->ptr, head->len), pm_view(head->text, head->len)))
		return false;
	id_len = head->len - PM_FIELD_NONCE_DIGITS - 3;
	ret->id = pm_view(rd->ptr + 1, id_len);
	ret->nonce = pm_view(rd->ptr + 1 + id_len + 1, PM_FIELD_NONCE_DIGITS);
	pm_rd_skip(rd, head->len);
	return true;
}

int pm_field_parse(struct pm_view message, const struct pm_field_head *head,
	struct pm_field_parts *ret, struct pm_report *report)
{
	struct pm_field_parts parts;
	struct pm_rd rd = pm_rd(message);

	if (message.len > MESSAGE_MAX)
		return pm_fail(report, PM_E_LIMIT, "field.message", "at most 256 MiB of plaintext",
			"%zu characters", message.len);
	if (!take_known_head(&rd, head, &parts))
		take_head(&rd, &parts);
	parts.iv = pm_rd_bytes(&rd, PM_FIELD_NONCE_DIGITS);
	take_char(&rd, ':');
	parts.sealed = pm_rd_bytes(&rd, rd.left ? rd.left - 1 : 0);
	take_char(&rd, '"');
	if (!pm_rd_done(&rd) || parts.sealed.len % 2 || parts.sealed.len / 2 < PM_AEAD_TAG_SIZE)
		return pm_fail(report, PM_E_FORMAT, "field.message",
			"\"id:nonce:iv:ciphertext\" with its quotes", "%zu other characters",
			message.len);
	*ret = parts;
	return PM_OK;
}

int pm_field_message_id(const char *message, size_t message_len, char *ret_id)
{
	struct pm_rd rd = pm_rd(pm_view(message, message_len));
	struct pm_view id;

	take_char(&rd, '"');
	id = take_id(&rd);
	take_char(&rd, ':');
	if (!pm_rd_ok(&rd))
		return PM_E_FORMAT;
	pm_copy(ret_id, id.ptr, id.len);
	ret_id[id.len] = '\0';
	return PM_OK;
}

static void make_aad(const uint8_t *nonce, uint32_t seq, uint8_t *ret)
{
	struct pm_wr wr = pm_wr(ret, AAD_SIZE);

	pm_wr_bytes(&wr, pm_view(nonce, PM_FIELD_NONCE_SIZE));
	pm_wr_le32(&wr, seq);
}

int pm_field_message_seal(const struct pm_field_key *key, const struct pm_field_head *head,
	uint32_t seq, const uint8_t *iv, struct pm_view plain, uint8_t *ret)
{
	size_t sealed_len = plain.len + PM_AEAD_TAG_SIZE;
	uint8_t aad[AAD_SIZE], *iv_text = ret + head->len;
	uint8_t *text = iv_text + PM_FIELD_NONCE_DIGITS + 1;
	uint8_t *sealed = text + sealed_len; /* the second half of its own digits */
	int r;

	make_aad(head->nonce, seq, aad);
	r = pm_aead_seal(key->aead, iv, pm_view(aad, sizeof(aad)), plain, sealed);
	if (r < 0)
		return r;
	pm_copy(ret, head->text, head->len);
	pm_hex_bulk_encode(iv, PM_FIELD_NONCE_SIZE, iv_text);
	text[-1] = ':';
	pm_hex_bulk_encode(sealed, sealed_len, text);
	text[2 * sealed_len] = '"';
	return PM_OK;
}

/* Is the message of this key and exchange? */
static int check_head(const struct pm_field_key *key, const struct pm_field_head *head,
	const struct pm_field_parts *parts, struct pm_report *report)
{
	struct pm_view nonce =
		pm_view(head->text + head->len - 1 - PM_FIELD_NONCE_DIGITS, PM_FIELD_NONCE_DIGITS);

	if (!pm_view_equal(parts->id, pm_view(key->id, key->id_len)))
		return pm_fail(report, PM_E_REJECTED, "field.id", key->id, "%.*s",
			(int)parts->id.len, (const char *)parts->id.ptr);
	if (!pm_view_equal(parts->nonce, nonce))
		return pm_fail(report, PM_E_REJECTED, "field.nonce",
			pm_hex(head->nonce, PM_FIELD_NONCE_SIZE).s, "another");
	return PM_OK;
}

/* All digits of the message as bytes; the ciphertext goes where the plaintext will. */
static int decode(const struct pm_field_parts *parts, uint8_t *iv, struct pm_wr *ret,
	struct pm_report *report)
{
	size_t len = parts->sealed.len / 2;

	if (ret->cap < len)
		return pm_fail(
			report, PM_E_LIMIT, "field.message", "room for it", "%zu bytes", ret->cap);
	if (!pm_hex_bulk_decode(parts->iv.ptr, PM_FIELD_NONCE_SIZE, iv) ||
		!pm_hex_bulk_decode(parts->sealed.ptr, len, ret->ptr))
		return pm_fail(report, PM_E_FORMAT, "field.message", "lower-case hexadecimal",
			"another character");
	return PM_OK;
}

int pm_field_message_open(const struct pm_field_key *key, const struct pm_field_head *head,
	uint32_t seq, const struct pm_field_parts *parts, struct pm_wr *ret,
	struct pm_report *report)
{
	uint8_t aad[AAD_SIZE], iv[PM_FIELD_NONCE_SIZE];
	size_t len = parts->sealed.len / 2;
	int r = check_head(key, head, parts, report);

	if (r < 0)
		return r;
	r = decode(parts, iv, ret, report);
	if (r < 0)
		return r;
	make_aad(head->nonce, seq, aad);
	r = pm_aead_open(
		key->aead, iv, pm_view(aad, sizeof(aad)), pm_view(ret->ptr, len), ret->ptr);
	if (r < 0)
		return pm_fail(report, r, "field.tag", "the tag of this key, nonce and position",
			"another at position %u", seq);
	ret->len = len - PM_AEAD_TAG_SIZE;
	return PM_OK;
}

size_t pm_field_sealed_size(const struct pm_field_key *key, size_t plain_len)
{
	return FRAME + key->id_len + 2 * (plain_len + PM_AEAD_TAG_SIZE);
}

size_t pm_field_open_room(size_t message_len)
{
	return message_len / 2;
}
