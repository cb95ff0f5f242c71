/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include <sodium.h>

#include <pm/text.h>

#define URLSAFE sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define VARIANT sodium_base64_VARIANT_ORIGINAL

int pm_base64_encode(struct pm_view bytes, char *ret_text, size_t cap)
{
	if (bytes.len > SIZE_MAX / 2 || cap < PM_BASE64_SIZE(bytes.len))
		return PM_E_LIMIT;
	sodium_bin2base64(ret_text, cap, bytes.ptr, bytes.len, VARIANT);
	return PM_OK;
}

/* Bytes that come out of text of this length, whose last characters may be padding. */
static size_t decoded_size(struct pm_view text)
{
	size_t n = text.len / 4 * 3;

	if (n && text.ptr[text.len - 1] == '=')
		n -= text.ptr[text.len - 2] == '=' ? 2 : 1;
	return n;
}

int pm_base64_decode(struct pm_view text, uint8_t *ret_bytes, size_t cap, size_t *ret_len)
{
	const char *begin = (const char *)text.ptr, *end = NULL;
	size_t n = 0;

	if (text.len % 4)
		return PM_E_FORMAT;
	if (decoded_size(text) > cap)
		return PM_E_LIMIT;
	if (sodium_base642bin(ret_bytes, cap, begin, text.len, NULL, &n, &end, VARIANT))
		return PM_E_FORMAT;
	if (end != begin + text.len)
		return PM_E_FORMAT;
	*ret_len = n;
	return PM_OK;
}

int pm_text_base64_decode(
	const char *text, size_t len, uint8_t *ret_bytes, size_t cap, size_t *ret_len)
{
	return pm_base64_decode(pm_view(text, len), ret_bytes, cap, ret_len);
}

int pm_text_base64_encode(const uint8_t *bytes, size_t size, char *ret_text, size_t room)
{
	return pm_base64_encode(pm_view(bytes, size), ret_text, room);
}

int pm_base64url_decode(struct pm_view text, uint8_t *ret_bytes, size_t cap, size_t *ret_len)
{
	const char *begin = (const char *)text.ptr, *end = NULL;
	size_t n = 0;

	if (text.len % 4 == 1)
		return PM_E_FORMAT;
	if (text.len / 4 * 3 + text.len % 4 * 3 / 4 > cap)
		return PM_E_LIMIT;
	if (sodium_base642bin(ret_bytes, cap, begin, text.len, NULL, &n, &end, URLSAFE))
		return PM_E_FORMAT;
	if (end != begin + text.len)
		return PM_E_FORMAT;
	*ret_len = n;
	return PM_OK;
}
