/* SPDX-License-Identifier: Apache-2.0 */
/* Room for secrets of 32 bytes: locked, where the system lets us, and in no core dump. */
#ifndef PROXY_VAULT_H
#define PROXY_VAULT_H

#include <stddef.h>
#include <stdint.h>

#define VAULT_SECRET_SIZE 32

/* Not thread safe. */
struct vault;

/* Room for count secrets, or NULL. */
struct vault *vault_new(size_t count);
/* Wipes all. */
void vault_free(struct vault *vault);
/* A copy of the secret, or NULL when it is full. */
const uint8_t *vault_put(struct vault *vault, const uint8_t *secret);
/* Wipes it. */
void vault_drop(struct vault *vault, const uint8_t *secret);

#endif
