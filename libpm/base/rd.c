/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rd.h"

#include <string.h>

struct pm_view pm_rd_bytes(struct pm_rd *rd, size_t n)
{
	struct pm_view v;

	if (rd->failed || n > rd->left) {
		pm_rd_fail(rd);
		return (struct pm_view){0};
	}
	v = pm_view(rd->ptr, n);
	if (n)
		rd->ptr += n;
	rd->left -= n;
	return v;
}

void pm_rd_copy(struct pm_rd *rd, void *dst, size_t n)
{
	struct pm_view v = pm_rd_bytes(rd, n);

	if (v.len == n)
		pm_copy(dst, v.ptr, n);
	else
		memset(dst, 0, n);
}

static uint64_t read_le(struct pm_rd *rd, size_t n)
{
	struct pm_view v = pm_rd_bytes(rd, n);
	uint64_t value = 0;

	for (size_t i = v.len; i > 0; i--)
		value = value << 8 | v.ptr[i - 1];
	return value;
}

static uint64_t read_be(struct pm_rd *rd, size_t n)
{
	struct pm_view v = pm_rd_bytes(rd, n);
	uint64_t value = 0;

	for (size_t i = 0; i < v.len; i++)
		value = value << 8 | v.ptr[i];
	return value;
}

uint8_t pm_rd_u8(struct pm_rd *rd)
{
	return (uint8_t)read_le(rd, 1);
}

uint16_t pm_rd_le16(struct pm_rd *rd)
{
	return (uint16_t)read_le(rd, 2);
}

uint32_t pm_rd_le32(struct pm_rd *rd)
{
	return (uint32_t)read_le(rd, 4);
}

uint64_t pm_rd_le64(struct pm_rd *rd)
{
	return read_le(rd, 8);
}

uint16_t pm_rd_be16(struct pm_rd *rd)
{
	return (uint16_t)read_be(rd, 2);
}

uint32_t pm_rd_be32(struct pm_rd *rd)
{
	return (uint32_t)read_be(rd, 4);
}

uint64_t pm_rd_be64(struct pm_rd *rd)
{
	return read_be(rd, 8);
}

struct pm_view pm_rd_prefixed_be32(struct pm_rd *rd, size_t max)
{
	uint32_t n = pm_rd_be32(rd);

	if (n > max)
		pm_rd_fail(rd);
	return pm_rd_bytes(rd, n);
}

struct pm_rd pm_rd_child(struct pm_rd *rd, size_t n)
{
	struct pm_rd child = pm_rd(pm_rd_bytes(rd, n));

	child.failed = rd->failed;
	return child;
}

struct pm_view pm_rd_since(const struct pm_rd *rd, const struct pm_rd *before)
{
	struct pm_rd from = *before;

	if (rd->failed)
		return (struct pm_view){0};
	return pm_rd_bytes(&from, before->left - rd->left);
}

struct pm_view pm_rd_rest(struct pm_rd *rd)
{
	return pm_rd_bytes(rd, rd->left);
}

void pm_rd_skip(struct pm_rd *rd, size_t n)
{
	(void)pm_rd_bytes(rd, n);
}

void pm_rd_zero(struct pm_rd *rd, size_t n)
{
	struct pm_view v = pm_rd_bytes(rd, n);

	if (!pm_is_zero(v.ptr, v.len))
		pm_rd_fail(rd);
}

void pm_rd_fail(struct pm_rd *rd)
{
	rd->failed = true;
	rd->left = 0;
}

bool pm_rd_ok(const struct pm_rd *rd)
{
	return !rd->failed;
}

bool pm_rd_done(const struct pm_rd *rd)
{
	return !rd->failed && rd->left == 0;
}
