/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-secrets/backup.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include <pm/box.h>
#include <pm/shares.h>
#include <pm/text.h>

#define LABEL "libpm secrets backup v1"
#define EPOCH 1

enum { LINE_SECRET = 1, LINE_END = 2 };

/* Kind, length of the identifier, length of the head. */
#define LINE_FIXED 6
#define PLAIN_MAX  (LINE_FIXED + PM_COMMAND_ID_MAX + RECORD_HEAD_MAX + RECORD_VALUE_MAX)

_Static_assert((PLAIN_MAX + PM_SEAL_OVERHEAD + 2) / 3 * 4 + 2 <= BACKUP_LINE_MAX, "a line");

void backup_free(struct backup *backup)
{
	pm_seal_key_free(backup->key);
	*backup = (struct backup){0};
}

static void put_number(uint8_t *at, uint64_t number, size_t size)
{
	for (size_t i = 0; i < size; i++)
		at[i] = (uint8_t)(number >> (8 * (size - 1 - i)));
}

/* --- writing --------------------------------------------------------------------------------- */

static json_t *box_json(
	const struct pm_manifest_share_owner *owner, const uint8_t *share, const uint8_t *hash)
{
	uint8_t box[PM_SHARE_SIZE + PM_BOX_OVERHEAD];
	char text[(sizeof(box) + 2) / 3 * 4 + 1];

	if (pm_box_seal(owner->key, BACKUP_BOX_LABEL, hash, PM_MANIFEST_HASH_SIZE, share,
		    PM_SHARE_SIZE, box) < 0 ||
		pm_text_base64_encode(box, sizeof(box), text, sizeof(text)) < 0)
		return NULL;
	return json_pack("{s:s, s:s}", "name", owner->name, "box", text);
}

static json_t *boxes_json(
	const struct pm_manifest *manifest, const uint8_t *shares, const uint8_t *hash)
{
	const struct pm_manifest_share_owners *owners = pm_manifest_seed_share_owners(manifest);
	const struct pm_manifest_share_owner *owner;
	json_t *list = json_array();

	for (size_t i = 0; (owner = pm_manifest_share_owner_at(owners, i)); i++) {
		const uint8_t *share = shares + i * PM_SHARE_SIZE;

		if (json_array_append_new(list, box_json(owner, share, hash)) == 0)
			continue;
		json_decref(list);
		return NULL;
	}
	return list;
}

static int add_first(
	const struct pm_manifest *manifest, const uint8_t *shares, int64_t now, struct buffer *out)
{
	uint8_t hash[PM_MANIFEST_HASH_SIZE];
	char text[2 * PM_MANIFEST_HASH_SIZE + 1], *line;
	json_t *boxes, *json;
	bool good;

	pm_manifest_hash(manifest, hash);
	pm_hex_encode(hash, sizeof(hash), text);
	boxes = boxes_json(manifest, shares, hash);
	json = boxes ? json_pack("{s:i, s:s, s:I, s:I, s:o}", "backup", 1, "manifest", text, "time",
			       (json_int_t)now, "threshold",
			       (json_int_t)pm_manifest_share_owners_threshold(
				       pm_manifest_seed_share_owners(manifest)),
			       "shares", boxes)
		     : NULL;
	line = json ? json_dumps(json, JSON_COMPACT) : NULL;
	good = line && buffer_add(out, line, strlen(line), SIZE_MAX) &&
	       buffer_add(out, "\n", 1, SIZE_MAX);
	free(line);
	json_decref(json);
	return good ? PM_OK : PM_E_NOMEM;
}

/* As many of them are needed as are of the seed's. */
static int write_first(
	const struct pm_manifest *manifest, const uint8_t *key, int64_t now, struct buffer *out)
{
	const struct pm_manifest_share_owners *owners = pm_manifest_seed_share_owners(manifest);
	uint8_t shares[PM_SHARES_MAX * PM_SHARE_SIZE];
	size_t count = 0;
	int r;

	while (pm_manifest_share_owner_at(owners, count))
		count++;
	r = pm_shares_split(key, pm_manifest_share_owners_threshold(owners), count, shares);
	if (r == PM_OK)
		r = add_first(manifest, shares, now, out);
	explicit_bzero(shares, sizeof(shares));
	return r;
}

int backup_begin(
	struct backup *backup, const struct pm_manifest *manifest, int64_t now, struct buffer *out)
{
	uint8_t key[BACKUP_KEY_SIZE];
	int r;

	*backup = (struct backup){0};
	if (!pm_manifest_seed_share_owners(manifest))
		return PM_E_MISSING;
	r = pm_command_salt(key);
	if (r == PM_OK)
		r = pm_seal_key_new(key, LABEL, EPOCH, &backup->key);
	if (r == PM_OK)
		r = write_first(manifest, key, now, out);
	explicit_bzero(key, sizeof(key));
	return r;
}

static int seal_line(struct backup *backup, const uint8_t *plain, size_t len, struct buffer *out)
{
	size_t sealed_len = len + PM_SEAL_OVERHEAD, room = (sealed_len + 2) / 3 * 4 + 1;
	uint8_t number[8], *sealed = malloc(sealed_len);
	char *text = malloc(room);
	int r = sealed && text ? PM_OK : PM_E_NOMEM;

	put_number(number, ++backup->line, sizeof(number));
	if (r == PM_OK)
		r = pm_seal(backup->key, number, sizeof(number), plain, len, sealed);
	if (r == PM_OK)
		r = pm_text_base64_encode(sealed, sealed_len, text, room);
	if (r == PM_OK && !(buffer_add(out, text, strlen(text), SIZE_MAX) &&
				  buffer_add(out, "\n", 1, SIZE_MAX)))
		r = PM_E_NOMEM;
	free(sealed);
	free(text);
	return r;
}

int backup_add(struct backup *backup, const char *id, const struct record *record,
	const struct record_value *value, struct buffer *out)
{
	size_t id_len = strlen(id), len;
	uint8_t head[RECORD_HEAD_MAX], *plain, *at;
	size_t head_len = record_write_head(record, head);
	int r;

	len = LINE_FIXED + id_len + head_len + value->len;
	plain = malloc(len);
	if (!plain)
		return PM_E_NOMEM;
	plain[0] = LINE_SECRET;
	put_number(plain + 1, id_len, 1);
	at = mempcpy(plain + 2, id, id_len);
	put_number(at, head_len, 4);
	at = mempcpy(at + 4, head, head_len);
	memcpy(at, value->bytes, value->len);
	r = seal_line(backup, plain, len, out);
	explicit_bzero(plain, len);
	free(plain);
	return r;
}

int backup_end(struct backup *backup, struct buffer *out)
{
	static const uint8_t plain[] = {LINE_END};

	return seal_line(backup, plain, sizeof(plain), out);
}

/* --- reading --------------------------------------------------------------------------------- */

int backup_open(struct backup *backup, const uint8_t key[BACKUP_KEY_SIZE])
{
	*backup = (struct backup){0};
	return pm_seal_key_new(key, LABEL, EPOCH, &backup->key);
}

static int take_value(const uint8_t *bytes, size_t len, struct record_value *ret)
{
	if (len > RECORD_VALUE_MAX)
		return PM_E_FORMAT;
	ret->bytes = malloc(len ? len : 1);
	if (!ret->bytes)
		return PM_E_NOMEM;
	memcpy(ret->bytes, bytes, len);
	ret->len = len;
	return PM_OK;
}

static int take_secret(const uint8_t *plain, size_t len, char ret_id[PM_COMMAND_ID_MAX + 1],
	struct record *ret_record, struct record_value *ret_value)
{
	size_t id_len = len > 1 ? plain[1] : 0, head_len = 0, at = 2 + id_len;
	int r;

	if (!id_len || id_len > PM_COMMAND_ID_MAX || len < at + 4)
		return PM_E_FORMAT;
	memcpy(ret_id, plain + 2, id_len);
	ret_id[id_len] = '\0';
	for (size_t i = 0; i < 4; i++)
		head_len = head_len << 8 | plain[at + i];
	at += 4;
	if (!record_is_id(ret_id) || head_len > RECORD_HEAD_MAX || head_len > len - at)
		return PM_E_FORMAT;
	r = record_read_whole_head(plain + at, head_len, ret_record);
	return r == PM_OK ? take_value(plain + at + head_len, len - at - head_len, ret_value) : r;
}

static int open_line(struct backup *backup, const char *line, size_t len, uint8_t *sealed,
	uint8_t *plain, size_t *ret_len)
{
	uint8_t number[8];
	size_t sealed_len;
	int r = pm_text_base64_decode(line, len, sealed, PLAIN_MAX + PM_SEAL_OVERHEAD, &sealed_len);

	if (r < 0 || sealed_len <= PM_SEAL_OVERHEAD)
		return PM_E_FORMAT;
	put_number(number, backup->line + 1, sizeof(number));
	r = pm_seal_open(backup->key, number, sizeof(number), sealed, sealed_len, plain);
	*ret_len = sealed_len - PM_SEAL_OVERHEAD;
	return r;
}

int backup_read(struct backup *backup, const char *line, size_t len,
	char ret_id[PM_COMMAND_ID_MAX + 1], struct record *ret_record,
	struct record_value *ret_value)
{
	uint8_t *sealed = malloc(PLAIN_MAX + PM_SEAL_OVERHEAD), *plain = malloc(PLAIN_MAX);
	size_t plain_len = 0;
	int r = sealed && plain ? PM_OK : PM_E_NOMEM;

	if (backup->is_whole)
		r = PM_E_REJECTED;
	if (r == PM_OK)
		r = open_line(backup, line, len, sealed, plain, &plain_len);
	if (r == PM_OK && plain[0] == LINE_END)
		backup->is_whole = plain_len == 1;
	if (r == PM_OK && !backup->is_whole)
		r = plain[0] == LINE_SECRET
			    ? take_secret(plain, plain_len, ret_id, ret_record, ret_value)
			    : PM_E_FORMAT;
	if (r == PM_OK)
		backup->line++;
	if (plain)
		explicit_bzero(plain, plain_len);
	free(sealed);
	free(plain);
	return r;
}
