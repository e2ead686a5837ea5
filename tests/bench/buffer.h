// Bytes on their way in or out of a connection: appended at the end, taken from the front.
#ifndef CPIS_TESTS_BENCH_BUFFER_H
#define CPIS_TESTS_BENCH_BUFFER_H

#include <stddef.h>
#include <stdint.h>

struct buffer {
	uint8_t *data;
	size_t from, to, size; // those from `from` to `to` are waiting
};

// Room for `bytes` more at `data + to`; aborts without memory. Pointers into the buffer move.
uint8_t *buffer_room(struct buffer *buffer, size_t bytes);
void buffer_append(struct buffer *buffer, const void *data, size_t bytes);
void buffer_take(struct buffer *buffer, size_t bytes);
static inline size_t buffer_waiting(const struct buffer *buffer)
{
	return buffer->to - buffer->from;
}
void buffer_done(struct buffer *buffer);

#endif
