// Inboxes with the real programs: a waiting request is handed its item, many at once; and with asker, broker and workers
// killed at random, every notification is delivered, none before its record is durable, no two workers hold one item at a time,
// and none comes again after it was acknowledged.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "tests/harness/channel.h"
#include "tests/harness/world.h"
#include "tests/harness/world_client.h"

#define CHILDREN 20u
#define FOLLOWERS 40u
#define WORKERS 3u
#define ROUNDS 24u
#define LEASE_MS 1500u
#define EMERGENCY CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT
#define UNSCHEDULED CPIS__V1__ACCESS_TYPE__UNSCHEDULED

static struct world *world;
static char number[CHILDREN][11];

static void setup(void)
{
	world = world_new();
	world_set_inbox(world, "383", "{same_look_minutes: 0}"); // each look is told
	world_start(world);
	struct cpis_client *leeds = world_sign_in(world, "leeds");
	for (unsigned i = 0; i < CHILDREN; i++) {
		world_nhs_number(i, number[i]);
		cpis_reply_free(world_publish(world, leeds, "383", number[i], CPIS__V1__PLAN_TYPE__CPP, "2026-01-01"));
	}
	cpis_close(leeds);
}

static void teardown(void)
{
	world_free(world);
}

// ------------------------------------------------------------------ push

struct follower {
	struct channel *channel;
	ProtobufCBinaryData token;
};

static struct follower follow(const char *profile)
{
	struct follower follower = {.channel = channel_open(world, world_path(world, "systems/leeds.key"))};
	follower.token = channel_token(follower.channel, profile);
	return follower;
}

static void unfollow(struct follower *follower)
{
	channel_close(follower->channel);
	free(follower->token.data);
}

// One request that waits. A ping behind it on the same connection is answered first: so it does wait, and nothing is left to
// chance.
static void begin_to_wait(struct follower *follower)
{
	Cpis__V1__InboxListRequest list = CPIS__V1__INBOX_LIST_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	list.wait_ms = 60000;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_LIST;
	request.inbox_list = &list;
	request.session_token = follower->token;
	channel_send_request(follower->channel, &request);
	struct channel_reply *pong = channel_ping(follower->channel);
	ck_assert_int_eq(pong->reply->body_case, CPIS__V1__REPLY__BODY_PING);
	channel_reply_free(pong);
}

static uint64_t expect_item(struct follower *follower)
{
	struct channel_reply *reply = channel_next_reply(follower->channel);
	uint64_t now_ms = world_monotonic_ms();
	ck_assert_int_eq(reply->reply->outcome, CPIS__V1__OUTCOME__OK);
	ck_assert_uint_eq(reply->reply->inbox_list->n_items, 1);
	ck_assert_uint_lt(reply->reply->inbox_list->items[0]->access->audit_index, reply->index);
	channel_reply_free(reply);
	return now_ms;
}

START_TEST(followers_are_handed_an_item_through_the_one_request_that_waits)
{
	struct follower followers[FOLLOWERS];
	struct cpis_client *nurse = world_sign_in(world, "nurse");
	for (unsigned i = 0; i < FOLLOWERS; i++) {
		followers[i] = follow("leeds_duty");
		begin_to_wait(&followers[i]);
	}
	cpis_reply_free(world_details(nurse, number[0], EMERGENCY, UNSCHEDULED));
	uint64_t answered_ms = world_monotonic_ms(), first_ms = expect_item(&followers[0]), last_ms = first_ms;
	for (unsigned i = 1; i < FOLLOWERS; i++)
		last_ms = expect_item(&followers[i]);
	printf("%u followers of one organisation were handed a notification, read one after the other %llu to %llu ms after the "
	       "look was answered\n", FOLLOWERS, (unsigned long long)(first_ms - answered_ms),
	       (unsigned long long)(last_ms - answered_ms));
	for (unsigned i = 0; i < FOLLOWERS; i++)
		unfollow(&followers[i]);
	cpis_close(nurse);
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

START_TEST(who_is_revoked_while_waiting_is_refused)
{
	struct follower follower = follow("leeds_duty");
	struct cpis_client *nurse = world_sign_in(world, "nurse");
	begin_to_wait(&follower);
	long mark = world_log_mark(world);
	world_revoke(world, world_path(world, "staff/leeds_duty.pem"));
	world_wait_log(world, mark, "register_loaded");
	cpis_reply_free(world_details(nurse, number[0], EMERGENCY, UNSCHEDULED));
	channel_refused(channel_next_reply(follower.channel), "staff_revoked");
	unfollow(&follower);
	cpis_close(nurse);
}
END_TEST

// ------------------------------------------------------------------ a worker, in a process of its own

// What a worker was handed, and what it was told is acknowledged. Each line is one write, so that several append to one file.
static void note(int file, const char *what, uint64_t id, uint64_t from_ms, uint64_t until_ms, uint64_t record, uint64_t proven)
{
	char line[160];
	int bytes = snprintf(line, sizeof line, "%s %llu %llu %llu %llu %llu\n", what, (unsigned long long)id,
			     (unsigned long long)from_ms, (unsigned long long)until_ms, (unsigned long long)record,
			     (unsigned long long)proven);
	if (write(file, line, (size_t)bytes) != bytes)
		_exit(3);
}

static bool call(struct cpis_client *client, Cpis__V1__Request *request, const Cpis__V1__Reply **ret)
{
	if (cpis_call(client, request, 20000, ret) != CPIS_OK)
		return false;
	if ((*ret)->outcome == CPIS__V1__OUTCOME__OK)
		return true;
	cpis_reply_free(*ret);
	return false;
}

static uint64_t checkpoint_size(const struct cpis_client *client)
{
	const char *line = strchr(cpis_checkpoint(client), '\n');
	return line == NULL ? 0 : strtoull(line + 1, NULL, 10);
}

static void acknowledge(struct cpis_client *client, int file, uint64_t id)
{
	Cpis__V1__InboxAcknowledgeRequest body = CPIS__V1__INBOX_ACKNOWLEDGE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	body.ids = &id;
	body.n_ids = 1;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_ACKNOWLEDGE;
	request.inbox_acknowledge = &body;
	if (!call(client, &request, &reply))
		return;
	note(file, "A", id, 0, 0, 0, 0);
	cpis_reply_free(reply);
}

// Takes one item, notes it and acknowledges it, or leaves it (`leave`). The number of items that are left, -1: no answer.
static long work_once(struct cpis_client *client, int file, bool leave)
{
	Cpis__V1__InboxTakeRequest body = CPIS__V1__INBOX_TAKE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	body.lease_ms = LEASE_MS;
	body.wait_ms = 5000;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_TAKE;
	request.inbox_take = &body;
	if (!call(client, &request, &reply))
		return -1;
	const Cpis__V1__InboxTakeReply *taken = reply->inbox_take;
	long left = (long)taken->unacknowledged;
	for (size_t i = 0; i < taken->n_items; i++) {
		// From and until by the broker's clock, both: what the lease is.
		note(file, "T", taken->items[i]->id, taken->lease_until_ms - LEASE_MS, taken->lease_until_ms,
		     taken->items[i]->access->audit_index, checkpoint_size(client));
		if (!leave)
			acknowledge(client, file, taken->items[i]->id);
	}
	cpis_reply_free(reply);
	return left;
}

static struct cpis_client *connect_as(const char *directory, const char *endpoint, const char *system, const char *person,
				      const char *role)
{
	char paths[6][512];
	snprintf(paths[0], sizeof paths[0], "%s/authority/broker/broker.pem", directory);
	snprintf(paths[1], sizeof paths[1], "%s/authority/trust", directory);
	snprintf(paths[2], sizeof paths[2], "%s/systems/%s.pem", directory, system);
	snprintf(paths[3], sizeof paths[3], "%s/systems/%s.key", directory, system);
	snprintf(paths[4], sizeof paths[4], "%s/staff/%s.pem", directory, person);
	snprintf(paths[5], sizeof paths[5], "%s/staff/%s.key", directory, person);
	struct cpis_options options = {.endpoint = endpoint, .broker_name = WORLD_BROKER_NAME, .broker_certificate = paths[0],
				       .trust_directory = paths[1], .system_certificate = paths[2], .system_key = paths[3]};
	struct cpis_client *client = NULL;
	char detail[CPIS_DETAIL_BYTES];
	if (cpis_connect(&options, &client, detail) != CPIS_OK)
		_exit(4);
	for (;;) {
		const Cpis__V1__Reply *reply = NULL;
		bool open = cpis_session_open(client, paths[4], paths[5], role, 20000, &reply) == CPIS_OK &&
			    reply->outcome == CPIS__V1__OUTCOME__OK;
		if (reply != NULL)
			cpis_reply_free(reply);
		if (open)
			return client;
	}
}

// Until it is killed. Every third item is left for others.
static int run_worker(char **argv)
{
	int file = open(argv[4], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (file < 0)
		return 3;
	struct cpis_client *client = connect_as(argv[2], argv[3], "leeds", "leeds_duty", "R9605");
	for (unsigned turn = 0;; turn++)
		work_once(client, file, turn % 3 == 2);
}

// Looks at one child after the other and writes a byte for each answer, until it is killed.
static int run_asker(char **argv)
{
	int file = atoi(argv[4]);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	struct cpis_client *client = connect_as(argv[2], argv[3], "hospital", "nurse", "R8001");
	for (unsigned turn = 0;; turn++) {
		Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
		Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
		const Cpis__V1__Reply *reply = NULL;
		char child[11];
		world_nhs_number(turn % CHILDREN, child);
		details.nhs_number = child;
		details.care_setting = EMERGENCY;
		request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
		request.details = &details;
		if (!call(client, &request, &reply))
			continue;
		cpis_reply_free(reply);
		if (write(file, ".", 1) != 1)
			return 3;
	}
}

// ------------------------------------------------------------------ killing

static int looks[2]; // a pipe: a byte for each look that was answered

static pid_t start(const char *what, const char *output)
{
	const char *directory = world_path(world, ".");
	pid_t pid = fork();
	if (pid == 0) {
		execl("/proc/self/exe", "test_inbox", what, directory, world_endpoint(world), output, (char *)NULL);
		_exit(5);
	}
	ck_assert_int_gt(pid, 0);
	return pid;
}

static pid_t start_worker(void)
{
	return start("worker", world_path(world, "workers.log"));
}

static pid_t start_asker(void)
{
	char file[16];
	snprintf(file, sizeof file, "%d", looks[1]);
	return start("asker", file);
}

static void kill_process(pid_t pid)
{
	int status;
	ck_assert_int_eq(waitpid(pid, &status, WNOHANG), 0); // it does not end by itself
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
}

static void wait_for_looks(unsigned more)
{
	char byte;
	for (unsigned i = 0; i < more; i++) {
		struct pollfd item = {.fd = looks[0], .events = POLLIN};
		if (poll(&item, 1, 2 * WORLD_WAIT_MS) != 1 || read(looks[0], &byte, 1) != 1)
			world_fail(world, "nobody looks any more");
	}
}

static void kill_somebody(pid_t workers[WORKERS], pid_t *asker)
{
	wait_for_looks(2 + world_random(12));
	uint32_t who = world_random(WORKERS + 2);
	if (who == WORKERS + 1) {
		kill_process(*asker);
		*asker = start_asker();
	} else if (who == WORKERS) {
		world_kill(world);
		world_start(world);
	} else {
		kill_process(workers[who]);
		workers[who] = start_worker();
	}
}

// ------------------------------------------------------------------ looking back

struct handed {
	uint64_t id, from_ms, until_ms, record, proven;
};

static int by_item_and_time(const void *a, const void *b)
{
	const struct handed *x = a, *y = b;
	return x->id != y->id ? (x->id > y->id) - (x->id < y->id) : (x->from_ms > y->from_ms) - (x->from_ms < y->from_ms);
}

static struct handed *read_log(size_t *ret_count, size_t *ret_acknowledged)
{
	char *text = world_read_file(world_path(world, "workers.log"), NULL), *line = text;
	size_t count = 0, room = 1;
	*ret_acknowledged = 0;
	for (char *c = text; *c != '\0'; c++)
		room += *c == '\n';
	struct handed *handed = calloc(room, sizeof *handed);
	ck_assert_ptr_nonnull(handed);
	for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		unsigned long long n[5];
		char what;
		ck_assert_int_eq(sscanf(line, "%c %llu %llu %llu %llu %llu", &what, &n[0], &n[1], &n[2], &n[3], &n[4]), 6);
		if (what == 'T')
			handed[count++] = (struct handed){n[0], n[1], n[2], n[3], n[4]};
		else
			++*ret_acknowledged;
	}
	free(text);
	qsort(handed, count, sizeof *handed, by_item_and_time);
	*ret_count = count;
	return handed;
}

// Each item was handed over, proven, to one at a time, and never after it was acknowledged.
static void check_item(const Cpis__V1__InboxItem *item, const struct handed *handed, size_t count)
{
	size_t times = 0;
	ck_assert_uint_ne(item->acknowledged_ms, 0);
	for (size_t i = 0; i < count; i++) {
		if (handed[i].id != item->id)
			continue;
		times++;
		ck_assert_uint_eq(handed[i].record, item->access->audit_index);
		ck_assert_uint_lt(handed[i].record, handed[i].proven);
		ck_assert_uint_le(handed[i].from_ms, item->acknowledged_ms);
		if (i + 1 < count && handed[i + 1].id == item->id)
			ck_assert_msg(handed[i].until_ms <= handed[i + 1].from_ms,
				      "item %llu was held twice: until %llu and from %llu", (unsigned long long)item->id,
				      (unsigned long long)handed[i].until_ms, (unsigned long long)handed[i + 1].from_ms);
	}
	ck_assert_msg(times > 0, "item %llu was handed to nobody", (unsigned long long)item->id);
}

static size_t check_items(struct cpis_client *leeds, const struct handed *handed, size_t count)
{
	uint64_t after = 0;
	size_t items = 0, page;
	do {
		const Cpis__V1__Reply *reply = world_inbox(leeds, after, true);
		ck_assert_int_eq(reply->outcome, CPIS__V1__OUTCOME__OK);
		page = reply->inbox_list->n_items;
		for (size_t i = 0; i < page; i++) {
			ck_assert_uint_eq(reply->inbox_list->items[i]->id, ++after);
			check_item(reply->inbox_list->items[i], handed, count);
		}
		items += page;
		cpis_reply_free(reply);
	} while (page > 0);
	return items;
}

// Looks that took effect: those that the history of each child has would not be all, so the log is asked.
static size_t count_looks(void)
{
	struct cpis_client *guardian = world_sign_in(world, "guardian");
	size_t found = 0;
	for (uint64_t before = 0;;) {
		Cpis__V1__AuditSearchRequest search = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
		Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
		search.uid = (char *)(uintptr_t)world_person("nurse")->uid;
		search.limit = 100;
		search.before_index = before;
		request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SEARCH;
		request.audit_search = &search;
		const Cpis__V1__Reply *reply = world_call(guardian, &request);
		ck_assert_int_eq(reply->outcome, CPIS__V1__OUTCOME__OK);
		for (size_t i = 0; i < reply->audit_search->n_entries; i++) {
			const Cpis__V1__AuditEntry *entry = reply->audit_search->entries[i];
			// A retry was answered again, and did nothing again.
			found += entry->operation == CPIS__V1__OPERATION__DETAILS && entry->outcome == CPIS__V1__OUTCOME__OK &&
				 strncmp(entry->detail->reason, "A retry", 7) != 0;
		}
		before = reply->audit_search->next_before_index;
		bool more = reply->audit_search->more;
		cpis_reply_free(reply);
		if (!more)
			break;
	}
	cpis_close(guardian);
	return found;
}

START_TEST(everything_is_delivered_to_one_at_a_time_whoever_is_killed)
{
	pid_t workers[WORKERS];
	struct cpis_client *leeds = world_sign_in(world, "leeds");
	int file = open(world_path(world, "workers.log"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	for (size_t i = 0; i < WORKERS; i++)
		workers[i] = start_worker();
	ck_assert_int_eq(pipe(looks), 0);
	pid_t asker = start_asker();
	for (unsigned round = 0; round < ROUNDS; round++)
		kill_somebody(workers, &asker);
	kill_process(asker);
	for (size_t i = 0; i < WORKERS; i++)
		kill_process(workers[i]);
	// What they left when they died is free again after their leases: this request waits for it.
	while (work_once(leeds, file, false) != 0)
		;
	close(file);
	size_t handed_count, acknowledged;
	struct handed *handed = read_log(&handed_count, &acknowledged);
	size_t items = check_items(leeds, handed, handed_count);
	ck_assert_uint_eq(items, count_looks());
	printf("%u kills; %zu looks, each told once; %zu hand-overs, none of them within another's lease; %zu acknowledgements\n",
	       ROUNDS, items, handed_count, acknowledged);
	ck_assert_uint_ge(handed_count, items);
	free(handed);
	close(looks[0]);
	close(looks[1]);
	cpis_close(leeds);
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "worker") == 0)
		return run_worker(argv);
	if (argc == 5 && strcmp(argv[1], "asker") == 0)
		return run_asker(argv);
	Suite *suite = suite_create("inbox");
	TCase *tests = tcase_create("inbox");
	tcase_set_timeout(tests, 300);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, followers_are_handed_an_item_through_the_one_request_that_waits);
	tcase_add_test(tests, who_is_revoked_while_waiting_is_refused);
	tcase_add_test(tests, everything_is_delivered_to_one_at_a_time_whoever_is_killed);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
