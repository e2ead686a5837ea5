// The operator's log as text, as JSON and as the journal's fields.
#include "broker/log_record.h"

#include <stdio.h>
#include <string.h>

#include "proto/date.h"
#include "proto/invariant.h"
#include "proto/text.h"

static const struct log_event_row rows[LOG_EVENTS] = {
#define X(name, word, level, kind, meaning, remedy) \
	[LOG_EVENT_##name] = {word, LOG_LEVEL_##level, LOG_KIND_##kind, meaning, remedy},
	LOG_EVENT_TABLE(X)
#undef X
};

const struct log_event_row *log_event_row(enum log_event event)
{
	INVARIANT((unsigned)event < LOG_EVENTS);
	return &rows[event];
}

const char *log_level_word(enum log_level level)
{
	static const char *const words[] = {
		[LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARNING] = "warning", [LOG_LEVEL_INFO] = "info"};
	return words[level];
}

int log_record_priority(const struct log_record *record)
{
	static const int priorities[] = {[LOG_LEVEL_ERROR] = 3, [LOG_LEVEL_WARNING] = 4, [LOG_LEVEL_INFO] = 6};
	return priorities[log_event_row(record->event)->level];
}

// Arguments may come from outside (a file's name, a library's sentence): whatever could end the line or drive a
// terminal becomes a question mark.
static void mask_controls(char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			text[i] = '?';
}

size_t log_record_text(const struct log_record *record, char out[LOG_RECORD_BYTES])
{
	const struct log_event_row *row = log_event_row(record->event);
	char when[25];
	instant_format(record->time_ms, when);
	int wanted = snprintf(out, LOG_LINE_BYTES_MAX, "%s %s %s %s", when, log_level_word(row->level), row->word, record->message);
	size_t used = wanted < 0 ? 0 : (size_t)wanted < LOG_LINE_BYTES_MAX ? (size_t)wanted : LOG_LINE_BYTES_MAX - 1;
	mask_controls(out, used);
	out[used++] = '\n'; // in the place of the NUL at the latest
	return used;
}

// The message as the text line has it, with a NUL, in room that all forms have.
static void message_of(const struct log_record *record, char out[LOG_LINE_BYTES_MAX])
{
	int wanted = snprintf(out, LOG_LINE_BYTES_MAX, "%s", record->message);
	mask_controls(out, wanted < 0 ? 0 : strlen(out));
}

size_t log_record_json(const struct log_record *record, char out[LOG_RECORD_BYTES])
{
	const struct log_event_row *row = log_event_row(record->event);
	char when[25], message[LOG_LINE_BYTES_MAX];
	instant_format(record->time_ms, when);
	message_of(record, message);
	bool whole = text_is_clean(message, strlen(message));
	size_t used = (size_t)snprintf(out, 256, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\",\"security\":%s,\"process\":\"%s\",\"pid\":%d,\"message\":\"",
				       when, log_level_word(row->level), row->word, row->kind == LOG_KIND_SECURITY ? "true" : "false",
				       record->process, record->pid);
	for (const char *c = message; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\')
			out[used++] = '\\';
		out[used++] = (unsigned char)*c >= 0x80 && !whole ? '?' : *c;
	}
	memcpy(out + used, "\"}\n", 3);
	return used + 3;
}

size_t log_record_journal(const struct log_record *record, char out[LOG_RECORD_BYTES])
{
	const struct log_event_row *row = log_event_row(record->event);
	char message[LOG_LINE_BYTES_MAX];
	message_of(record, message);
	return (size_t)snprintf(out, LOG_RECORD_BYTES,
				"MESSAGE=%s\nPRIORITY=%d\nSYSLOG_IDENTIFIER=cpis-broker\nCPIS_EVENT=%s\nCPIS_SECURITY=%d\nCPIS_PROCESS=%s\n", message,
				log_record_priority(record), row->word, row->kind == LOG_KIND_SECURITY, record->process);
}
