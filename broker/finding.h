// What follows when a detection rule finds something: the finding stands in the record that set it off, the privacy officer of
// the organisation gets an alert, and where the rule says so the broker holds the person or system back by itself. All of it in
// the batch of that record: it is durable with it or not at all.
#ifndef CPIS_BROKER_FINDING_H
#define CPIS_BROKER_FINDING_H

#include "broker/detection.h"
#include "broker/limits.h"
#include "broker/op.h"

// Just before the request's record is appended; its detail is complete but for the findings. `system` is NULL when it is not
// known. False: the batch cannot be committed.
__attribute__((warn_unused_result)) bool finding_look(struct op_context *context, struct detection *detection,
						       const struct enrolled_system *system, enum reason reason);

// Takes a record that is in the log into the memory, without raising anything: another broker's, or one from before a restart.
// `entry`: as audit_entry has it.
void finding_remember(const struct op_context *context, struct detection *detection, const struct store_audit *row,
		      const Cpis__V1__AuditEntry *entry);

// Fills an empty memory from the log's newest records. Records that do not open are passed over. Not while requests are in the batch;
// the arena is reset. Returns how many were read.
size_t finding_read_back(const struct op_context *context, struct detection *detection);

#endif
