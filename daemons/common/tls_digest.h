/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, by the library that does TLS. */
#ifndef COMMON_TLS_DIGEST_H
#define COMMON_TLS_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define TLS_DIGEST_SIZE 32

/* 0; PM_E_CRYPTO. Thread safe. */
int tls_sha256(const void *bytes, size_t len, uint8_t ret[TLS_DIGEST_SIZE]);

#endif
