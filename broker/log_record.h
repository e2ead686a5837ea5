// One record of the operator's log as bytes, in each of the forms that it is written in. No clock, no descriptors.
#ifndef CPIS_BROKER_LOG_RECORD_H
#define CPIS_BROKER_LOG_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "broker/limits.h"
#include "broker/log_events.h"

// Of all of them: a message of nothing but quotes is twice as long in JSON, and the fields' names come on top.
#define LOG_RECORD_BYTES (2u * LOG_LINE_BYTES_MAX + 512u)

struct log_record {
	uint64_t time_ms; // UTC
	enum log_event event;
	const char *process;
	int pid;
	const char *message; // control characters become question marks; what makes the text line too long is cut, in all forms
};

// "TIME LEVEL WORD MESSAGE\n", at most LOG_LINE_BYTES_MAX. Returns how many bytes; there is no NUL.
size_t log_record_text(const struct log_record *record, char out[LOG_RECORD_BYTES]);
// One JSON object and a newline. Bytes that are not UTF-8 become question marks, all that are not ASCII if any is wrong.
size_t log_record_json(const struct log_record *record, char out[LOG_RECORD_BYTES]);
// A datagram of the journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL).
size_t log_record_journal(const struct log_record *record, char out[LOG_RECORD_BYTES]);
// As in syslog(3): 3, 4 or 6.
int log_record_priority(const struct log_record *record);

#endif
