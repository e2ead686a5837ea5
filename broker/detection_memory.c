// The tables: sets of eight rows, and the journal.
#include "broker/detection_memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "proto/invariant.h"

#define WAYS 8u

struct table {
	uint8_t *rows;
	size_t row_bytes;
	unsigned sets;
};

// A row as it was, behind its place.
struct saved {
	uint8_t *at;
	size_t bytes;
};

struct memory {
	struct table people, systems, children, groups;
	uint8_t *journal;
	size_t journal_bytes, journal_used;
	uint32_t batch; // from 1
};

// Zeroed, and apart from malloc's account: that is watched for what strangers take up (listeners.c). What is not touched takes no
// memory: all of this is reserved rather than used. NULL: there is none.
static void *reserve(size_t bytes)
{
	void *data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return data == MAP_FAILED ? NULL : data;
}

static void release(void *data, size_t bytes)
{
	if (data != NULL)
		munmap(data, bytes);
}

static bool table_new(struct table *table, unsigned rows, size_t row_bytes)
{
	table->row_bytes = row_bytes;
	table->sets = rows / WAYS;
	table->rows = reserve(rows * row_bytes);
	return table->rows != NULL;
}

// The kernel takes the pages back, and gives zeros when they are used again. Where it does not (locked ones), rows that were never
// used stay untouched: writing to them would make them take memory.
static void table_wipe(struct table *table)
{
	if (table->rows == NULL || madvise(table->rows, (size_t)table->sets * WAYS * table->row_bytes, MADV_DONTNEED) == 0)
		return;
	for (size_t i = 0; i < (size_t)table->sets * WAYS; i++) {
		struct memory_row *row = (struct memory_row *)(table->rows + i * table->row_bytes);
		if (row->key != 0)
			explicit_bzero(row, table->row_bytes);
	}
}

bool memory_new(unsigned batch_max, struct memory **ret)
{
	struct memory *memory = calloc(1, sizeof *memory);
	if (memory == NULL)
		return false;
	size_t event_bytes = sizeof(struct memory_person) + sizeof(struct memory_system) + sizeof(struct memory_child) +
			     MEMORY_GROUPS_PER_EVENT * sizeof(struct memory_group) +
			     (3 + MEMORY_GROUPS_PER_EVENT) * sizeof(struct saved);
	memory->batch = 1;
	memory->journal_bytes = batch_max * event_bytes;
	memory->journal = reserve(memory->journal_bytes);
	if (memory->journal == NULL || !table_new(&memory->people, DETECTION_PEOPLE_MAX, sizeof(struct memory_person)) ||
	    !table_new(&memory->systems, DETECTION_SYSTEMS_MAX, sizeof(struct memory_system)) ||
	    !table_new(&memory->children, DETECTION_CHILDREN_MAX, sizeof(struct memory_child)) ||
	    !table_new(&memory->groups, DETECTION_GROUPS_MAX, sizeof(struct memory_group))) {
		memory_free(memory);
		return false;
	}
	*ret = memory;
	return true;
}

static void table_free(struct table *table)
{
	table_wipe(table);
	release(table->rows, (size_t)table->sets * WAYS * table->row_bytes);
}

void memory_free(struct memory *memory)
{
	if (memory == NULL)
		return;
	table_free(&memory->people);
	table_free(&memory->systems);
	table_free(&memory->children);
	table_free(&memory->groups);
	if (memory->journal != NULL)
		explicit_bzero(memory->journal, memory->journal_used);
	release(memory->journal, memory->journal_bytes);
	free(memory);
}

// ------------------------------------------------------------------ rows

// Once a batch: what is changed again was not there before it.
static void save(struct memory *memory, struct memory_row *row, size_t row_bytes)
{
	struct saved saved = {(uint8_t *)row, row_bytes};
	if (row->batch == memory->batch)
		return;
	INVARIANT(memory->journal_used + row_bytes + sizeof saved <= memory->journal_bytes);
	memcpy(memory->journal + memory->journal_used, row, row_bytes);
	memory->journal_used += row_bytes;
	memcpy(memory->journal + memory->journal_used, &saved, sizeof saved);
	memory->journal_used += sizeof saved;
}

// `ret_before` may be NULL.
static void *find_or_add(struct memory *memory, const struct table *table, uint64_t key, detection_second now_s,
			 void *ret_before)
{
	uint8_t *set = table->rows + (size_t)((key ^ key >> 32) % table->sets) * WAYS * table->row_bytes;
	struct memory_row *oldest = (struct memory_row *)set, *found = NULL;
	for (unsigned i = 0; i < WAYS && found == NULL; i++) {
		struct memory_row *row = (struct memory_row *)(set + i * table->row_bytes);
		if (row->key == key)
			found = row;
		else if (row->used_s < oldest->used_s)
			oldest = row;
	}
	struct memory_row *row = found != NULL ? found : oldest;
	save(memory, row, table->row_bytes);
	if (found == NULL)
		memset(row, 0, table->row_bytes);
	if (ret_before != NULL)
		memcpy(ret_before, row, table->row_bytes);
	row->key = key;
	row->used_s = now_s;
	row->batch = memory->batch;
	return row;
}

struct memory_person *memory_person(struct memory *memory, uint64_t key, detection_second now_s)
{
	return find_or_add(memory, &memory->people, key, now_s, NULL);
}

struct memory_system *memory_system(struct memory *memory, uint64_t key, detection_second now_s)
{
	return find_or_add(memory, &memory->systems, key, now_s, NULL);
}

struct memory_child *memory_child(struct memory *memory, uint64_t key, detection_second now_s, struct memory_child *ret_before)
{
	return find_or_add(memory, &memory->children, key, now_s, ret_before);
}

struct memory_group *memory_group(struct memory *memory, uint64_t key, detection_second now_s)
{
	return find_or_add(memory, &memory->groups, key, now_s, NULL);
}

uint64_t memory_hash(uint64_t before, const void *bytes, size_t bytes_count)
{
	const uint8_t *at = bytes;
	for (size_t i = 0; i < bytes_count; i++)
		before = (before ^ at[i]) * UINT64_C(1099511628211);
	return before == 0 ? 1 : before;
}

// ------------------------------------------------------------------ batches

static void begin_batch(struct memory *memory)
{
	explicit_bzero(memory->journal, memory->journal_used);
	memory->journal_used = 0;
	memory->batch++;
}

void memory_keep(struct memory *memory)
{
	begin_batch(memory);
}

void memory_put_back(struct memory *memory)
{
	size_t at = memory->journal_used;
	while (at > 0) {
		struct saved saved;
		at -= sizeof saved;
		memcpy(&saved, memory->journal + at, sizeof saved);
		at -= saved.bytes;
		memcpy(saved.at, memory->journal + at, saved.bytes);
	}
	begin_batch(memory);
}

void memory_forget(struct memory *memory)
{
	table_wipe(&memory->people);
	table_wipe(&memory->systems);
	table_wipe(&memory->children);
	table_wipe(&memory->groups);
	begin_batch(memory);
}
