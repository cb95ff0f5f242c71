/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/der.h"

#include <mbedtls/asn1.h>

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
