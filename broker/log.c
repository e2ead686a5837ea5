// The operator's log. One write(2) per line, so that lines of two threads never mix.
#include "broker/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "broker/clock.h"
#include "proto/date.h"

#define LINE_BYTES_MAX 1024u

static const char *level_word(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return "error";
	case LOG_LEVEL_WARNING:
		return "warning";
	default:
		return "info";
	}
}

// Arguments may come from outside (a file's name, a library's sentence): whatever could end the line or drive a
// terminal becomes a question mark.
static void mask_controls(char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			text[i] = '?';
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
	char line[LINE_BYTES_MAX], when[25];
	instant_format(clock_now_ms(), when);
	int head = snprintf(line, sizeof line, "%s %s %s ", when, level_word(level), event);
	if (head < 0 || (size_t)head >= sizeof line)
		return;
	size_t used = (size_t)head;
	va_list arguments;
	va_start(arguments, format);
	int wanted = vsnprintf(line + used, sizeof line - used, format, arguments);
	va_end(arguments);
	if (wanted > 0)
		used += (size_t)wanted < sizeof line - used ? (size_t)wanted : sizeof line - used - 1;
	mask_controls(line, used);
	line[used++] = '\n'; // in the place of the NUL at the latest
	int saved = errno;
	// A log that cannot be written must not stop the broker, and there is nowhere to say so.
	ssize_t written = write(STDERR_FILENO, line, used);
	(void)written;
	errno = saved;
}
