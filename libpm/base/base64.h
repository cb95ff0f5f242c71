/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 of RFC 4648 section 4, with padding, without white space. */
#ifndef PM_BASE_BASE64_H
#define PM_BASE_BASE64_H

#include <pm/error.h>
#include "base/mem.h"

/* Bytes of text, with the final NUL, that n bytes need. */
#define PM_BASE64_SIZE(n) ((((n) + 2) / 3) * 4 + 1)

/* Writes text and a NUL; cap must be at least PM_BASE64_SIZE(bytes.len), else PM_E_LIMIT. */
int pm_base64_encode(struct pm_view bytes, char *ret_text, size_t cap) PM_MUST_USE;

/* Reads text.len characters; PM_E_FORMAT, or PM_E_LIMIT when more than cap bytes come out. */
int pm_base64_decode(
	struct pm_view text, uint8_t *ret_bytes, size_t cap, size_t *ret_len) PM_MUST_USE;

/*
 * base64url (RFC 4648, section 5) without padding, one spelling for each value: as JOSE has it. The
 * same errors.
 */
int pm_base64url_decode(
	struct pm_view text, uint8_t *ret_bytes, size_t cap, size_t *ret_len) PM_MUST_USE;

#endif
