/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writer into memory of the caller. Errors stick: a write that does not fit writes nothing, and
 * pm_wr_done() tells so at the end.
 */
#ifndef PM_BASE_WR_H
#define PM_BASE_WR_H

#include <endian.h>

#include "base/mem.h"

struct pm_wr {
	uint8_t *ptr;
	size_t len;
	size_t cap;
	bool failed;
};

static inline struct pm_wr pm_wr(void *ptr, size_t cap)
{
	return (struct pm_wr){(uint8_t *)ptr, 0, cap, false};
}

/* Room for n bytes, or NULL. */
static inline uint8_t *pm_wr_take(struct pm_wr *wr, size_t n)
{
	uint8_t *p;

	if (wr->failed || n > wr->cap - wr->len) {
		wr->failed = true;
		return NULL;
	}
	p = wr->ptr + wr->len;
	wr->len += n;
	return p;
}

static inline void pm_wr_bytes(struct pm_wr *wr, struct pm_view bytes)
{
	uint8_t *p = pm_wr_take(wr, bytes.len);

	if (p)
		pm_copy(p, bytes.ptr, bytes.len);
}

static inline void pm_wr_u8(struct pm_wr *wr, uint8_t value)
{
	pm_wr_bytes(wr, pm_view(&value, sizeof(value)));
}

static inline void pm_wr_le32(struct pm_wr *wr, uint32_t value)
{
	uint32_t le = htole32(value);

	pm_wr_bytes(wr, pm_view(&le, sizeof(le)));
}

static inline void pm_wr_be32(struct pm_wr *wr, uint32_t value)
{
	uint32_t be = htobe32(value);

	pm_wr_bytes(wr, pm_view(&be, sizeof(be)));
}

void pm_wr_le16(struct pm_wr *wr, uint16_t value);
void pm_wr_le64(struct pm_wr *wr, uint64_t value);
void pm_wr_be16(struct pm_wr *wr, uint16_t value);
void pm_wr_be64(struct pm_wr *wr, uint64_t value);
void pm_wr_zero(struct pm_wr *wr, size_t n);

/* Bytes put in before what was written from position at on: for a length that comes first. */
void pm_wr_insert(struct pm_wr *wr, size_t at, struct pm_view bytes);

/* Length of 32 bits, most significant byte first, and the bytes. */
void pm_wr_prefixed_be32(struct pm_wr *wr, struct pm_view bytes);

/* True when all fitted; *ret_len, where given, is how much was written. */
bool pm_wr_done(const struct pm_wr *wr, size_t *ret_len);

#endif
