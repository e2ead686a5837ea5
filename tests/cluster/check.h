// Whether all that was acknowledged is there.
#ifndef CPIS_TESTS_CLUSTER_CHECK_H
#define CPIS_TESTS_CLUSTER_CHECK_H

#include "tests/cluster/book.h"
#include "tests/cluster/brokers.h"

struct check_found {
	unsigned long records;  // acknowledged requests whose record was shown, proven to be in the log
	unsigned long notices;  // notifications of looks of this load
	unsigned long plans;    // acknowledged publications that a look at the child shows
	unsigned long lost;     // acknowledged and not there; each is told on standard error
	unsigned long doubled;  // more than one notification of one look
	unsigned long unasked;  // questions of this check that nobody answered: nothing is proven then
};
// Everything is to be up again. The records by `guardian`, each at another broker than gave its receipt, for they write one log: by
// AUDIT_SHOW with its proof, since no program reads the log out of a PostgreSQL. One thread's.
void check_records(const struct brokers *brokers, const struct book *book, struct check_found *found);
// Publications, by looking.
void check_plans(struct asker *looker, const struct book *book, struct check_found *found);
// The inbox of Leeds, read to its end and acknowledged; each child was looked at by one request only.
void check_inbox(const struct brokers *brokers, const struct book *books, size_t count, struct check_found *found);

#endif
