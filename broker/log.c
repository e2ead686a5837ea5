// The operator's log. One write(2) per line, so that lines of two threads never mix.
#include "broker/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "broker/clock.h"
#include "broker/limits.h"
#include "broker/trouble.h"
#include "proto/date.h"

static pthread_mutex_t trouble_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct trouble trouble;
static atomic_bool troubled; // so that nobody takes the lock to learn that nothing is wrong

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

__attribute__((format(printf, 3, 0))) static void write_line(enum log_level level, const char *event, const char *format, va_list arguments)
{
	char line[LOG_LINE_BYTES_MAX], when[25];
	instant_format(clock_now_ms(), when);
	int head = snprintf(line, sizeof line, "%s %s %s ", when, level_word(level), event);
	if (head < 0 || (size_t)head >= sizeof line)
		return;
	size_t used = (size_t)head;
	int wanted = vsnprintf(line + used, sizeof line - used, format, arguments);
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

void log_event(enum log_level level, const char *event, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	write_line(level, event, format, arguments);
	va_end(arguments);
}

// FNV-1a.
static uint64_t add_to_key(uint64_t key, const char *text)
{
	for (; *text != '\0'; text++)
		key = (key ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return key;
}

__attribute__((format(printf, 3, 0))) static void write_recurring(const char *event, bool passes, const char *format,
								 va_list arguments)
{
	char text[LOG_LINE_BYTES_MAX];
	uint32_t untold = 0;
	vsnprintf(text, sizeof text, format, arguments);
	uint64_t key = add_to_key(add_to_key(UINT64_C(14695981039346656037), event), text);
	pthread_mutex_lock(&trouble_mutex);
	bool tell = trouble_tell(&trouble, key, passes, clock_monotonic_ms() + 1, &untold);
	if (tell && passes)
		atomic_store(&troubled, true);
	pthread_mutex_unlock(&trouble_mutex);
	if (tell && untold > 0)
		log_event(LOG_LEVEL_ERROR, event, "%s (and %u times since this was said last)", text, untold);
	else if (tell)
		log_event(LOG_LEVEL_ERROR, event, "%s", text);
}

void log_trouble(const char *event, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	write_recurring(event, true, format, arguments);
	va_end(arguments);
}

void log_damage(const char *event, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	write_recurring(event, false, format, arguments);
	va_end(arguments);
}

void log_mended(void)
{
	uint64_t lasted_ms = 0;
	if (!atomic_load(&troubled))
		return;
	pthread_mutex_lock(&trouble_mutex);
	bool tell = trouble_mended(&trouble, clock_monotonic_ms() + 1, &lasted_ms);
	atomic_store(&troubled, false);
	pthread_mutex_unlock(&trouble_mutex);
	if (tell)
		log_event(LOG_LEVEL_INFO, "mended", "requests are recorded and answered again, after %llu s",
			  (unsigned long long)(lasted_ms + 999) / 1000);
}
