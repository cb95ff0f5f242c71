/* SPDX-License-Identifier: Apache-2.0 */
/* Hexadecimal for messages: pm_hex(p, n).s lives as long as the expression it stands in. */
#ifndef PM_BASE_HEX_H
#define PM_BASE_HEX_H

#include <stddef.h>

/* Most bytes that one text shows: the longest field of a report. */
#define PM_HEX_BYTES 64

struct pm_hex_text {
	char s[2 * PM_HEX_BYTES + 1];
};

struct pm_hex_text pm_hex(const void *bytes, size_t size);

#endif
