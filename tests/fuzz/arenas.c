// Arenas are used again instead of being given back (the linker's --wrap puts these in the place of arena_init and arena_done): the
// broker takes 200 MiB of them at each start, and AddressSanitizer would write the shadow of each anew, which took four fifths of a
// conversation. What was used of a freed one is poisoned all the same, and a larger block never stands in for a smaller one.
#include <sanitizer/asan_interface.h>
#include <string.h>

#include "proto/arena.h"
#include "tests/fuzz/fuzz.h"

#define BLOCKS 64u
#define SMALL_BYTES (256u * 1024u)

bool __real_arena_init(struct arena *arena, size_t size);
void __real_arena_done(struct arena *arena);
bool __wrap_arena_init(struct arena *arena, size_t size);
void __wrap_arena_done(struct arena *arena);

static struct arena blocks[BLOCKS];
static size_t used[BLOCKS];
static unsigned count;

bool __wrap_arena_init(struct arena *arena, size_t size)
{
	for (unsigned i = 0; i < count; i++)
		if (blocks[i].size == size) {
			*arena = blocks[i];
			arena->allocator.allocator_data = arena;
			ASAN_UNPOISON_MEMORY_REGION(arena->base, used[i]);
			count--;
			blocks[i] = blocks[count];
			used[i] = used[count];
			return true;
		}
	return __real_arena_init(arena, size);
}

void __wrap_arena_done(struct arena *arena)
{
	if (arena->base == NULL || arena->size < SMALL_BYTES || count == BLOCKS) {
		__real_arena_done(arena);
		return;
	}
	used[count] = arena->used;
	arena_reset(arena);
	ASAN_POISON_MEMORY_REGION(arena->base, used[count]);
	blocks[count++] = *arena;
	memset(arena, 0, sizeof *arena);
}
