/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/x509.h"

#include <mbedtls/base64.h>
#include <mbedtls/pem.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "crypto/der.h"

/* Of anything longer than 129 bytes the second byte is none of a text. */
static bool is_der(struct pm_view input)
{
	struct pm_view content;

	if (input.ptr[0] != PM_DER_SEQUENCE)
		return false;
	return (input.len > 1 && input.ptr[1] & 0x80) ||
	       pm_der_only(input, PM_DER_SEQUENCE, &content);
}

bool pm_pem_is(struct pm_view input)
{
	static const char begin[] = "-----BEGIN ";

	/* DER begins with a SEQUENCE, 0x30: the digit 0, as text before a block may. */
	if (!input.len || is_der(input))
		return false;
	return memmem(input.ptr, input.len, begin, sizeof(begin) - 1) != NULL;
}

static int decode(const char *text, const char *begin, const char *end, pm_pem_fn fn, void *arg,
	size_t *ret_used)
{
	mbedtls_pem_context pem;
	const unsigned char *der;
	size_t len;
	int r;

	mbedtls_pem_init(&pem);
	r = mbedtls_pem_read_buffer(
		&pem, begin, end, (const unsigned char *)text, NULL, 0, ret_used);
	if (r == MBEDTLS_ERR_PEM_ALLOC_FAILED) {
		r = PM_E_NOMEM;
	} else if (r) {
		r = PM_E_FORMAT;
	} else {
		der = mbedtls_pem_get_buffer(&pem, &len);
		r = fn(pm_view(der, len), arg);
	}
	mbedtls_pem_free(&pem);
	return r;
}

/* The text without the zeros at the end of a C string or of a buffer that it was read from. */
static struct pm_view without_zeros(struct pm_view text)
{
	while (text.len && !text.ptr[text.len - 1])
		text.len--;
	return text;
}

static int each(struct pm_view text, const char *label, pm_pem_fn fn, void *arg)
{
	pm_cleanup(free) char *copy = pm_alloc(text.len + 1); /* mbedTLS wants a final NUL */
	char begin[64], end[64];
	int r = PM_E_FORMAT;
	char *at;

	if (!copy)
		return PM_E_NOMEM;
	pm_copy(copy, text.ptr, text.len);
	snprintf(begin, sizeof(begin), "-----BEGIN %s-----", label);
	snprintf(end, sizeof(end), "-----END %s-----", label);
	for (at = strstr(copy, begin); at; at = strstr(at, begin)) {
		size_t used = 0;

		r = decode(at, begin, end, fn, arg, &used);
		if (r < 0)
			return r;
		at += used;
	}
	return r;
}

int pm_pem_each(struct pm_view input, const char *label, pm_pem_fn fn, void *arg)
{
	struct pm_view text = without_zeros(input);

	if (text.len && memchr(text.ptr, 0, text.len)) /* blocks behind it would go unseen */
		return PM_E_FORMAT;
	return each(text, label, fn, arg);
}

int pm_pem_private(struct pm_view text, pm_pem_fn fn, void *arg)
{
	pm_cleanup(secret) struct pm_secret copy = {0};
	size_t used = 0;
	int r = pm_secret_new(&copy, text.len + 1); /* mbedTLS wants a final NUL */

	if (r < 0)
		return r;
	pm_copy(copy.ptr, text.ptr, text.len);
	return decode((const char *)copy.ptr, "-----BEGIN PRIVATE KEY-----",
		"-----END PRIVATE KEY-----", fn, arg, &used);
}

int pm_pem_write(struct pm_view der, const char *label, char *ret_pem, size_t room)
{
	char begin[64], end[64];
	size_t len = 0;
	int r;

	snprintf(begin, sizeof(begin), "-----BEGIN %s-----\n", label);
	snprintf(end, sizeof(end), "-----END %s-----\n", label);
	r = mbedtls_pem_write_buffer(
		begin, end, der.ptr, der.len, (unsigned char *)ret_pem, room, &len);
	if (r == MBEDTLS_ERR_PEM_ALLOC_FAILED)
		return PM_E_NOMEM;
	if (r == MBEDTLS_ERR_BASE64_BUFFER_TOO_SMALL)
		return PM_E_LIMIT;
	return r ? PM_E_CRYPTO : PM_OK;
}
