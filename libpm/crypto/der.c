/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/der.h"

#include <mbedtls/asn1.h>

#include "base/time.h"

/* Octets of tag and length in DER, whose lengths take the shortest form (X.690, 10.1). */
static size_t header_size(size_t len)
{
	size_t size = 2;

	if (len >= 0x80) {
		for (; len; len >>= 8)
			size++;
	}
	return size;
}

bool pm_der_get(struct pm_view *from, int tag, struct pm_view *ret)
{
	unsigned char *p = (unsigned char *)from->ptr; /* only read, whatever its type says */
	const unsigned char *end;
	size_t len;

	if (!from->len)
		return false;
	end = from->ptr + from->len;
	if (mbedtls_asn1_get_tag(&p, end, &len, tag))
		return false;
	if ((size_t)(p - from->ptr) != header_size(len)) /* mbedTLS takes longer forms too */
		return false;
	*ret = pm_view(p, len);
	*from = pm_view(p + len, (size_t)(end - p) - len);
	return true;
}

bool pm_der_only(struct pm_view from, int tag, struct pm_view *ret)
{
	return pm_der_get(&from, tag, ret) && from.len == 0;
}

bool pm_der_get_whole(struct pm_view *from, int tag, struct pm_view *ret_whole, struct pm_view *ret)
{
	const struct pm_view before = *from;

	if (!pm_der_get(from, tag, ret))
		return false;
	*ret_whole = pm_view(before.ptr, before.len - from->len);
	return true;
}

bool pm_der_get_positive(struct pm_view *from, struct pm_view *ret)
{
	struct pm_view v;

	if (!pm_der_get(from, PM_DER_INTEGER, &v) || !v.len || v.ptr[0] & 0x80)
		return false;
	if (v.ptr[0] == 0) {
		if (v.len < 2 || !(v.ptr[1] & 0x80))
			return false;
		v = pm_view(v.ptr + 1, v.len - 1);
	}
	*ret = v;
	return true;
}

bool pm_der_uint8(struct pm_view from, uint8_t *ret)
{
	struct pm_view v;

	if (!pm_der_only(from, PM_DER_INTEGER, &v))
		return false;
	if (v.len == 2 && v.ptr[0] == 0 && v.ptr[1] & 0x80) {
		*ret = v.ptr[1];
		return true;
	}
	if (v.len != 1 || v.ptr[0] & 0x80)
		return false;
	*ret = v.ptr[0];
	return true;
}

bool pm_der_bits(struct pm_view from, struct pm_view *ret)
{
	struct pm_view v;

	if (!pm_der_only(from, PM_DER_BIT_STRING, &v) || !v.len || v.ptr[0] != 0)
		return false;
	*ret = pm_view(v.ptr + 1, v.len - 1);
	return true;
}

/* n decimal digits at *at, which moves behind them. */
static int digits(struct pm_view text, size_t *at, size_t n)
{
	int value = 0;

	for (size_t i = 0; i < n; i++)
		value = value * 10 + (text.ptr[*at + i] - '0');
	*at += n;
	return value;
}

bool pm_der_get_time(struct pm_view *from, int64_t *ret)
{
	const size_t n = sizeof("YYYYMMDDHHMMSS") - 1;
	struct pm_civil c;
	struct pm_view v;
	size_t at = 0;

	if (!pm_der_get(from, PM_DER_GENERALIZED_TIME, &v) || v.len != n + 1 || v.ptr[n] != 'Z')
		return false;
	for (size_t i = 0; i < n; i++) {
		if (v.ptr[i] < '0' || v.ptr[i] > '9')
			return false;
	}
	c.year = digits(v, &at, 4);
	c.month = digits(v, &at, 2);
	c.day = digits(v, &at, 2);
	c.hour = digits(v, &at, 2);
	c.minute = digits(v, &at, 2);
	c.second = digits(v, &at, 2);
	return pm_time_from_civil(&c, ret);
}
