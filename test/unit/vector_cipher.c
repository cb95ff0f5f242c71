/* SPDX-License-Identifier: Apache-2.0 */
#include "vector_cipher.h"

#include <string.h>

#include <pm/error.h>

void vector_cipher_new(struct vector_cipher *ret, const json_t *row)
{
	struct pm_view secret = jsonl_hex(row, "key");

	*ret = (struct vector_cipher){
		.id = jsonl_text(row, "id"), .nonce = jsonl_hex(row, "nonce")};
	ck_assert_uint_eq(secret.len, PM_FIELD_SECRET_SIZE);
	ck_pm(pm_field_key_new(ret->id, secret.ptr, &ret->key), PM_OK);
	test_free(secret);
}

void vector_cipher_free(struct vector_cipher *v)
{
	pm_field_key_free(v->key);
	test_free(v->nonce);
}

static size_t seal_room(void *arg, size_t in_len)
{
	struct vector_cipher *v = arg;

	return pm_field_sealed_size(v->key, in_len);
}

static int seal(void *arg, const uint8_t *in, size_t in_len, uint8_t *ret_out, size_t cap,
	size_t *ret_len, struct pm_report *report)
{
	struct vector_cipher *v = arg;
	const char *message = v->used < v->count ? v->messages[v->used] : NULL;
	const char *plain = v->plain[v->used];

	(void)report;
	if (!message || strlen(message) != cap)
		return PM_E_REJECTED;
	if (plain && (strlen(plain) != in_len || memcmp(plain, in, in_len) != 0))
		return PM_E_REJECTED;
	memcpy(ret_out, message, cap);
	*ret_len = cap;
	v->used++;
	return PM_OK;
}

static size_t open_room(void *arg, size_t in_len)
{
	(void)arg;
	return pm_field_open_room(in_len);
}

static int open(void *arg, const uint8_t *in, size_t in_len, uint8_t *ret_out, size_t cap,
	size_t *ret_len, struct pm_report *report)
{
	struct vector_cipher *v = arg;
	int r = pm_field_open_at(v->key, v->nonce.ptr, v->seq, (const char *)in, in_len, ret_out,
		cap, ret_len, report);

	v->seq += r == PM_OK;
	return r;
}

struct pm_body_cipher vector_cipher(struct vector_cipher *v, enum pm_body_way way)
{
	return (struct pm_body_cipher){
		.arg = v,
		.room = way == PM_BODY_SEAL ? seal_room : open_room,
		.apply = way == PM_BODY_SEAL ? seal : open,
	};
}

static bool same_fields(const json_t *rows, const char *const *names)
{
	size_t i = 0;

	for (; names[i]; i++) {
		const char *name = json_string_value(json_array_get(json_array_get(rows, i), 0));

		if (!name || strcmp(name, names[i]) != 0)
			return false;
	}
	return i == json_array_size(rows);
}

void vector_endpoint(const json_t *row, enum pm_endpoint *ret_endpoint, enum pm_body_side *ret_side)
{
	const json_t *fields = json_object_get(row, "plain_fields");

	for (int e = PM_ENDPOINT_CHAT; e <= PM_ENDPOINT_UNSTRUCTURED; e++)
		for (int s = PM_BODY_REQUEST; s <= PM_BODY_RESPONSE; s++) {
			*ret_endpoint = (enum pm_endpoint)e;
			*ret_side = (enum pm_body_side)s;
			if (same_fields(fields, pm_endpoint_plain_fields(*ret_endpoint, *ret_side)))
				return;
		}
	ck_abort_msg("no endpoint has these plain fields");
}
