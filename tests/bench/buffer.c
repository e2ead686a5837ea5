// A growing buffer; what was taken is reclaimed when it is empty, or when room is short.
#include "tests/bench/buffer.h"

#include <stdlib.h>
#include <string.h>

uint8_t *buffer_room(struct buffer *buffer, size_t bytes)
{
	if (buffer->size - buffer->to < bytes && buffer->from > 0) {
		memmove(buffer->data, buffer->data + buffer->from, buffer_waiting(buffer));
		buffer->to -= buffer->from;
		buffer->from = 0;
	}
	if (buffer->size - buffer->to < bytes) {
		buffer->size = (buffer->to + bytes) * 2;
		buffer->data = realloc(buffer->data, buffer->size);
		if (buffer->data == NULL)
			abort();
	}
	return buffer->data + buffer->to;
}

void buffer_append(struct buffer *buffer, const void *data, size_t bytes)
{
	memcpy(buffer_room(buffer, bytes), data, bytes);
	buffer->to += bytes;
}

void buffer_take(struct buffer *buffer, size_t bytes)
{
	buffer->from += bytes;
	if (buffer->from == buffer->to)
		buffer->from = buffer->to = 0;
}

void buffer_done(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct buffer){0};
}
