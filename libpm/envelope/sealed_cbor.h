/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CBOR with deterministic encoding (RFC 8949, 4.2.1), as far as the heads of sealed exchanges need
 * it: unsigned integers, texts and maps of definite length. The one door to libcbor, whose
 * streaming functions read and write one item's beginning at a time and allocate nothing.
 *
 * Whatever is of another type, not in its shortest form, indefinite, tagged or above a maximum
 * fails the reader, which sticks.
 */
#ifndef PM_ENVELOPE_SEALED_CBOR_H
#define PM_ENVELOPE_SEALED_CBOR_H

#include "base/rd.h"
#include "base/wr.h"

uint64_t pm_cbor_rd_uint(struct pm_rd *rd, uint64_t max);

/* Number of pairs. */
size_t pm_cbor_rd_map(struct pm_rd *rd, size_t max);

/* Borrowed; the bytes are not looked at, so whoever calls it checks that they are UTF-8. */
struct pm_view pm_cbor_rd_text(struct pm_rd *rd, size_t max);

/* The unsigned integer that is a key of a map: fails the reader when it is another one. */
void pm_cbor_rd_key(struct pm_rd *rd, uint64_t key);

void pm_cbor_wr_uint(struct pm_wr *wr, uint64_t value);
void pm_cbor_wr_map(struct pm_wr *wr, size_t pairs);
void pm_cbor_wr_text(struct pm_wr *wr, struct pm_view text);

#endif
