/* SPDX-License-Identifier: Apache-2.0 */
/* Ids of secrets that were used: none of them is taken a second time. */
#ifndef PROXY_SPENT_H
#define PROXY_SPENT_H

#include <stdbool.h>
#include <stddef.h>

/* Characters of an id that count: of the base64 of a hash, 144 bits. */
#define SPENT_ID_SIZE 24

/* Not thread safe. */
struct spent;

/* Room for count ids, or NULL. Memory that is not used yet is not touched. */
struct spent *spent_new(size_t count);
void spent_free(struct spent *spent);
bool spent_has(const struct spent *spent, const char *id);
/* When it is full, the oldest is forgotten. */
void spent_add(struct spent *spent, const char *id);

#endif
