// Brokers that take over, and clients that ask meanwhile.
#include "tests/harness/world_handover.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/harness/world_priv.h"

#define ASKERS_MAX 16
#define EMERGENCY CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT

// ------------------------------------------------------------------ brokers

static const char *config_path(struct world *world)
{
	return world_path(world, "broker.yaml");
}

static void program_of(const struct world *world, const char *build, char out[WORLD_PATH_BYTES])
{
	snprintf(out, WORLD_PATH_BYTES, "%s/cpis-broker", build == NULL ? world->build : build);
}

int world_take_over(struct world *world, const char *build)
{
	char program[WORLD_PATH_BYTES];
	pid_t old = world->broker;
	long mark = world_log_mark(world);
	int status;
	program_of(world, build, program);
	const char *arguments[] = {program, "--take-over", config_path(world), NULL};
	const char *log = world_path(world, "broker.log");
	world->broker = world_launch(world, arguments, log, log);
	world_wait_log(world, mark, "ready");
	if (!world_reap(world, old, WORLD_WAIT_MS, &status))
		world_fail(world, "the old broker did not end");
	return status;
}

int world_fail_to_take_over(struct world *world)
{
	char program[WORLD_PATH_BYTES];
	program_of(world, NULL, program);
	const char *arguments[] = {program, "--take-over", config_path(world), NULL};
	return world_command(world, arguments);
}

int world_restart_as(struct world *world, const char *build)
{
	char program[WORLD_PATH_BYTES];
	int status = world_stop(world);
	long mark = world_log_mark(world);
	program_of(world, build, program);
	const char *arguments[] = {program, config_path(world), NULL};
	const char *log = world_path(world, "broker.log");
	world->broker = world_launch(world, arguments, log, log);
	world_wait_log(world, mark, "ready");
	return status;
}

void world_use_build(struct world *world, const char *build)
{
	free(world->build);
	world->build = strdup(build);
	if (world->build == NULL)
		world_fail(world, "out of memory");
}

// ------------------------------------------------------------------ clients

struct asker {
	struct world_askers *all;
	pthread_t thread;
	struct cpis_client *client;
	unsigned number, answered, failed;
	uint64_t answered_ms, longest_ms;
};

struct world_askers {
	struct asker askers[ASKERS_MAX];
	unsigned count, details;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stop;
	char first_failure[256];
};

// "" when it was answered as it should be.
static void look(struct asker *asker, unsigned turn, char failure[256])
{
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	char child[11];
	world_nhs_number(turn % 8, child);
	if (turn * 37 % 100 < asker->all->details) {
		details.nhs_number = child;
		details.care_setting = EMERGENCY;
		details.access_type = CPIS__V1__ACCESS_TYPE__UNSCHEDULED;
		request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
		request.details = &details;
	} else {
		flag.nhs_number = child;
		flag.care_setting = EMERGENCY;
		request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
		request.flag = &flag;
	}
	enum cpis_status status = cpis_call(asker->client, &request, WORLD_CALL_MS, &reply);
	failure[0] = '\0';
	if (status != CPIS_OK)
		snprintf(failure, 256, "%s: %s", cpis_status_text(status), cpis_detail(asker->client));
	else if (reply->outcome != CPIS__V1__OUTCOME__OK)
		snprintf(failure, 256, "%s", reply->reason_code);
	if (status == CPIS_OK)
		cpis_reply_free(reply);
}

static void *ask_on(void *context)
{
	struct asker *asker = context;
	struct world_askers *all = asker->all;
	bool more = true;
	for (unsigned turn = asker->number; more; turn++) {
		char failure[256];
		look(asker, turn, failure);
		uint64_t now_ms = world_monotonic_ms();
		pthread_mutex_lock(&all->lock);
		if (failure[0] == '\0') {
			uint64_t gap_ms = asker->answered == 0 ? 0 : now_ms - asker->answered_ms;
			asker->longest_ms = gap_ms > asker->longest_ms ? gap_ms : asker->longest_ms;
			asker->answered_ms = now_ms;
			asker->answered++;
		} else {
			asker->failed++;
			if (all->first_failure[0] == '\0')
				snprintf(all->first_failure, sizeof all->first_failure, "%s", failure);
		}
		more = !all->stop;
		pthread_cond_broadcast(&all->changed);
		pthread_mutex_unlock(&all->lock);
	}
	return NULL;
}

struct world_askers *world_askers_start(struct world *world, unsigned count, unsigned details)
{
	struct world_askers *all = calloc(1, sizeof *all);
	if (all == NULL || count > ASKERS_MAX)
		world_fail(world, "%u askers are too many", count);
	all->count = count;
	all->details = details;
	pthread_mutex_init(&all->lock, NULL);
	pthread_cond_init(&all->changed, NULL);
	for (unsigned i = 0; i < count; i++) {
		all->askers[i] = (struct asker){.all = all, .number = i, .client = world_sign_in(world, "nurse")};
		if (pthread_create(&all->askers[i].thread, NULL, ask_on, &all->askers[i]) != 0)
			world_fail(world, "no thread");
	}
	world_askers_wait(all, 1);
	return all;
}

void world_askers_wait(struct world_askers *all, unsigned more)
{
	struct timespec end;
	unsigned until[ASKERS_MAX];
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 60;
	pthread_mutex_lock(&all->lock);
	for (unsigned i = 0; i < all->count; i++)
		until[i] = all->askers[i].answered + more;
	for (unsigned i = 0; i < all->count; i++)
		while (all->askers[i].answered < until[i] && all->first_failure[0] == '\0')
			if (pthread_cond_timedwait(&all->changed, &all->lock, &end) != 0)
				world_fail(NULL, "client %u was not answered within a minute", i);
	pthread_mutex_unlock(&all->lock);
}

struct world_asked world_askers_stop(struct world_askers *all)
{
	struct world_asked asked = {0};
	pthread_mutex_lock(&all->lock);
	all->stop = true;
	pthread_mutex_unlock(&all->lock);
	for (unsigned i = 0; i < all->count; i++) {
		struct asker *asker = &all->askers[i];
		pthread_join(asker->thread, NULL);
		cpis_close(asker->client);
		asked.answered += asker->answered;
		asked.failed += asker->failed;
		asked.longest_ms = asker->longest_ms > asked.longest_ms ? asker->longest_ms : asked.longest_ms;
	}
	memcpy(asked.first_failure, all->first_failure, sizeof asked.first_failure);
	pthread_cond_destroy(&all->changed);
	pthread_mutex_destroy(&all->lock);
	free(all);
	return asked;
}
