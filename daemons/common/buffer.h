/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that grow, wiped when they move or go: they may be of a prompt. */
#ifndef COMMON_BUFFER_H
#define COMMON_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* Begin with zeros. */
struct buffer {
	char *bytes;
	size_t len;
	size_t room;
};

/* False without memory, or when it would be longer than most. */
bool buffer_add(struct buffer *buffer, const void *bytes, size_t len, size_t most);

/* Makes sure that buffer_add() of so many bytes does not fail. False as that. */
bool buffer_reserve(struct buffer *buffer, size_t len, size_t most);

/* Empty, with its memory. */
void buffer_clear(struct buffer *buffer);

void buffer_free(struct buffer *buffer);

#endif
