// Many plans: made, sent, counted.
#include "tests/harness/world_plans.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/plan.h"
#include "proto/nhs_number.h"
#include "tests/harness/world_priv.h"

#define ARGUMENTS_MAX 16
#define MEASURE_MS 600000

void world_publish_child(struct world *world, const char *nhs_number)
{
	char text[512], from[11];
	world_date(0, 3, from);
	snprintf(text, sizeof text,
		 "nhs_number,plan_type,start_date,end_date,delete_date,local_id,family_name,given_names,birth_date\n"
		 "%s,CPP,%s,,,L-1,EXAMPLE,ALEX,2016-06-01\n", nhs_number, from);
	world_write_file(world_path(world, "leeds.csv"), text);
	if (world_cpis(world, "leeds", "contacts", "set", "--emergency-duty", "0113 496 0000", "--office-hours", "0113 496 0100", NULL) != 0 ||
	    world_cpis(world, "leeds", "publish", "--now", world_path(world, "leeds.csv"), NULL) != 0)
		world_fail(world, "a child's plan was not published: %s", world_err(world));
}

// ------------------------------------------------------------------ numbers

// The valid number after `stem`'s, in order of world_nhs_number.
static unsigned next_number(unsigned stem, char out[11])
{
	struct nhs_number valid;
	for (;; stem++)
		for (unsigned check = 0; check < 10; check++) {
			snprintf(out, 11, "%09u%u", stem % 1000000000u, check);
			if (nhs_number_parse(out, 10, &valid) == NHS_NUMBER_OK)
				return stem + 1;
		}
}

#define FIRST_STEM 999000001u

void world_write_plans(struct world *world, const char *path, unsigned count, const char *start_date)
{
	FILE *file = fopen(path, "w");
	char number[11];
	unsigned stem = FIRST_STEM;
	if (file == NULL)
		world_fail(world, "%s cannot be written", path);
	fputs("nhs_number,plan_type,start_date,end_date,delete_date,local_id,family_name,given_names,birth_date\n", file);
	for (unsigned i = 0; i < count; i++) {
		stem = next_number(stem, number);
		fprintf(file, "%s,%s,%s,,,LCS-%u,EXAMPLE%u,ALEX,2016-06-01\n", number, i % 3 == 0 ? "LAC" : "CPP", start_date, i,
			i % 977);
	}
	if (fclose(file) != 0)
		world_fail(world, "%s cannot be written", path);
}

// ------------------------------------------------------------------ running

pid_t world_cpis_start(struct world *world, const char *profile, const char *const *arguments)
{
	char program[WORLD_PATH_BYTES];
	const char *all[ARGUMENTS_MAX] = {program, "--profile", world_path(world, "profiles/%s.yaml", profile)};
	snprintf(program, sizeof program, "%s/cpis", world->build);
	for (size_t i = 0; arguments[i] != NULL; i++)
		all[3 + i] = arguments[i];
	return world_launch(world, all, world_path(world, "publish.out"), world_path(world, "publish.err"));
}

bool world_cpis_wait(struct world *world, pid_t child, int timeout_ms, int *ret_exit_code)
{
	int status;
	if (!world_reap(world, child, timeout_ms, &status))
		return false;
	*ret_exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	return true;
}

static long peak_kb(pid_t process)
{
	char path[64], line[256];
	long peak = 0;
	snprintf(path, sizeof path, "/proc/%d/status", (int)process);
	FILE *file = fopen(path, "r");
	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		if (strncmp(line, "VmHWM:", 6) == 0)
			peak = strtol(line + 6, NULL, 10);
	if (file != NULL)
		fclose(file);
	return peak;
}

struct world_measured world_measure(struct world *world, const char *profile, const char *const *arguments)
{
	struct world_measured measured = {0};
	struct rusage usage;
	int status;
	uint64_t began = world_monotonic_ms();
	pid_t child = world_cpis_start(world, profile, arguments);
	int fd = (int)syscall(SYS_pidfd_open, child, 0);
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	if (fd < 0 || poll(&ready, 1, MEASURE_MS) != 1 || wait4(child, &status, 0, &usage) != child)
		world_fail(world, "cpis did not end");
	close(fd);
	measured.ms = world_monotonic_ms() - began;
	measured.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	measured.client_peak_kb = usage.ru_maxrss;
	measured.broker_peak_kb = peak_kb(world_broker_pid(world));
	return measured;
}

// ------------------------------------------------------------------ the store

struct held {
	char (*numbers)[11];
	unsigned *seen;
	unsigned count;
};

static int compare_numbers(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void count_row(struct world *world, struct op_context *context, const struct authority_state *state,
		      const struct store_plan *row, const char *start_date, struct held *held)
{
	const Cpis__Stored__V1__StoredPlan *plan = plan_open(context, row);
	if (plan == NULL)
		world_fail(world, "a stored plan does not open");
	char *place = bsearch(plan->nhs_number, held->numbers, held->count, sizeof *held->numbers, compare_numbers);
	if (place == NULL)
		world_fail(world, "%s was never published", plan->nhs_number);
	if (!authority_state_shows(state, row->generation) || row->generation < state->stored->full)
		world_fail(world, "%s is there in a version that is not shown", plan->nhs_number);
	if (strcmp(plan->start_date, start_date) != 0 || plan->end_date[0] != '\0')
		world_fail(world, "%s is not as in the file", plan->nhs_number);
	if (held->seen[(place - held->numbers[0]) / (long)sizeof *held->numbers]++ != 0)
		world_fail(world, "%s is there twice", plan->nhs_number);
}

static unsigned count_rows(struct world *world, struct op_context *context, struct authority_state *state,
			   const char *start_date, struct held *held)
{
	struct arena rows_arena;
	struct store_plan_place after = {0};
	struct store_plan *rows = NULL;
	size_t count;
	unsigned total = 0;
	const Cpis__Stored__V1__StoredPublication *open = state->stored->open;
	if (!arena_init(&rows_arena, 4 * ARENA_BYTES))
		world_fail(world, "out of memory");
	struct arena *before = context->arena;
	context->arena = &rows_arena;
	do {
		arena_reset(&rows_arena);
		if (context->store->ops->plans_in(context->store, &state->ods, &after, INT64_MAX, 500, &rows_arena, &rows,
						  &count) != STORE_OK)
			world_fail(world, "the store cannot be read");
		for (size_t i = 0; i < count; i++) {
			if (open != NULL && rows[i].generation == open->generation)
				continue;
			count_row(world, context, state, &rows[i], start_date, held);
			total++;
		}
		if (count > 0)
			after = (struct store_plan_place){rows[count - 1].generation, rows[count - 1].slot};
	} while (count > 0);
	context->arena = before;
	arena_done(&rows_arena);
	return total;
}

void world_assert_held(struct world *world, unsigned count, const char *start_date)
{
	char detail[STORE_DETAIL_BYTES] = "";
	struct op_context context = {0};
	struct arena arena;
	struct ods_code ods;
	struct authority_state state;
	struct held held = {calloc(count, 11), calloc(count, sizeof(unsigned)), count};
	unsigned stem = FIRST_STEM;
	if (held.numbers == NULL || held.seen == NULL)
		world_fail(world, "out of memory");
	for (unsigned i = 0; i < count; i++)
		stem = next_number(stem, held.numbers[i]);
	if (store_sqlite_open(world_path(world, "store.db"), &context.store, detail) != STORE_OK ||
	    !vault_open_key(world_path(world, "store.key"), &context.vault, detail))
		world_fail(world, "the store does not open: %s", detail);
	if (!arena_init(&arena, ARENA_BYTES) || !ods_code_parse("383", 3, &ods))
		world_fail(world, "out of memory");
	context.arena = &arena;
	if (authority_state_load(&context, &ods, &state) != REASON_NONE || authority_state_pending(&state))
		world_fail(world, "not all that follows has been done");
	unsigned total = count_rows(world, &context, &state, start_date, &held);
	if (total != count || state.stored->held != count)
		world_fail(world, "%u plans are there, %u are counted, and the file has %u", total, state.stored->held, count);
	context.store->ops->close(context.store);
	vault_free(context.vault);
	arena_done(&arena);
	free(held.numbers);
	free(held.seen);
}
