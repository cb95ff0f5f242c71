/* SPDX-License-Identifier: Apache-2.0 */
#include "common/buffer.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 1024

/* realloc() would leave a copy behind. */
static bool make_room(struct buffer *buffer, size_t needed)
{
	size_t room = buffer->room < ROOM_MIN ? ROOM_MIN : 2 * buffer->room;
	char *bytes;

	if (room < needed)
		room = needed;
	bytes = malloc(room);
	if (!bytes)
		return false;
	if (buffer->len)
		memcpy(bytes, buffer->bytes, buffer->len);
	if (buffer->bytes)
		explicit_bzero(buffer->bytes, buffer->len);
	free(buffer->bytes);
	buffer->bytes = bytes;
	buffer->room = room;
	return true;
}

bool buffer_reserve(struct buffer *buffer, size_t len, size_t most)
{
	if (len > most || buffer->len > most - len)
		return false;
	return buffer->len + len <= buffer->room || make_room(buffer, buffer->len + len);
}

bool buffer_add(struct buffer *buffer, const void *bytes, size_t len, size_t most)
{
	if (!buffer_reserve(buffer, len, most))
		return false;
	if (len == 0)
		return true;
	memcpy(buffer->bytes + buffer->len, bytes, len);
	buffer->len += len;
	return true;
}

void buffer_clear(struct buffer *buffer)
{
	if (buffer->bytes)
		explicit_bzero(buffer->bytes, buffer->len);
	buffer->len = 0;
}

void buffer_free(struct buffer *buffer)
{
	buffer_clear(buffer);
	free(buffer->bytes);
	*buffer = (struct buffer){0};
}
