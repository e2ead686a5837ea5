// The operator's log. One write(2) or datagram per record, so that those of two threads never mix.
#include "broker/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/clock.h"
#include "broker/limits.h"
#include "broker/log_journal.h"
#include "broker/log_record.h"
#include "broker/trouble.h"

static pthread_mutex_t trouble_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct trouble trouble;
static atomic_bool troubled; // so that nobody takes the lock to learn that nothing is wrong

static enum log_format line_format = LOG_FORMAT_TEXT;
static const char *process_name = "core";
static bool in_journal;
static _Atomic uint64_t counts[LOG_EVENTS];

void log_open(const char *process)
{
	process_name = process;
	in_journal = log_journal_open();
}

void log_set_format(enum log_format format)
{
	line_format = format;
}

uint64_t log_count(enum log_event event)
{
	return atomic_load_explicit(&counts[event], memory_order_relaxed);
}

// What the journal did not take goes there by standard error, with the priority only (sd-daemon(3)); a journal that hangs takes neither,
// and is not waited for.
static void write_record(const struct log_record *record)
{
	char bytes[4 + LOG_RECORD_BYTES];
	size_t head = 0, count;
	if (in_journal && log_journal_send(bytes, log_record_journal(record, bytes)))
		return;
	if (in_journal)
		head = (size_t)snprintf(bytes, sizeof bytes, "<%d>", log_record_priority(record));
	count = head + (line_format == LOG_FORMAT_JSON && !in_journal ? log_record_json(record, bytes) : log_record_text(record, bytes + head));
	// A log that cannot be written must not stop the broker, and there is nowhere to say so.
	ssize_t written = in_journal ? send(STDERR_FILENO, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL) : -1;
	if (!in_journal || (written < 0 && errno == ENOTSOCK))
		written = write(STDERR_FILENO, bytes, count);
	(void)written;
}

__attribute__((format(printf, 2, 0))) static void write_event(enum log_event event, const char *format, va_list arguments)
{
	char message[LOG_LINE_BYTES_MAX] = "";
	int saved = errno;
	vsnprintf(message, sizeof message, format, arguments);
	struct log_record record = {.time_ms = clock_now_ms(), .event = event, .process = process_name, .pid = getpid(), .message = message};
	atomic_fetch_add_explicit(&counts[event], 1, memory_order_relaxed);
	write_record(&record);
	errno = saved;
}

void log_event(enum log_event event, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	write_event(event, format, arguments);
	va_end(arguments);
}

// FNV-1a.
static uint64_t add_to_key(uint64_t key, const char *text)
{
	for (; *text != '\0'; text++)
		key = (key ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return key;
}

__attribute__((format(printf, 3, 0))) static void write_recurring(enum log_event event, bool passes, const char *format,
								 va_list arguments)
{
	char text[LOG_LINE_BYTES_MAX];
	uint32_t untold = 0;
	vsnprintf(text, sizeof text, format, arguments);
	uint64_t key = add_to_key(add_to_key(UINT64_C(14695981039346656037), log_event_row(event)->word), text);
	pthread_mutex_lock(&trouble_mutex);
	bool tell = trouble_tell(&trouble, key, passes, clock_monotonic_ms() + 1, &untold);
	if (tell && passes)
		atomic_store(&troubled, true);
	pthread_mutex_unlock(&trouble_mutex);
	if (tell && untold > 0)
		log_event(event, "%s (and %u times since this was said last)", text, untold);
	else if (tell)
		log_event(event, "%s", text);
}

void log_trouble(enum log_event event, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	write_recurring(event, true, format, arguments);
	va_end(arguments);
}

void log_damage(enum log_event event, const char *format, ...)
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
		log_event(LOG_EVENT_MENDED, "requests are recorded and answered again, after %llu s",
			  (unsigned long long)(lasted_ms + 999) / 1000);
}
