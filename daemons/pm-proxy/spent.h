/* SPDX-License-Identifier: Apache-2.0 */
/* Ids of secrets that were used, and until when: none of them is taken a second time. */
#ifndef PROXY_SPENT_H
#define PROXY_SPENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Characters of an id that count: of the base64 of a hash, 144 bits. */
#define SPENT_ID_SIZE 24
/* No time. */
#define SPENT_NONE INT64_MIN

/* Not thread safe. */
struct spent;

/* Room for count ids, or NULL. Memory that is not used yet is not touched. */
struct spent *spent_new(size_t count);
void spent_free(struct spent *spent);
/* ret_time may be NULL. */
bool spent_has(const struct spent *spent, const char *id, int64_t *ret_time);
/* When it is full, the oldest is forgotten: its time, else SPENT_NONE. */
int64_t spent_add(struct spent *spent, const char *id, int64_t time);

#endif
