// How results are printed: pieces that several subcommands share.
#ifndef CPIS_CLI_OUTPUT_H
#define CPIS_CLI_OUTPUT_H

#include <stdint.h>

#include <jansson.h>

#include "proto/wire.h"

// Prints and releases; a newline follows.
void output_json(json_t *value);

// {outcome, reason_code, reason, audit_index, proof: "checked"}; the caller adds the rest.
json_t *output_envelope(const Cpis__V1__Reply *reply);

// "Recorded as no. 12 in the audit log; proof checked."
void output_receipt(const Cpis__V1__Reply *reply);

// RFC 3339 in UTC; JSON null for 0.
json_t *output_instant(uint64_t time_ms);
// England's clock, for people: "2026-11-23 03:04".
void output_english_time(uint64_t time_ms, char out[17]);

// Who looked, in which role, from where, when.
json_t *output_access(const Cpis__V1__Access *access);
// "emergency department" out of EMERGENCY_DEPARTMENT.
const char *output_care_setting(Cpis__V1__CareSetting setting, char out[40]);

#endif
