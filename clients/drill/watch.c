// Polling, with an end.
#include "clients/drill/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clients/drill/place.h"
#include "clients/drill/program.h"

#define ASKER_DEADLINE_MS 1000u

static void pause_ms(unsigned ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000u, .tv_nsec = (long)(ms % 1000u) * 1000000}, NULL);
}

uint64_t watch_cpis(struct drill *drill, const char *words, const char *const arguments[])
{
	uint64_t end_ms = drill_now_ms() + DRILL_WAIT_MS;
	do {
		if (program_run(drill, "cpis", arguments) < 0)
			return DRILL_NONE;
		if (strstr(drill->output, words) != NULL)
			return drill_now_ms();
		pause_ms(100);
	} while (drill_now_ms() < end_ms);
	drill_fail(drill, "cpis %s ... never said '%s'; it said: %.400s", arguments[2], words, drill->output);
	return DRILL_NONE;
}

// The whole of it after `from`; NULL when it cannot be read. For the caller to free.
static char *read_log(struct drill *drill, long from)
{
	char path[DRILL_PATH_BYTES + 64], *text = NULL;
	place_path(drill, "broker.log", path);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return NULL;
	long length = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : 0;
	if (length >= from && fseek(file, from, SEEK_SET) == 0 && (text = calloc(1, (size_t)(length - from) + 1)) != NULL &&
	    fread(text, 1, (size_t)(length - from), file) != (size_t)(length - from))
		text[0] = '\0';
	fclose(file);
	return text;
}

uint64_t watch_log(struct drill *drill, const char *words, long from)
{
	uint64_t end_ms = drill_now_ms() + DRILL_WAIT_MS;
	do {
		char *text = read_log(drill, from);
		bool there = text != NULL && strstr(text, words) != NULL;
		free(text);
		if (there)
			return drill_now_ms();
		pause_ms(20);
	} while (drill_now_ms() < end_ms);
	drill_fail(drill, "the broker's log never said '%s'", words);
	return DRILL_NONE;
}

long watch_log_length(struct drill *drill)
{
	char *text = read_log(drill, 0);
	long length = text == NULL ? 0 : (long)strlen(text);
	free(text);
	return length;
}

uint64_t watch_asker(struct drill *drill, struct asker *asker, const char *reason)
{
	uint64_t end_ms = drill_now_ms() + DRILL_WAIT_MS;
	struct asker_answer answer;
	do {
		answer = asker_flag(asker, PLACE_CHILD, ASKER_DEADLINE_MS);
		const char *seen = !answer.answered ? "no answer" : answer.reason;
		if (strcmp(seen, reason) == 0)
			return drill_now_ms();
		pause_ms(20);
	} while (drill_now_ms() < end_ms);
	drill_fail(drill, "'%s' was waited for, and '%s' (%s) came", reason, answer.reason, cpis_status_text(answer.status));
	return DRILL_NONE;
}
