/* SPDX-License-Identifier: Apache-2.0 */
/* A file that tells others a public key of this process. */
#ifndef COMMON_PUBLIC_FILE_H
#define COMMON_PUBLIC_FILE_H

#include <stddef.h>
#include <stdint.h>

/* Whole or not at all, in the place of what was there. 0, or 2 when it said what is wrong. */
int public_file_write(const char *path, const uint8_t *bytes, size_t len);

#endif
