// What was asked and what was acknowledged, kept by who asks; and how long nobody was answered.
#ifndef CPIS_TESTS_CLUSTER_BOOK_H
#define CPIS_TESTS_CLUSTER_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/nhs_number.h"
#include "proto/wire.h"

struct book_entry {
	uint8_t request_id[REQUEST_ID_BYTES];
	char child[NHS_NUMBER_DIGITS + 1];
	Cpis__V1__Operation operation;
	bool acknowledged;
	size_t broker;  // who acknowledged it
	uint64_t index; // the receipt's
};

// Zeroed: empty. One thread's.
struct book {
	struct book_entry *entries;
	size_t count, room;
	uint64_t wait_ms; // the longest that one request waited for its answer
};
// The entry stays where it is until the next one is added.
struct book_entry *book_add(struct book *book, const uint8_t request_id[REQUEST_ID_BYTES], const char *child, Cpis__V1__Operation operation);
void book_done(struct book *book);

// Of all threads together.
void book_answered(uint64_t now_ms);
// The times that follow count from now on.
void book_begin_times(void);
unsigned long book_answers(void);
// The longest time between two answers.
uint64_t book_gap_ms(void);

// The number'th valid NHS number of the range kept for tests, from one sequence of `count` of them; malloc'd.
struct nhs_number *book_children(size_t first, size_t count);

#endif
