// A bump allocator with a hard end.
#include "proto/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 16u

static void *allocate(void *context, size_t bytes)
{
	return arena_alloc(context, bytes);
}

static void release(void *context, void *pointer)
{
	// Given back by the reset, all at once.
	(void)context;
	(void)pointer;
}

bool arena_init(struct arena *arena, size_t size)
{
	memset(arena, 0, sizeof *arena);
	arena->base = malloc(size);
	if (arena->base == NULL)
		return false;
	arena->size = size;
	arena->allocator = (ProtobufCAllocator){.alloc = allocate, .free = release, .allocator_data = arena};
	return true;
}

void arena_done(struct arena *arena)
{
	if (arena->base != NULL)
		arena_reset(arena);
	free(arena->base);
	memset(arena, 0, sizeof *arena);
}

void arena_reset(struct arena *arena)
{
	explicit_bzero(arena->base, arena->used);
	arena->used = 0;
	arena->overflowed = false;
}

void arena_rewind(struct arena *arena, size_t used)
{
	explicit_bzero(arena->base + used, arena->used - used);
	arena->used = used;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
	size_t left = arena->size - arena->used;
	if (arena->overflowed || bytes > left || left - bytes < ALIGNMENT) {
		arena->overflowed = true;
		return NULL;
	}
	void *at = arena->base + arena->used;
	arena->used += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	memset(at, 0, bytes);
	return at;
}

void *arena_copy(struct arena *arena, const void *data, size_t bytes)
{
	void *copy = arena_alloc(arena, bytes);
	if (copy != NULL && bytes > 0)
		memcpy(copy, data, bytes);
	return copy;
}

char *arena_copy_text(struct arena *arena, const char *text, size_t text_bytes)
{
	char *copy = arena_alloc(arena, text_bytes + 1);
	if (copy != NULL)
		memcpy(copy, text, text_bytes);
	return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int count = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	char *text = count < 0 ? NULL : arena_alloc(arena, (size_t)count + 1);
	if (text != NULL) {
		va_start(arguments, format);
		vsnprintf(text, (size_t)count + 1, format, arguments);
		va_end(arguments);
	}
	return text;
}
