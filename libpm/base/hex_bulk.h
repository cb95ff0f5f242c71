/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hexadecimal of long public data (ciphertext) at memory speed: lower case only, both ways. Not for
 * secrets and not for text of people: see hex.h and pm/text.h.
 */
#ifndef PM_BASE_HEX_BULK_H
#define PM_BASE_HEX_BULK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes 2 * n digits, no NUL. The bytes may be the last n of the text's own memory. */
void pm_hex_bulk_encode(const uint8_t *bytes, size_t n, uint8_t *ret_text);

/*
 * Reads 2 * n digits; false unless all are lower-case hexadecimal, and ret then holds rubbish. ret
 * may be the text's own memory, or begin before it.
 */
bool pm_hex_bulk_decode(const uint8_t *text, size_t n, uint8_t *ret)
	__attribute__((warn_unused_result));

#endif
