// What is due by time alone: what follows from a publication, items that nobody acknowledged, digests. One file for each, as
// with requests; core_own.c runs them in turn, each in a batch of its own.
#ifndef CPIS_BROKER_JOB_H
#define CPIS_BROKER_JOB_H

#include "broker/op.h"

enum job_result {
	JOB_IDLE,     // nothing was due, nothing was written
	JOB_DONE,     // something was written, and nothing more is due now
	JOB_MORE,     // something was written: call again soon. A step takes some milliseconds at most
	JOB_FAILED,   // a store call failed: the batch is given up and tried again later
};

// What is counted when a step has been committed.
struct job_tally {
	uint64_t escalated, expired;
};

// `context` has what everybody shares, the time and the arena, and nothing of a request. What was written is committed by the
// caller; what the job keeps in memory must be right whether or not that succeeds.
typedef enum job_result job_step(struct op_context *context, struct job_tally *tally);

job_step job_inbox_due;          // items that nobody acknowledged in time
job_step job_digest;             // notifications held back until the hour is over
job_step job_sample;             // accesses chosen at random for routine review
job_step job_retention;          // keys of records that are kept no longer
job_step job_nothing_to_report;  // authorities that had nothing for a day, where they want to know
job_step job_publication;        // what follows from what authorities have published

#endif
