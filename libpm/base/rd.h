/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reader: the only way by which untrusted bytes enter. Errors stick: after a read past the end each
 * further read yields zeros or an empty view, so a parser reads like the format's table and asks
 * once, with pm_rd_done(), whether all went well and nothing is left over.
 */
#ifndef PM_BASE_RD_H
#define PM_BASE_RD_H

#include "base/mem.h"

struct pm_rd {
	const uint8_t *ptr;
	size_t left;
	bool failed;
};

static inline struct pm_rd pm_rd(struct pm_view bytes)
{
	return (struct pm_rd){bytes.ptr, bytes.len, false};
}

uint8_t pm_rd_u8(struct pm_rd *rd);
uint16_t pm_rd_le16(struct pm_rd *rd);
uint32_t pm_rd_le32(struct pm_rd *rd);
uint64_t pm_rd_le64(struct pm_rd *rd);
uint16_t pm_rd_be16(struct pm_rd *rd);
uint32_t pm_rd_be32(struct pm_rd *rd);
uint64_t pm_rd_be64(struct pm_rd *rd);

/* The next n bytes, borrowed. */
struct pm_view pm_rd_bytes(struct pm_rd *rd, size_t n);

/* A length of 32 bits, most significant byte first, and so many bytes; fails above max. */
struct pm_view pm_rd_prefixed_be32(struct pm_rd *rd, size_t max);

/* A reader of the next n bytes alone. */
struct pm_rd pm_rd_child(struct pm_rd *rd, size_t n);

/* The bytes taken since before was copied from the reader; empty when it has failed. */
struct pm_view pm_rd_since(const struct pm_rd *rd, const struct pm_rd *before);

/* All that is left, borrowed. */
struct pm_view pm_rd_rest(struct pm_rd *rd);

/* Copies the next n bytes; zeros on failure. */
void pm_rd_copy(struct pm_rd *rd, void *dst, size_t n);

void pm_rd_skip(struct pm_rd *rd, size_t n);

/* The next n bytes, a reserved field; fails unless they are all zero. */
void pm_rd_zero(struct pm_rd *rd, size_t n);

/* Fails the reader by hand: for a value that the format does not allow. */
void pm_rd_fail(struct pm_rd *rd);

/* Nothing failed so far. */
bool pm_rd_ok(const struct pm_rd *rd);

/* Nothing failed and nothing is left. */
bool pm_rd_done(const struct pm_rd *rd);

#endif
