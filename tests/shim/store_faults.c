// Preloaded into a broker: reads, writes and flushes of its store fail when the test says so (store_faults.h). All other files
// are left alone.
#include "tests/shim/store_faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define DESCRIPTORS_MAX 65536

enum file_kind { OTHER, DATABASE, LOG };

static struct store_faults *faults;
static _Atomic char kinds[DESCRIPTORS_MAX]; // enum file_kind

static struct {
	int (*open)(const char *, int, ...);
	int (*close)(int);
	ssize_t (*pread)(int, void *, size_t, off_t);
	ssize_t (*pwrite)(int, const void *, size_t, off_t);
	int (*fsync)(int);
	int (*fdatasync)(int);
} real;

// A function's address as an object's, as dlsym gives it.
static void find(const char *name, void *out)
{
	void *symbol = dlsym(RTLD_NEXT, name);
	if (symbol == NULL)
		abort();
	memcpy(out, &symbol, sizeof symbol);
}

// Libraries that are loaded before this one may open files before its constructor runs.
static void find_all(void)
{
	if (real.fdatasync != NULL)
		return;
	find("open64", &real.open);
	find("close", &real.close);
	find("pread64", &real.pread);
	find("pwrite64", &real.pwrite);
	find("fsync", &real.fsync);
	find("fdatasync", &real.fdatasync);
}

__attribute__((constructor)) static void map_faults(void)
{
	const char *path = getenv(STORE_FAULTS_VARIABLE);
	find_all();
	int file = path == NULL ? -1 : real.open(path, O_RDWR | O_CLOEXEC);
	void *page = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *faults, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	// A shim that cannot be told anything is a test that tests nothing.
	if (page == MAP_FAILED)
		abort();
	real.close(file);
	faults = page;
}

static void note_open(int file, const char *path)
{
	static const char *const endings[] = {[DATABASE] = ".db", [LOG] = ".db-wal"};
	if (file < 0 || file >= DESCRIPTORS_MAX)
		return;
	enum file_kind kind = OTHER;
	size_t bytes = strlen(path);
	for (enum file_kind i = DATABASE; i <= LOG; i++)
		if (bytes > strlen(endings[i]) && strcmp(path + bytes - strlen(endings[i]), endings[i]) == 0)
			kind = i;
	kinds[file] = (char)kind;
}

// What is to be done to this call; NULL: nothing.
static struct store_faults_of *fault_of(int file, enum store_faults_call call)
{
	if (faults == NULL || file < 0 || file >= DESCRIPTORS_MAX || kinds[file] == OTHER || (faults->but_log && kinds[file] == LOG))
		return NULL;
	struct store_faults_of *of = &faults->calls[call];
	if (of->error == 0 && of->half == 0)
		return NULL;
	of->seen++;
	return of;
}

int open64(const char *path, int flags, ...);
int open64(const char *path, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
	va_end(arguments);
	find_all();
	int file = real.open(path, flags, mode);
	note_open(file, path);
	return file;
}

int close(int file)
{
	find_all();
	if (file >= 0 && file < DESCRIPTORS_MAX)
		kinds[file] = OTHER;
	return real.close(file);
}

ssize_t pread64(int file, void *out, size_t bytes, off_t offset);
ssize_t pread64(int file, void *out, size_t bytes, off_t offset)
{
	find_all();
	struct store_faults_of *of = fault_of(file, STORE_FAULTS_READ);
	if (of != NULL && of->error != 0) {
		errno = of->error;
		return -1;
	}
	return real.pread(file, out, of != NULL && bytes > 1 ? bytes / 2 : bytes, offset);
}

ssize_t pwrite64(int file, const void *data, size_t bytes, off_t offset);
ssize_t pwrite64(int file, const void *data, size_t bytes, off_t offset)
{
	find_all();
	struct store_faults_of *of = fault_of(file, STORE_FAULTS_WRITE);
	if (of == NULL)
		return real.pwrite(file, data, bytes, offset);
	ssize_t written = of->half != 0 ? real.pwrite(file, data, bytes > 1 ? bytes / 2 : bytes, offset) : 0;
	if (of->error == 0 || written < 0)
		return written;
	errno = of->error;
	return -1;
}

// Without a system call, which a sandbox might not allow.
static void dawdle(int file)
{
	struct timespec now;
	if (faults == NULL || file < 0 || file >= DESCRIPTORS_MAX || kinds[file] == OTHER || faults->flush_ms == 0)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	int64_t end_ms = now.tv_sec * 1000 + now.tv_nsec / 1000000 + (int64_t)faults->flush_ms;
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while (now.tv_sec * 1000 + now.tv_nsec / 1000000 < end_ms);
}

static bool flush_fails(int file)
{
	dawdle(file);
	struct store_faults_of *of = fault_of(file, STORE_FAULTS_SYNC);
	if (of == NULL)
		return false;
	errno = of->error;
	return true;
}

int fsync(int file)
{
	find_all();
	return flush_fails(file) ? -1 : real.fsync(file);
}

int fdatasync(int file)
{
	find_all();
	return flush_fails(file) ? -1 : real.fdatasync(file);
}
