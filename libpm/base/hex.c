/* SPDX-License-Identifier: Apache-2.0 */
#include <pm/error.h>
#include <pm/text.h>

#include <sodium.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"

int pm_hex_decode(const char *text, uint8_t *ret_bytes, size_t size)
{
	size_t len = strlen(text), n = 0;
	const char *end = NULL;

	if (len / 2 != size || len % 2 || strspn(text, "0123456789abcdefABCDEF") != len)
		return PM_E_FORMAT;
	if (sodium_hex2bin(ret_bytes, size, text, len, NULL, &n, &end) || n != size)
		return PM_E_FORMAT;
	return PM_OK;
}

void pm_hex_encode(const uint8_t *bytes, size_t size, char *ret_text)
{
	sodium_bin2hex(ret_text, 2 * size + 1, bytes, size);
}

struct pm_hex_text pm_hex(const void *bytes, size_t size)
{
	struct pm_hex_text t;

	pm_hex_encode(bytes, size < PM_HEX_BYTES ? size : PM_HEX_BYTES, t.s);
	return t;
}
