// The load of nurses asking about children, which most workloads are made of or run beside.
#ifndef CPIS_TESTS_BENCH_QUERIES_H
#define CPIS_TESTS_BENCH_QUERIES_H

#include "tests/bench/town.h"

// Of each 20 questions `hits_of_20` are the details of a child with a plan, of whom an authority is notified; the others are flags
// of children nobody knows. Connection n is nurse n modulo TOWN_NURSES. Children are taken in turn over all loads of one town: a
// second look of one person within minutes would not be told to anybody.
struct queries {
	struct town *town;
	unsigned hits_of_20;
	uint64_t made;
	struct link_curve_target target;
};

void queries_init(struct queries *queries, struct town *town, unsigned hits_of_20);
// The child with a plan that was asked about as number `look`.
const char *queries_hit(const struct town *town, uint64_t look);
struct load_options queries_load(struct queries *queries, unsigned connections);

#endif
