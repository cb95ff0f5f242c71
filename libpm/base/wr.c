/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wr.h"

#include <string.h>

static void write_le(struct pm_wr *wr, uint64_t value, size_t n)
{
	uint8_t *p = pm_wr_take(wr, n);

	for (size_t i = 0; p && i < n; i++, value >>= 8)
		p[i] = (uint8_t)value;
}

static void write_be(struct pm_wr *wr, uint64_t value, size_t n)
{
	uint8_t *p = pm_wr_take(wr, n);

	for (size_t i = n; p && i > 0; i--, value >>= 8)
		p[i - 1] = (uint8_t)value;
}

void pm_wr_le16(struct pm_wr *wr, uint16_t value)
{
	write_le(wr, value, 2);
}

void pm_wr_le64(struct pm_wr *wr, uint64_t value)
{
	write_le(wr, value, 8);
}

void pm_wr_be16(struct pm_wr *wr, uint16_t value)
{
	write_be(wr, value, 2);
}

void pm_wr_be64(struct pm_wr *wr, uint64_t value)
{
	write_be(wr, value, 8);
}

void pm_wr_zero(struct pm_wr *wr, size_t n)
{
	uint8_t *p = pm_wr_take(wr, n);

	if (p)
		memset(p, 0, n);
}

void pm_wr_insert(struct pm_wr *wr, size_t at, struct pm_view bytes)
{
	size_t behind = wr->len - at;

	if (!pm_wr_take(wr, bytes.len) || !bytes.len)
		return;
	memmove(wr->ptr + at + bytes.len, wr->ptr + at, behind);
	pm_copy(wr->ptr + at, bytes.ptr, bytes.len);
}

void pm_wr_prefixed_be32(struct pm_wr *wr, struct pm_view bytes)
{
	if (bytes.len > UINT32_MAX)
		wr->failed = true;
	pm_wr_be32(wr, (uint32_t)bytes.len);
	pm_wr_bytes(wr, bytes);
}

bool pm_wr_done(const struct pm_wr *wr, size_t *ret_len)
{
	if (ret_len)
		*ret_len = wr->failed ? 0 : wr->len;
	return !wr->failed;
}
