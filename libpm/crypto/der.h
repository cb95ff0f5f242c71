/* SPDX-License-Identifier: Apache-2.0 */
/* Small readings of DER (X.690) for what the X.509 parser leaves as bytes; and writing it. */
#ifndef PM_CRYPTO_DER_H
#define PM_CRYPTO_DER_H

#include "base/mem.h"
#include "base/wr.h"

#define PM_DER_BOOLEAN		0x01
#define PM_DER_INTEGER		0x02
#define PM_DER_BIT_STRING	0x03
#define PM_DER_OCTET_STRING	0x04
#define PM_DER_NULL		0x05
#define PM_DER_OID		0x06
#define PM_DER_ENUMERATED	0x0a
#define PM_DER_UTF8_STRING	0x0c
#define PM_DER_PRINTABLE_STRING 0x13
#define PM_DER_IA5_STRING	0x16
#define PM_DER_UTC_TIME		0x17
#define PM_DER_GENERALIZED_TIME 0x18
#define PM_DER_SEQUENCE		0x30
#define PM_DER_SET		0x31
#define PM_DER_CONTEXT(n)	(0x80 | (n)) /* implicit, of a primitive type */
#define PM_DER_EXPLICIT(n)	(0xa0 | (n)) /* and implicit, of a constructed type */

/* Takes one element of that tag off the front, its content borrowed; false unless it fits. */
bool pm_der_get(struct pm_view *from, int tag, struct pm_view *ret)
	__attribute__((warn_unused_result));

/* The same, and nothing may follow. */
bool pm_der_only(struct pm_view from, int tag, struct pm_view *ret)
	__attribute__((warn_unused_result));

/* As pm_der_get(), and *ret_whole is the element with its tag and length. */
bool pm_der_get_whole(struct pm_view *from, int tag, struct pm_view *ret_whole, struct pm_view *ret)
	__attribute__((warn_unused_result));

/* Takes a positive INTEGER in its shortest form, without the leading zero. */
bool pm_der_get_positive(struct pm_view *from, struct pm_view *ret)
	__attribute__((warn_unused_result));

/* One INTEGER in its shortest form, of 0 to 255, and nothing else. */
bool pm_der_uint8(struct pm_view from, uint8_t *ret) __attribute__((warn_unused_result));

/* A BIT STRING of whole bytes, and nothing else: its bytes. */
bool pm_der_bits(struct pm_view from, struct pm_view *ret) __attribute__((warn_unused_result));

/* Takes a GeneralizedTime as RFC 5280, 4.1.2.5.2, wants it: YYYYMMDDHHMMSSZ. */
bool pm_der_get_time(struct pm_view *from, int64_t *ret) __attribute__((warn_unused_result));

/* --- writing --------------------------------------------------------------------------------- */

/* One element of that tag. */
void pm_der_put(struct pm_wr *wr, int tag, struct pm_view content);

/* Wraps what was written from position at on in an element of that tag. */
void pm_der_wrap(struct pm_wr *wr, size_t at, int tag);

/* A Time as RFC 5280, 4.1.2.5, wants it: UTCTime through 2049. Fails the writer past year 9999. */
void pm_der_put_time(struct pm_wr *wr, int64_t time);

#endif
