// A bump allocator with a hard end: what one request may use. Nothing is freed singly; the whole is
// reset between requests. When the end is reached, allocation fails and keeps failing until the reset.
#ifndef CPIS_PROTO_ARENA_H
#define CPIS_PROTO_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

struct arena {
	uint8_t *base;
	size_t size;
	size_t used;
	bool overflowed;             // sticky until arena_reset
	ProtobufCAllocator allocator;// for protobuf-c; frees are no-ops
};

// One malloc of `size` bytes. False when there is no memory; then `arena` is safe to pass to arena_done.
__attribute__((warn_unused_result)) bool arena_init(struct arena *arena, size_t size);
// Wipes what was used and gives the memory back.
void arena_done(struct arena *arena);
// Wipes what was used (it held children's data) and starts again. All pointers into it die.
void arena_reset(struct arena *arena);
// Wipes and takes back what was allocated since arena->used was `used`. Does not end an overflow.
void arena_rewind(struct arena *arena, size_t used);

// 16-byte aligned and zeroed; NULL past the end.
void *arena_alloc(struct arena *arena, size_t bytes);
// A NUL-terminated copy; NULL past the end.
char *arena_copy_text(struct arena *arena, const char *text, size_t text_bytes);
void *arena_copy(struct arena *arena, const void *data, size_t bytes);
// printf into the arena; NULL past the end.
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
