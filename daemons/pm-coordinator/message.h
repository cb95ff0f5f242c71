/* SPDX-License-Identifier: Apache-2.0 */
/* JSON of requests, answers and of what is kept: strict to read, short to write. */
#ifndef COORDINATOR_MESSAGE_H
#define COORDINATOR_MESSAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * An object with exactly these members, which are all texts; no names: an empty one. NULL for
 * anything else: doubled members, text behind it, zero bytes.
 */
json_t *message_parse(const void *bytes, size_t len, const char *const *names, size_t count);

/* The base64 of a member, 1 to so many bytes, to be freed. False for other text. */
bool message_bytes(json_t *value, size_t most, uint8_t **ret_bytes, size_t *ret_len);

/* Likewise of exactly so many bytes. */
bool message_fixed(json_t *value, uint8_t *ret_bytes, size_t size);

/* Hexadecimal of exactly so many bytes, lower case. */
bool message_hex(json_t *value, uint8_t *ret_bytes, size_t size);

/* Texts of bytes; NULL without memory. */
json_t *message_new_base64(const void *bytes, size_t len);
json_t *message_new_hex(const uint8_t *bytes, size_t len);

#endif
