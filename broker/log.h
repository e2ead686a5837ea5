// The operator's log: one record an event (log_events.h). Never a child, never a member of staff's name, never a secret: what is
// about people is in the audit log.
//
// Where it goes: to the journal with its fields, when standard error is the journal's; else one line on standard error, as text
// (RFC 3339 time, level, word, message) or as a JSON object. broker/README.md, "The operator's log". Thread-safe.
#ifndef CPIS_BROKER_LOG_H
#define CPIS_BROKER_LOG_H

#include <stdint.h>

#include "broker/log_events.h"

enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

// Before the process is sandboxed: finds out whether standard error is the journal's, and opens what is needed to write there.
// `process` is a static string, as in "front"; without the call it is "core" and standard error.
void log_open(const char *process);
// Until then it is text. Of no matter where the journal is written to. Before the first thread.
void log_set_format(enum log_format format);

void log_event(enum log_event event, const char *format, ...) __attribute__((format(printf, 2, 3)));

// An error that may recur with each batch: the same line is told once a minute (broker/trouble.h), with how often it came meanwhile.
void log_trouble(enum log_event event, const char *format, ...) __attribute__((format(printf, 2, 3)));
// The same of what no commit mends: a stored row that was damaged.
void log_damage(enum log_event event, const char *format, ...) __attribute__((format(printf, 2, 3)));
// What troubles were about works again: said once, as `mended`, when any was told since the last time. Cheap when none was.
void log_mended(void);

// How often this process has written such a record.
uint64_t log_count(enum log_event event);

#endif
