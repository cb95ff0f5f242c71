/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-coordinator/message.h"

#include <stdlib.h>
#include <string.h>

#include <pm/error.h>
#include <pm/text.h>

#define HEX_MAX 64 /* bytes that are written in hexadecimal: hashes */

json_t *message_parse(const void *bytes, size_t len, const char *const *names, size_t count)
{
	json_t *root = json_loadb(bytes ? bytes : "", len, JSON_REJECT_DUPLICATES, NULL);
	bool good = json_is_object(root) && json_object_size(root) == count;

	for (size_t i = 0; good && i < count; i++)
		good = json_is_string(json_object_get(root, names[i]));
	if (good)
		return root;
	json_decref(root);
	return NULL;
}

bool message_bytes(json_t *value, size_t most, uint8_t **ret_bytes, size_t *ret_len)
{
	size_t room = json_string_length(value) / 4 * 3;
	uint8_t *bytes;
	size_t len = 0;

	if (!json_is_string(value) || !room || room > most + 2)
		return false;
	bytes = malloc(room);
	if (bytes &&
		pm_text_base64_decode(json_string_value(value), json_string_length(value), bytes,
			room, &len) == PM_OK &&
		len && len <= most) {
		*ret_bytes = bytes;
		*ret_len = len;
		return true;
	}
	free(bytes);
	return false;
}

bool message_fixed(json_t *value, uint8_t *ret_bytes, size_t size)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	bool good = message_bytes(value, size, &bytes, &len) && len == size;

	if (good)
		memcpy(ret_bytes, bytes, size);
	if (bytes)
		explicit_bzero(bytes, len);
	free(bytes);
	return good;
}

bool message_hex(json_t *value, uint8_t *ret_bytes, size_t size)
{
	const char *text = json_string_value(value);

	return text && json_string_length(value) == 2 * size &&
	       strspn(text, "0123456789abcdef") == 2 * size &&
	       pm_hex_decode(text, ret_bytes, size) == PM_OK;
}

json_t *message_new_base64(const void *bytes, size_t len)
{
	size_t room = (len + 2) / 3 * 4 + 1;
	char *text = malloc(room);
	json_t *value = NULL;

	if (text && pm_text_base64_encode(bytes, len, text, room) == PM_OK)
		value = json_stringn_nocheck(text, room - 1);
	free(text);
	return value;
}

json_t *message_new_hex(const uint8_t *bytes, size_t len)
{
	char text[2 * HEX_MAX + 1];

	if (len > HEX_MAX)
		return NULL;
	pm_hex_encode(bytes, len, text);
	return json_string_nocheck(text);
}
