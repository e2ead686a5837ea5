// What was asked and what was acknowledged.
#include "tests/cluster/book.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
	pthread_mutex_t lock;
	uint64_t last_ms, gap_ms;
	unsigned long answers;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct book_entry *book_add(struct book *book, const uint8_t request_id[REQUEST_ID_BYTES], const char *child, Cpis__V1__Operation operation)
{
	if (book->count == book->room) {
		book->room = book->room == 0 ? 1024 : 2 * book->room;
		book->entries = realloc(book->entries, book->room * sizeof *book->entries);
	}
	if (book->entries == NULL)
		abort();
	struct book_entry *entry = &book->entries[book->count++];
	*entry = (struct book_entry){.operation = operation};
	memcpy(entry->request_id, request_id, REQUEST_ID_BYTES);
	snprintf(entry->child, sizeof entry->child, "%s", child);
	return entry;
}

void book_done(struct book *book)
{
	free(book->entries);
	*book = (struct book){0};
}

void book_answered(uint64_t now_ms)
{
	pthread_mutex_lock(&all.lock);
	if (all.answers++ > 0 && now_ms > all.last_ms && now_ms - all.last_ms > all.gap_ms)
		all.gap_ms = now_ms - all.last_ms;
	if (now_ms > all.last_ms)
		all.last_ms = now_ms;
	pthread_mutex_unlock(&all.lock);
}

void book_begin_times(void)
{
	pthread_mutex_lock(&all.lock);
	all.gap_ms = 0;
	pthread_mutex_unlock(&all.lock);
}

unsigned long book_answers(void)
{
	pthread_mutex_lock(&all.lock);
	unsigned long answers = all.answers;
	pthread_mutex_unlock(&all.lock);
	return answers;
}

uint64_t book_gap_ms(void)
{
	pthread_mutex_lock(&all.lock);
	uint64_t gap_ms = all.gap_ms;
	pthread_mutex_unlock(&all.lock);
	return gap_ms;
}

struct nhs_number *book_children(size_t first, size_t count)
{
	struct nhs_number *children = calloc(count, sizeof *children), valid;
	size_t number = 0;
	if (children == NULL)
		abort();
	for (unsigned stem = 999000001; stem < 999999999 && number < first + count; stem++)
		for (unsigned check = 0; check < 10; check++) {
			char text[NHS_NUMBER_DIGITS + 1];
			snprintf(text, sizeof text, "%09u%u", stem % 1000000000u, check % 10u);
			if (nhs_number_parse(text, NHS_NUMBER_DIGITS, &valid) != NHS_NUMBER_OK)
				continue;
			if (number >= first)
				children[number - first] = valid;
			number++;
		}
	if (number < first + count)
		abort(); // the range has some 900,000
	return children;
}
