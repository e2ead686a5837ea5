// Input, files and memory for the fuzz harnesses.
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/limits.h"

#define FILES 4

struct fuzz_input fuzz_input(const uint8_t *data, size_t bytes)
{
	static const uint8_t nothing[1];
	const uint8_t *at = data == NULL ? nothing : data;
	return (struct fuzz_input){at, at + bytes};
}

size_t fuzz_left(const struct fuzz_input *input)
{
	return (size_t)(input->end - input->at);
}

uint8_t fuzz_byte(struct fuzz_input *input)
{
	return input->at == input->end ? 0 : *input->at++;
}

uint64_t fuzz_number(struct fuzz_input *input, unsigned bytes)
{
	uint64_t value = 0;
	for (unsigned i = 0; i < bytes; i++)
		value |= (uint64_t)fuzz_byte(input) << (8 * i);
	return value;
}

const uint8_t *fuzz_take(struct fuzz_input *input, size_t wanted, size_t *ret_bytes)
{
	const uint8_t *at = input->at;
	*ret_bytes = wanted < fuzz_left(input) ? wanted : fuzz_left(input);
	input->at += *ret_bytes;
	return at;
}

const uint8_t *fuzz_take_until(struct fuzz_input *input, uint8_t end, size_t *ret_bytes)
{
	const uint8_t *found = memchr(input->at, end, fuzz_left(input));
	const uint8_t *at = fuzz_take(input, found == NULL ? fuzz_left(input) : (size_t)(found - input->at), ret_bytes);
	input->at += found != NULL;
	return at;
}

// ------------------------------------------------------------------ files

const char *fuzz_file(const void *data, size_t bytes)
{
	static struct {
		int descriptor;
		char path[32];
	} files[FILES];
	static unsigned turn;
	unsigned which = turn++ % FILES;
	if (files[which].descriptor == 0) {
		files[which].descriptor = memfd_create("fuzz", MFD_CLOEXEC);
		FUZZ_MUST(files[which].descriptor > 0 && fchmod(files[which].descriptor, 0600) == 0);
		snprintf(files[which].path, sizeof files[which].path, "/proc/self/fd/%d", files[which].descriptor);
	}
	FUZZ_MUST(ftruncate(files[which].descriptor, 0) == 0);
	FUZZ_MUST(bytes == 0 || pwrite(files[which].descriptor, data, bytes, 0) == (ssize_t)bytes);
	return files[which].path;
}

const char *fuzz_odd_path(uint8_t which)
{
	static int open_file, large_file;
	static char path[32];
	if (which % 4 < 2)
		return which % 4 == 0 ? "/nowhere" : "/tmp";
	int *file = which % 4 == 2 ? &open_file : &large_file;
	if (*file == 0) {
		*file = memfd_create("fuzz", MFD_CLOEXEC);
		FUZZ_MUST(*file > 0 && fchmod(*file, which % 4 == 2 ? 0644 : 0600) == 0);
		FUZZ_MUST(which % 4 == 2 || ftruncate(*file, 5 << 20) == 0);
	}
	snprintf(path, sizeof path, "/proc/self/fd/%d", *file);
	return path;
}

static int remove_one(const char *path, const struct stat *status, int flag, struct FTW *where)
{
	(void)status, (void)flag;
	return where->level == 0 ? 0 : remove(path);
}

void fuzz_empty(const char *directory)
{
	FUZZ_MUST(nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

static char directory[64];

static void remove_directory(void)
{
	fuzz_empty(directory);
	rmdir(directory);
}

const char *fuzz_scratch(void)
{
	const char *given = getenv("CPIS_FUZZ_SCRATCH");
	return given != NULL ? given : access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

const char *fuzz_directory(void)
{
	if (directory[0] != '\0')
		return directory;
	snprintf(directory, sizeof directory, "%.40s/cpis-fuzz-XXXXXX", fuzz_scratch());
	FUZZ_MUST(mkdtemp(directory) != NULL && atexit(remove_directory) == 0);
	return directory;
}

void fuzz_write(const char *path, const void *data, size_t bytes)
{
	char folder[4096];
	FUZZ_MUST(strlen(path) < sizeof folder);
	strcpy(folder, path);
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	for (char *slash = folder + 1; file < 0 && (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		mkdir(folder, 0700);
		*slash = '/';
	}
	if (file < 0)
		file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FUZZ_MUST(file >= 0 && write(file, data, bytes) == (ssize_t)bytes);
	close(file);
}

// ------------------------------------------------------------------ memory

static struct arena *one_of(struct arena *arena)
{
	if (arena->base == NULL)
		FUZZ_MUST(arena_init(arena, ARENA_BYTES));
	arena_reset(arena);
	return arena;
}

struct arena *fuzz_arena(void)
{
	static struct arena arena;
	return one_of(&arena);
}

struct arena *fuzz_arena_besides(void)
{
	static struct arena arena;
	return one_of(&arena);
}
