// The operator's log: one line an event on standard error, RFC 3339 time, level, event word, text.
// Never a child, never a member of staff's name, never a secret: what is about people is in the audit log.
#ifndef CPIS_BROKER_LOG_H
#define CPIS_BROKER_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO };

// `event` is a stable word for alert rules, e.g. "register_reload_failed". Thread-safe.
void log_event(enum log_level level, const char *event, const char *format, ...) __attribute__((format(printf, 3, 4)));

// An error that may recur with each batch: the same line is told once a minute (broker/trouble.h), with how often it came meanwhile.
void log_trouble(const char *event, const char *format, ...) __attribute__((format(printf, 2, 3)));
// The same of what no commit mends: a stored row that was damaged.
void log_damage(const char *event, const char *format, ...) __attribute__((format(printf, 2, 3)));
// What troubles were about works again: said once, as `mended`, when any was told since the last time. Cheap when none was.
void log_mended(void);

#endif
