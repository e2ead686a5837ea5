// A country's store moved into a PostgreSQL while its broker is asked (tests/national/move.sh): what each pass of `cpis-broker --move`
// says, what was answered meanwhile, how long nobody was answered at the finish, and that the moved store goes on.
//
//	bench_move PLANS RECORDS [PASSES]
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/filler.h"
#include "tests/harness/postgres.h"
#include "tests/harness/world_client.h"

#define AUTHORITIES 153
#define ASKERS 4u
#define SHUFFLED 500000u

static struct world *world;
static struct postgres postgres;
static char program[512], migrator[POSTGRES_CONNINFO_BYTES], conninfo[POSTGRES_CONNINFO_BYTES];
static _Atomic uint64_t *answered; // shared with the askers

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench_move: %s: %s%s\n", what, world_out(world), world_err(world));
	world_free(world);
	exit(1);
}

static void run(const char *const *command)
{
	must(world_command(world, command) == 0, command[0]);
	printf("%s", world_out(world));
	fflush(stdout);
}

// As a store has them that was published by many, in the order of the days: not in that of its keys. Of millions that would take longer
// than all the rest.
static void fill(uint64_t plans, uint64_t records)
{
	char sql[600];
	filler_plans(world, plans);
	filler_records(world, records);
	snprintf(sql, sizeof sql,
		 "CREATE TABLE shuffled AS SELECT slot, generation, subject, printf('%%03d', 200 + abs(random() %% %d)) AS authority, sealed"
		 " FROM plan ORDER BY random(); DELETE FROM plan; INSERT INTO plan SELECT * FROM shuffled; DROP TABLE shuffled; VACUUM;"
		 "PRAGMA wal_checkpoint(TRUNCATE)", AUTHORITIES);
	if (plans <= SHUFFLED)
		run((const char *const[]){"sqlite3", world_path(world, "store.db"), sql, NULL});
	run((const char *const[]){"ls", "-s", "--block-size=M", world_path(world, "store.db"), NULL});
}

static pid_t start_asker(const char *profile)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	struct cpis_client *client = world_sign_in(world, profile);
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	flag.care_setting = CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT;
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &flag;
	for (unsigned i = 0;; i++) {
		char child[11];
		world_nhs_number(i % 100000, child);
		flag.nhs_number = child;
		cpis_reply_free(world_call(client, &request));
		atomic_fetch_add(answered, 1);
	}
}

// It may take longer than any other command of a world.
static bool move(const char *finish)
{
	int status = 1;
	const char *const command[] = {program, "--move", world_path(world, "broker.yaml"), migrator, finish, NULL};
	pid_t pid = fork();
	if (pid == 0) {
		execv(program, (char *const *)(uintptr_t)command);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid && status == 0;
}

static void pass(const char *finish)
{
	uint64_t began = world_monotonic_ms(), before = atomic_load(answered);
	must(move(finish), "--move");
	double s = (double)(world_monotonic_ms() - began) / 1000;
	printf("-- took %.2f s; %.0f requests a second were answered meanwhile\n\n", s, (double)(atomic_load(answered) - before) / s);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	pid_t askers[ASKERS];
	if (argc < 3) {
		fprintf(stderr, "usage: bench_move PLANS RECORDS [PASSES]\n");
		return 1;
	}
	snprintf(program, sizeof program, "%s/cpis-broker", getenv("BUILD") == NULL ? "build" : getenv("BUILD"));
	answered = mmap(NULL, sizeof *answered, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	postgres_start(&postgres, "shared_buffers = 512MB");
	world = world_new();
	postgres_make_database(&postgres, "cpis");
	postgres_conninfo(&postgres, "migrator", "cpis", migrator);
	postgres_conninfo(&postgres, "broker1", "cpis", conninfo);
	run((const char *const[]){program, "--migrate", migrator, NULL});
	fill(strtoull(argv[1], NULL, 10), strtoull(argv[2], NULL, 10));
	world_start(world);
	for (unsigned i = 0; i < ASKERS; i++)
		askers[i] = start_asker("nurse");
	for (int i = 0; i < (argc > 3 ? atoi(argv[3]) : 3); i++)
		pass(NULL);
	for (unsigned i = 0; i < ASKERS; i++)
		must(kill(askers[i], SIGKILL) == 0 && waitpid(askers[i], NULL, 0) == askers[i], "an asker");
	uint64_t stopped = world_monotonic_ms();
	must(world_stop(world) == 0, "the broker's end");
	pass("--finish");
	world_use_postgres(world, conninfo);
	world_start(world);
	printf("nobody was answered for %.2f s, from the broker's end to its start on the database\n",
	       (double)(world_monotonic_ms() - stopped) / 1000);
	must(world_cpis(world, "nurse", "ping", NULL) == 0, "the moved store");
	must(world_stop(world) == 0, "the broker's end");
	world_free(world);
	postgres_stop(&postgres);
	return 0;
}
