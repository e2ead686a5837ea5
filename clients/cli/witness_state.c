// What a witness remembers of its own signing.
#include "clients/cli/witness_state.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TEXT_BYTES 160

static bool name_file(const char *checkpoint_file, const char *ending, char out[PATH_MAX])
{
	errno = ENAMETOOLONG;
	return (size_t)snprintf(out, PATH_MAX, "%s%s", checkpoint_file, ending) < PATH_MAX;
}

static void format(const struct witness_state *state, char out[TEXT_BYTES])
{
	snprintf(out, TEXT_BYTES, "signed %llu\nheld %llu at %llu\nstale %llu\n", (unsigned long long)state->signed_size,
		 (unsigned long long)state->held_size, (unsigned long long)state->held_s, (unsigned long long)state->stale_size);
}

bool witness_state_load(const char *checkpoint_file, struct witness_state *ret)
{
	char path[PATH_MAX], text[TEXT_BYTES] = "", again[TEXT_BYTES];
	unsigned long long signed_size, held_size, held_s, stale_size;
	if (!name_file(checkpoint_file, ".cosigned", path))
		return false;
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return false;
	size_t bytes = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[bytes] = '\0';
	bool read = sscanf(text, "signed %llu held %llu at %llu stale %llu", &signed_size, &held_size, &held_s, &stale_size) == 4;
	struct witness_state state = {0};
	if (read) {
		state = (struct witness_state){signed_size, held_size, held_s, stale_size};
		format(&state, again);
	}
	if (!read || strcmp(again, text) != 0) {
		errno = EINVAL; // last: sscanf leaves what it likes there, and a file that is there must not pass for none
		return false;
	}
	*ret = state;
	return true;
}

bool witness_flush_name(const char *path)
{
	char copy[PATH_MAX];
	if (!name_file(path, "", copy))
		return false;
	int directory = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool done = directory >= 0 && fsync(directory) == 0;
	if (directory >= 0)
		close(directory);
	return done;
}

bool witness_state_save(const char *checkpoint_file, const struct witness_state *state)
{
	char path[PATH_MAX], beside[PATH_MAX], text[TEXT_BYTES];
	if (!name_file(checkpoint_file, ".cosigned", path) || !name_file(checkpoint_file, ".cosigned.new", beside))
		return false;
	format(state, text);
	int file = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file < 0)
		return false;
	size_t bytes = strlen(text);
	bool written = write(file, text, bytes) == (ssize_t)bytes && fsync(file) == 0;
	return close(file) == 0 && written && rename(beside, path) == 0 && witness_flush_name(path);
}

void witness_state_hold(struct witness_state *state, uint64_t size, uint64_t now_s)
{
	bool old = state->held_s + WITNESS_STALE_S <= now_s;
	if (old)
		state->stale_size = state->held_size;
	// A time that is still to come is of a clock that was wrong.
	if (!old && state->held_s <= now_s)
		return;
	state->held_size = size;
	state->held_s = now_s;
}

uint64_t witness_state_floor(const struct witness_state *state)
{
	return state->signed_size > state->stale_size ? state->signed_size : state->stale_size;
}
