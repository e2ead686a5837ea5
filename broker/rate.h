// How often a person or a system has done something in the last minute, for the policy's bounds. In memory only: a restart
// forgets it. Of several brokers each adds what it reads that others let pass (core_others.c). One thread; time is a parameter.
#ifndef CPIS_BROKER_RATE_H
#define CPIS_BROKER_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/limits.h"
#include "proto/cpis.pb-c.h"

#define RATE_NAME_BYTES 65u

enum rate_kind { RATE_PERSON, RATE_SYSTEM };

struct rate;

__attribute__((warn_unused_result)) bool rate_new(struct rate **ret); // false: no memory
void rate_free(struct rate *rate); // accepts NULL

// Counts one more, unless `per_minute` (0: no bound, nothing is counted) would be passed: false then. The count is that of
// the minute before `now_ms`, taken from the current and the previous clock minute in proportion. `name` has less than
// RATE_NAME_BYTES. A clock that was set back starts the count anew.
__attribute__((warn_unused_result)) bool rate_take(struct rate *rate, enum rate_kind kind, const char *name,
						    Cpis__V1__Operation operation, unsigned per_minute, uint64_t now_ms);

// Counts one that another broker has let pass, `at_ms` by its clock, also past the bound.
void rate_add(struct rate *rate, enum rate_kind kind, const char *name, Cpis__V1__Operation operation, uint64_t at_ms);

#endif
