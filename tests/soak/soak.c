// A day's work of a broker in minutes: nurses ask, authorities take and acknowledge, one publishes its file again and again, a
// reviewer searches, and a hostile client does what it can, all at once; and memory and descriptors stay what they were.
//
//	CPIS_SOAK_REQUESTS=n   so many of the nurses' requests (10,000,000); the others' come on top
//
// Prints samples as it goes and one line in check's words at the end, as tests/run.sh reads it.
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/wire.h"
#include "tests/bench/queries.h"
#include "tests/bench/searches.h"
#include "tests/bench/servers.h"
#include "tests/harness/process_tree.h"
#include "tests/harness/raw_curve.h"
#include "tests/harness/world_plans.h"

#define REQUESTS 10000000u
#define PLANS 25000u
#define AUTHORITIES 10u
#define CONNECTIONS 64u
#define WINDOW 4u
#define SAMPLES 50u
#define FOREVER_MS UINT32_MAX
#define SEARCHES_PER_S 5
#define PUBLISHED 2000u
#define LEASE_MS 600000u
#define BESIDE 4u
#define HOSTILE_WAIT_MS 5000
// What may be there at the end more than in the middle: pages touched for the first time, a thread's stack.
#define GROWTH_SHARE 0.03
#define GROWTH_KB 3072
#define GROWTH_DESCRIPTORS 80u // hostile connections come and go

static struct town *town;
static unsigned failures, checks;

static void check(bool good, const char *what)
{
	checks++;
	if (good)
		return;
	failures++;
	printf("soak: FAILED: %s\n", what);
}

// ------------------------------------------------------------------ authorities

struct worker {
	uint64_t ids[ACKNOWLEDGE_IDS_MAX];
	size_t count;
};
static struct worker workers[AUTHORITIES];

// Take what is there, acknowledge it, and again.
static size_t make_inbox(void *context, unsigned connection, uint8_t out[LOAD_REQUEST_BYTES_MAX])
{
	Cpis__V1__InboxTakeRequest take = CPIS__V1__INBOX_TAKE_REQUEST__INIT;
	Cpis__V1__InboxAcknowledgeRequest acknowledge = CPIS__V1__INBOX_ACKNOWLEDGE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	struct worker *worker = &workers[connection];
	(void)context;
	if (worker->count > 0) {
		acknowledge.n_ids = worker->count;
		acknowledge.ids = worker->ids;
		request.body_case = CPIS__V1__REQUEST__BODY_INBOX_ACKNOWLEDGE;
		request.inbox_acknowledge = &acknowledge;
	} else {
		take.limit = ACKNOWLEDGE_IDS_MAX;
		take.lease_ms = LEASE_MS;
		take.wait_ms = 1000;
		request.body_case = CPIS__V1__REQUEST__BODY_INBOX_TAKE;
		request.inbox_take = &take;
	}
	return town_pack(town, town_first_worker() + connection, &request, out);
}

static void take_items(void *context, unsigned connection, const uint8_t *data, size_t bytes)
{
	struct arena arena;
	struct wire_error error;
	Cpis__V1__Reply *reply = NULL;
	struct worker *worker = &workers[connection];
	(void)context;
	town_check(town, data, bytes);
	link_must(arena_init(&arena, 4 * ARENA_BYTES) && wire_reply_decode(&arena, data, bytes, &reply, &error) == WIRE_OK,
		  "an inbox's reply");
	worker->count = 0;
	if (reply->body_case == CPIS__V1__REPLY__BODY_INBOX_TAKE)
		for (size_t i = 0; i < reply->inbox_take->n_items; i++)
			worker->ids[worker->count++] = reply->inbox_take->items[i]->id;
	arena_done(&arena);
}

static void work(void)
{
	const struct link_curve_target target = town_workers(town);
	const struct load_options options = {&link_curve, &target, AUTHORITIES, make_inbox, take_items, NULL};
	const struct load_run run = {.window = 1, .duration_ms = FOREVER_MS};
	struct load_result result;
	load_run(load_open(&options), &run, &result);
}

// ------------------------------------------------------------------ one that publishes, one that reviews

// The same children with plans begun on other days: all rows change each time.
static void publish(void)
{
	static const char *const dates[] = {"2026-01-05", "2026-02-06"};
	char path[256];
	snprintf(path, sizeof path, "%s", world_path(town->world, "soak.csv"));
	link_must(world_cpis(town->world, "leeds", "contacts", "set", "--emergency-duty", "0113 496 0000", NULL) == 0, "contacts");
	for (unsigned i = 0;; i++) {
		world_write_plans(town->world, path, PUBLISHED, dates[i % 2]);
		link_must(world_cpis(town->world, "leeds", "--timeout", "60000", "publish", "--full", path, NULL) == 0, "a publication");
	}
}

static void review(void)
{
	struct searches reviewer;
	searches_init(&reviewer, town);
	const struct load_options options = searches_load(&reviewer);
	const struct load_run run = {.per_s = SEARCHES_PER_S, .duration_ms = FOREVER_MS};
	struct load_result result;
	load_run(load_open(&options), &run, &result);
}

// ------------------------------------------------------------------ one that is hostile

static uint64_t random_state;

static unsigned draw(unsigned below)
{
	// Numerical Recipes' generator: what it draws has to be repeatable and no more.
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(random_state >> 33) % below;
}

static void do_harm(struct raw_curve *client)
{
	static uint8_t data[MESSAGE_BYTES_MAX + 1];
	size_t bytes = draw(3) == 0 ? draw(sizeof data) : draw(300);
	for (size_t i = 0; i < bytes; i++)
		data[i] = (uint8_t)draw(256);
	switch (draw(5)) {
	case 0: // no request
		(void)raw_curve_send(client, data, bytes, false, HOSTILE_WAIT_MS);
		break;
	case 1: // a true one, with a byte changed, many times
		for (unsigned i = 0; i < 20; i++) {
			uint8_t request[LOAD_REQUEST_BYTES_MAX];
			Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
			Cpis__V1__Request whole = CPIS__V1__REQUEST__INIT;
			flag.nhs_number = town->numbers[draw(PLANS)];
			flag.care_setting = CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT;
			whole.body_case = CPIS__V1__REQUEST__BODY_FLAG;
			whole.flag = &flag;
			size_t length = town_pack(town, 0, &whole, request);
			request[draw((unsigned)length)] ^= (uint8_t)(1 + draw(255));
			(void)raw_curve_send(client, request, length, false, HOSTILE_WAIT_MS);
		}
		break;
	case 2: // one that is too long
		(void)raw_curve_send(client, data, sizeof data, false, HOSTILE_WAIT_MS);
		break;
	case 3: // many frames, and the connection ends before the last
		for (unsigned i = 0; i < 50; i++)
			(void)raw_curve_send(client, data, bytes % 1000, true, HOSTILE_WAIT_MS);
		break;
	default: // bytes that nobody has encrypted
		(void)raw_curve_send_plain(client, data, bytes, HOSTILE_WAIT_MS);
		break;
	}
}

static void be_hostile(void)
{
	struct curve_key_pair stranger;
	link_must(curve_key_generate(&stranger) == CERTS_OK, "a key");
	for (;;) {
		// The key of an enrolled system in two of three cases; hands shaken in half of them.
		const struct curve_key_pair *key = draw(3) == 0 ? &stranger : &town->keys[0];
		static const enum raw_curve_stop stops[] = {RAW_CURVE_STOP_CONNECTED, RAW_CURVE_STOP_GREETING, RAW_CURVE_STOP_HELLO,
							    RAW_CURVE_STOP_INITIATE};
		const struct raw_curve_options options = {.endpoint = world_endpoint(town->world),
							  .server_public = town->broker.public_key,
							  .public_key = key->public_key,
							  .secret_key = key->secret_key,
							  .stop = draw(2) == 0 ? stops[draw(4)] : RAW_CURVE_STOP_NEVER};
		struct raw_curve *client;
		if (raw_curve_open(&options, HOSTILE_WAIT_MS, &client) == RAW_CURVE_OK)
			do_harm(client);
		if (draw(2) == 0)
			raw_curve_reset(client);
		else
			raw_curve_close(client);
	}
}

// ------------------------------------------------------------------ beside each other

static pid_t start_beside(void (*go_on)(void))
{
	fflush(NULL);
	pid_t child = fork();
	link_must(child >= 0, "another process");
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		random_state = world_random(UINT32_MAX);
		go_on();
		_exit(1);
	}
	return child;
}

// Each must still be at it: one that failed has ended.
static void end_beside(const pid_t children[BESIDE])
{
	static const char *const names[BESIDE] = {"authorities", "publisher", "reviewer", "hostile client"};
	for (unsigned i = 0; i < BESIDE; i++) {
		int status;
		char what[80];
		bool alive = waitpid(children[i], &status, WNOHANG) == 0;
		snprintf(what, sizeof what, "the %s went on to the end", names[i]);
		check(alive, what);
		if (!alive)
			continue;
		kill(children[i], SIGKILL);
		waitpid(children[i], &status, 0);
	}
}

// ------------------------------------------------------------------ memory and descriptors

struct sample {
	long core_kb, front_kb;
	unsigned core_descriptors, front_descriptors;
};

static unsigned descriptors(pid_t process)
{
	char path[64];
	unsigned count = 0;
	snprintf(path, sizeof path, "/proc/%d/fd", (int)process);
	DIR *folder = opendir(path);
	link_must(folder != NULL, path);
	while (readdir(folder) != NULL)
		count++;
	closedir(folder);
	return count;
}

static struct sample take_sample(void)
{
	pid_t core = world_broker_pid(town->world), front = process_child(process_child(core));
	return (struct sample){servers_process_kb(core), servers_process_kb(front), descriptors(core), descriptors(front)};
}

static double mean(const struct sample *samples, unsigned first, unsigned last, bool of_core)
{
	double sum = 0;
	for (unsigned i = first; i < last; i++)
		sum += (double)(of_core ? samples[i].core_kb : samples[i].front_kb);
	return sum / (last - first);
}

static unsigned most(const struct sample *samples, unsigned first, unsigned last, bool of_core)
{
	unsigned found = 0;
	for (unsigned i = first; i < last; i++) {
		unsigned count = of_core ? samples[i].core_descriptors : samples[i].front_descriptors;
		found = count > found ? count : found;
	}
	return found;
}

// After a warm-up of three tenths, the last third against the one before it.
static void judge(const struct sample *samples, unsigned count, bool of_core)
{
	unsigned warm = count * 3 / 10, middle = warm + (count - warm) / 2;
	double before = mean(samples, warm, middle, of_core), after = mean(samples, middle, count, of_core);
	unsigned had = most(samples, warm, middle, of_core), has = most(samples, middle, count, of_core);
	printf("%s: memory %.1f MB, then %.1f MB; descriptors at most %u, then %u\n", of_core ? "core" : "front", before / 1024, after / 1024,
	       had, has);
	check(after <= before * (1 + GROWTH_SHARE) + GROWTH_KB, of_core ? "the core's memory is flat" : "the front's memory is flat");
	check(has <= had + GROWTH_DESCRIPTORS, of_core ? "the core's descriptors are flat" : "the front's descriptors are flat");
}

// ------------------------------------------------------------------ the whole

static void ask(uint64_t requests, struct sample samples[SAMPLES])
{
	struct queries queries;
	queries_init(&queries, town, 1);
	const struct load_options options = queries_load(&queries, CONNECTIONS);
	const struct load_run run = {.window = WINDOW, .duration_ms = FOREVER_MS, .requests_max = requests / SAMPLES};
	struct load *load = load_open(&options);
	double asked = 0;
	for (unsigned i = 0; i < SAMPLES; i++) {
		struct load_result result;
		load_run(load, &run, &result);
		asked += (double)result.requests;
		samples[i] = take_sample();
		printf("%9.0f asked, %6.0f/s, p99 %6.1f ms; core %6.1f MB %3u descriptors, front %6.1f MB %3u descriptors\n", asked,
		       result.rps, result.p99_us / 1e3, (double)samples[i].core_kb / 1024, samples[i].core_descriptors,
		       (double)samples[i].front_kb / 1024, samples[i].front_descriptors);
		fflush(stdout);
	}
	load_close(load);
}

int main(void)
{
	const char *wanted = getenv("CPIS_SOAK_REQUESTS");
	uint64_t requests = wanted == NULL ? REQUESTS : strtoull(wanted, NULL, 10);
	struct sample samples[SAMPLES];
	link_must(requests >= SAMPLES, "CPIS_SOAK_REQUESTS is a number of at least 50");
	town = town_new(&(struct town_options){.plans = PLANS, .authorities = AUTHORITIES});
	const pid_t beside[BESIDE] = {start_beside(work), start_beside(publish), start_beside(review), start_beside(be_hostile)};
	ask(requests, samples);
	end_beside(beside);
	judge(samples, SAMPLES, true);
	judge(samples, SAMPLES, false);
	check(world_stop(town->world) == 0, "the broker ends by itself");
	const char *log = world_log(town->world), *stopped = strstr(log, " stopped ");
	check(stopped != NULL && strstr(stopped, " failed_commits 0 ") != NULL, "no commit failed");
	check(stopped != NULL && strstr(stopped, " front_restarts 0") != NULL, "no front died");
	printf("%s", stopped == NULL ? "" : stopped + 1);
	check(world_cpis(town->world, NULL, "audit", "verify", "--database", world_path(town->world, "store.db"), "--log-key",
			 world_path(town->world, "authority/trust/log.vkey"), NULL) == 0,
	      "the log verifies");
	town_free_stopped(town);
	printf("%u%%: Checks: %u, Failures: %u, Errors: 0\n", failures == 0 ? 100u : 0u, checks, failures);
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
