// kill -9 at random moments under load: nothing that was acknowledged may be missing afterwards, nothing may have
// happened twice, and the audit log verifies. What the machine's own death does to the disk is not tested here.
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <openssl/rand.h>

#include "proto/date.h"
#include "tests/harness/ledger.h"
#include "tests/harness/world.h"
#include "tests/harness/world_client.h"

#define KILLS 50u
#define CHILDREN 20u
#define WORKERS 3u
#define CALL_MS 60000u
#define EMERGENCY CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT

struct worker {
	pthread_t thread;
	struct cpis_client *client;
	void (*work)(struct worker *worker);
	struct ledger ledger;
	unsigned turn, unanswered, refused;
};

static struct world *world;
static char number[CHILDREN][11];
static char acknowledged_start[CHILDREN][11]; // the publisher's own
static char publisher_key[256];
static struct worker workers[WORKERS];
static atomic_bool stopping;
static atomic_uint progress;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t progressed = PTHREAD_COND_INITIALIZER;

// ------------------------------------------------------------------ load

static void acknowledge(struct worker *worker, const Cpis__V1__Reply *reply, const uint8_t id[REQUEST_ID_BYTES],
			Cpis__V1__Operation operation)
{
	ledger_add(&worker->ledger, id, reply, operation);
	pthread_mutex_lock(&mutex);
	atomic_fetch_add(&progress, 1);
	pthread_cond_signal(&progressed);
	pthread_mutex_unlock(&mutex);
}

// One call with an id that we know. True when it was acknowledged.
static bool call(struct worker *worker, Cpis__V1__Request *request, Cpis__V1__Operation operation)
{
	const Cpis__V1__Reply *reply = NULL;
	uint8_t id[REQUEST_ID_BYTES];
	if (RAND_bytes(id, sizeof id) != 1)
		world_fail(world, "random request id");
	cpis_set_request_id(worker->client, id);
	enum cpis_status status = operation == CPIS__V1__OPERATION__PUBLISH
					  ? cpis_call_signed(worker->client, request, publisher_key, CALL_MS, &reply)
					  : cpis_call(worker->client, request, CALL_MS, &reply);
	if (status == CPIS_TIMEOUT || status == CPIS_UNREACHABLE) {
		worker->unanswered++;
		return false;
	}
	if (status != CPIS_OK)
		world_fail(world, "%s (%s)", cpis_status_text(status), cpis_detail(worker->client));
	bool done = reply->outcome == CPIS__V1__OUTCOME__OK;
	if (done)
		acknowledge(worker, reply, id, operation);
	else
		worker->refused++;
	cpis_reply_free(reply);
	return done;
}

static void publish_once(struct worker *worker)
{
	unsigned child = worker->turn % CHILDREN;
	char start[11];
	struct date first;
	if (!date_parse("2016-06-02", 10, &first))
		world_fail(world, "date");
	// The start date counts the publications, so that a lost one shows.
	date_format((struct date){first.day + (int32_t)(worker->turn / CHILDREN % 3500)}, start);
	Cpis__V1__PlanRecord record, *records[] = {&record};
	Cpis__V1__PublishRequest publish = CPIS__V1__PUBLISH_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	static char authority[] = "383";
	world_plan(&record, number[child], CPIS__V1__PLAN_TYPE__CPP, start);
	publish.authority = authority;
	publish.n_records = 1;
	publish.records = records;
	request.body_case = CPIS__V1__REQUEST__BODY_PUBLISH;
	request.publish = &publish;
	if (call(worker, &request, CPIS__V1__OPERATION__PUBLISH))
		memcpy(acknowledged_start[child], start, sizeof start);
	else
		// It may have happened or not: this child's date cannot be foretold any more.
		acknowledged_start[child][0] = '\0';
	worker->turn++;
}

static void look_once(struct worker *worker)
{
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	details.nhs_number = number[worker->turn++ % CHILDREN];
	details.care_setting = EMERGENCY;
	details.access_type = CPIS__V1__ACCESS_TYPE__UNSCHEDULED;
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	call(worker, &request, CPIS__V1__OPERATION__DETAILS);
}

static void *run_worker(void *context)
{
	struct worker *worker = context;
	while (!atomic_load(&stopping))
		worker->work(worker);
	return NULL;
}

// ------------------------------------------------------------------ killing

// Waits until `more` effects have been acknowledged since now.
static void wait_for_progress(unsigned more)
{
	unsigned target = atomic_load(&progress) + more;
	struct timespec deadline;
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += 2 * WORLD_WAIT_MS / 1000;
	pthread_mutex_lock(&mutex);
	while (atomic_load(&progress) < target)
		if (pthread_cond_timedwait(&progressed, &mutex, &deadline) != 0)
			world_fail(world, "no progress under load");
	pthread_mutex_unlock(&mutex);
}

// Every fifth time in the middle of starting, else under load.
static void kill_at_some_moment(unsigned round)
{
	int status;
	world_spawn(world);
	if (round % 5 != 4)
		wait_for_progress(1 + world_random(40));
	// A broker that ends by itself is a failure; it is given a random moment to do so.
	if (world_wait_exit(world, (int)world_random(round % 5 == 4 ? 120 : 15), &status))
		world_fail(world, "the broker ended by itself, status %d", status);
	world_kill(world);
}

// ------------------------------------------------------------------ looking back

static unsigned check_plans(struct cpis_client *nurse)
{
	unsigned checked = 0;
	for (unsigned i = 0; i < CHILDREN; i++) {
		const Cpis__V1__Reply *reply =
			world_details(nurse, number[i], EMERGENCY, CPIS__V1__ACCESS_TYPE__UNSCHEDULED);
		ck_assert_int_eq(reply->outcome, CPIS__V1__OUTCOME__OK);
		ck_assert_uint_eq(reply->details->n_plans, 1);
		if (acknowledged_start[i][0] != '\0') {
			ck_assert_str_eq(reply->details->plans[0]->start_date, acknowledged_start[i]);
			checked++;
		}
		cpis_reply_free(reply);
	}
	return checked;
}

static void check_verifies(void)
{
	for (size_t w = 0; w < WORKERS; w++)
		ledger_verify(world, world_path(world, "store.db"), cpis_checkpoint(workers[w].client));
}

// ------------------------------------------------------------------ the test

static void setup(void)
{
	static const struct {
		const char *profile;
		void (*work)(struct worker *);
	} jobs[WORKERS] = {{"leeds", publish_once}, {"nurse", look_once}, {"nurse", look_once}};
	for (unsigned i = 0; i < CHILDREN; i++)
		world_nhs_number(i, number[i]);
	world = world_new();
	world_set_inbox(world, "383", "{same_look_minutes: 0}"); // each look is told
	world_start(world);
	for (size_t i = 0; i < WORKERS; i++) {
		workers[i].client = world_sign_in(world, jobs[i].profile);
		workers[i].work = jobs[i].work;
	}
	snprintf(publisher_key, sizeof publisher_key, "%s", world_path(world, "staff/leeds.key"));
	world_set_contacts(world, workers[0].client, "leeds");
	// Each child has a plan before anybody looks, so that every look has something to lose.
	for (unsigned i = 0; i < CHILDREN; i++)
		publish_once(&workers[0]);
	world_kill(world);
}

static void teardown(void)
{
	for (size_t i = 0; i < WORKERS; i++) {
		cpis_close(workers[i].client);
		ledger_done(&workers[i].ledger);
	}
	world_free(world);
}

START_TEST(nothing_acknowledged_is_lost_or_done_twice)
{
	const char *wanted = getenv("CPIS_TEST_KILLS");
	unsigned kills = wanted == NULL ? KILLS : (unsigned)strtoul(wanted, NULL, 10);
	unsigned unanswered = 0, refused = 0;
	size_t looks = 0;
	uint64_t began = world_monotonic_ms();
	for (size_t i = 0; i < WORKERS; i++)
		ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]), 0);
	for (unsigned round = 0; round < kills; round++)
		kill_at_some_moment(round);
	atomic_store(&stopping, true);
	world_start(world);
	for (size_t i = 0; i < WORKERS; i++) {
		pthread_join(workers[i].thread, NULL);
		unanswered += workers[i].unanswered;
		refused += workers[i].refused;
		looks += i > 0 ? workers[i].ledger.count : 0;
	}
	printf("%u kills in %llu ms; acknowledged: %zu publications, %zu accesses; %u unanswered, %u refused\n", kills,
	       (unsigned long long)(world_monotonic_ms() - began), workers[0].ledger.count, looks, unanswered, refused);
	const struct ledger *ledgers[WORKERS];
	for (size_t i = 0; i < WORKERS; i++)
		ledgers[i] = &workers[i].ledger;
	struct ledger_found found = ledger_check(world, world_path(world, "store.db"), ledgers, WORKERS, workers[0].client);
	printf("%zu audit records\n%zu accesses in the log, each with its notification; ", found.records, found.accesses);
	printf("%u of %u plans have the last acknowledged date\n", check_plans(workers[1].client), CHILDREN);
	check_verifies();
	ck_assert_int_eq(world_stop(world), 0);
	check_verifies();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kill");
	TCase *tests = tcase_create("kill");
	tcase_set_timeout(tests, 550);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, nothing_acknowledged_is_lost_or_done_twice);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
