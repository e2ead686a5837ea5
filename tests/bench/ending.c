// What is done at exit.
#include "tests/bench/ending.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/bench/link.h"

#define WORLDS_MAX 8u
static struct world *worlds[WORLDS_MAX]; // NULL: free
static const char *directory;
static pid_t owner; // not the processes that it forks

static int remove_one(const char *path, const struct stat *status, int flag, struct FTW *where)
{
	(void)status, (void)flag, (void)where;
	return remove(path);
}

static void clean_up(void)
{
	if (getpid() != owner)
		return;
	for (unsigned i = 0; i < WORLDS_MAX; i++)
		world_free(worlds[i]);
	if (directory != NULL)
		nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

// exit is not for signal handlers in general. Here the process was going to end anyway, and the worst is that it does not and is
// killed by whoever sent the signal.
static void end_on_signal(int number)
{
	exit(128 + number);
}

static void prepare(void)
{
	if (owner != 0)
		return;
	owner = getpid();
	link_must(atexit(clean_up) == 0 && signal(SIGTERM, end_on_signal) != SIG_ERR && signal(SIGINT, end_on_signal) != SIG_ERR,
		  "the end cannot be prepared");
}

static void replace(struct world *one, struct world *other)
{
	unsigned i = 0;
	while (i < WORLDS_MAX && worlds[i] != one)
		i++;
	link_must(i < WORLDS_MAX, "too many worlds at a time");
	worlds[i] = other;
}

void ending_frees(struct world *world)
{
	prepare();
	replace(NULL, world);
}

void ending_takes_back(struct world *world)
{
	replace(world, NULL);
}

void ending_removes(const char *to_remove)
{
	prepare();
	directory = to_remove;
}
