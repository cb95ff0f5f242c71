/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CBOR with deterministic encoding (RFC 8949, 4.2.1), as far as our formats need it: unsigned
 * integers, texts, byte strings, arrays and maps of definite length. The one door to libcbor, whose
 * streaming functions read and write one item's beginning at a time and allocate nothing.
 *
 * Whatever is of another type, not in its shortest form, indefinite, tagged or above a maximum
 * fails the reader, which sticks. The order of a map's keys is the parser's to look after: it reads
 * them in the one order that is allowed, so that none can be doubled.
 */
#ifndef PM_BASE_CBOR_H
#define PM_BASE_CBOR_H

#include "base/rd.h"
#include "base/wr.h"

/* Longest beginning of an item: type and a number of 64 bits. */
#define PM_CBOR_HEAD_MAX 9

enum pm_cbor_kind {
	PM_CBOR_OTHER,
	PM_CBOR_UINT,
	PM_CBOR_TEXT,
	PM_CBOR_BYTES,
	PM_CBOR_ARRAY,
	PM_CBOR_MAP
};

/* The kind of the next item, which is not taken; PM_CBOR_OTHER when there is none to be read. */
enum pm_cbor_kind pm_cbor_rd_kind(const struct pm_rd *rd);

uint64_t pm_cbor_rd_uint(struct pm_rd *rd, uint64_t max);

/* Number of pairs. */
size_t pm_cbor_rd_map(struct pm_rd *rd, size_t max);

/* Number of items. */
size_t pm_cbor_rd_array(struct pm_rd *rd, size_t max);

/* Borrowed; the bytes are not looked at, so whoever calls it checks that they are UTF-8. */
struct pm_view pm_cbor_rd_text(struct pm_rd *rd, size_t max);

/* Borrowed. */
struct pm_view pm_cbor_rd_bytes(struct pm_rd *rd, size_t max);

/* A byte string of n bytes, no more and no less, into memory of the caller; zeros on failure. */
void pm_cbor_rd_copy(struct pm_rd *rd, void *dst, size_t n);

/* The unsigned integer that is a key of a map: fails the reader when it is another one. */
void pm_cbor_rd_key(struct pm_rd *rd, uint64_t key);

void pm_cbor_wr_uint(struct pm_wr *wr, uint64_t value);
void pm_cbor_wr_map(struct pm_wr *wr, size_t pairs);
void pm_cbor_wr_array(struct pm_wr *wr, size_t items);
void pm_cbor_wr_text(struct pm_wr *wr, struct pm_view text);
void pm_cbor_wr_bytes(struct pm_wr *wr, struct pm_view bytes);

/* The beginning of a byte string alone: its len bytes are written or hashed elsewhere. */
void pm_cbor_wr_bytes_head(struct pm_wr *wr, size_t len);

#endif
