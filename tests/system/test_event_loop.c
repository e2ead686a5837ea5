// libcpis in somebody else's event loop: calls that are begun, continued when the one descriptor can be read, and ended, in loops of
// epoll and of libevent, with a broker that dies and comes back, is silent, or is one of several.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <check.h>
#include <event2/event.h>

#include "tests/harness/world.h"
#include "tests/harness/world_brokers.h"
#include "tests/harness/world_client.h"
#include "tests/harness/world_liar.h"

#define EMERGENCY CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT
// What a loop may be woken for in one call without being told that it spins. A call takes a handful of steps.
#define WAKES_MAX 2000u

static struct world *world;
static char child[11];

static void setup(void)
{
	world = world_new();
	world_start(world);
	world_nhs_number(0, child);
}

static void teardown(void)
{
	world_free(world);
}

// A flag query, kept for as long as the call takes.
struct question {
	Cpis__V1__Request request;
	Cpis__V1__FlagRequest flag;
};

static void ask(struct question *question)
{
	cpis__v1__request__init(&question->request);
	cpis__v1__flag_request__init(&question->flag);
	question->flag.nhs_number = child;
	question->flag.care_setting = EMERGENCY;
	question->request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	question->request.flag = &question->flag;
}

// ------------------------------------------------------------------ a loop of epoll

struct loop {
	int epoll;
	unsigned wakes;
};

static void loop_add(struct loop *loop, int fd, uint32_t how)
{
	struct epoll_event event = {.events = EPOLLIN | how, .data.fd = fd};
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event), 0);
}

static struct loop loop_new(struct cpis_client *client, uint32_t how)
{
	struct loop loop = {.epoll = epoll_create1(EPOLL_CLOEXEC)};
	ck_assert_int_ge(loop.epoll, 0);
	loop_add(&loop, cpis_fd(client), how);
	return loop;
}

// Which descriptor can be read; -1: none within this time.
static int loop_wait(struct loop *loop, int timeout_ms)
{
	struct epoll_event event;
	int count;
	do
		count = epoll_wait(loop->epoll, &event, 1, timeout_ms);
	while (count < 0 && errno == EINTR);
	ck_assert_int_ge(count, 0);
	return count == 0 ? -1 : event.data.fd;
}

// Until the call has an end. Nothing but the descriptor wakes it.
static enum cpis_status loop_run(struct loop *loop, struct cpis_client *client, const Cpis__V1__Reply **ret)
{
	for (loop->wakes = 0; loop->wakes < WAKES_MAX; loop->wakes++) {
		ck_assert_int_eq(loop_wait(loop, WORLD_WAIT_MS * 2), cpis_fd(client));
		enum cpis_status status = cpis_call_continue(client, ret);
		if (status != CPIS_PENDING)
			return status;
	}
	ck_abort_msg("the loop spins");
}

static void assert_quiet(struct loop *loop)
{
	ck_assert_int_eq(loop_wait(loop, 0), -1);
}

static enum cpis_status flag_in(struct loop *loop, struct cpis_client *client, uint32_t deadline_ms)
{
	struct question question;
	const Cpis__V1__Reply *reply = NULL;
	ask(&question);
	ck_assert_int_eq(cpis_call_begin(client, &question.request, deadline_ms), CPIS_OK);
	enum cpis_status status = loop_run(loop, client, &reply);
	if (status == CPIS_OK)
		ck_assert_int_eq(reply->outcome, CPIS__V1__OUTCOME__OK);
	else
		ck_assert_ptr_null(reply);
	cpis_reply_free(reply);
	return status;
}

// ------------------------------------------------------------------ tests

START_TEST(many_calls_one_after_the_other_level_or_edge_triggered)
{
	static const uint32_t ways[] = {0, EPOLLET};
	struct cpis_client *client = world_sign_in(world, "nurse");
	for (unsigned way = 0; way < 2; way++) {
		struct loop loop = loop_new(client, ways[way]);
		assert_quiet(&loop);
		for (unsigned i = 0; i < 100; i++) {
			ck_assert_int_eq(flag_in(&loop, client, WORLD_CALL_MS), CPIS_OK);
			assert_quiet(&loop);
		}
		// The blocking ones between them.
		cpis_reply_free(world_flag(client, child, EMERGENCY));
		assert_quiet(&loop);
		ck_assert_int_eq(flag_in(&loop, client, WORLD_CALL_MS), CPIS_OK);
		close(loop.epoll);
	}
	cpis_close(client);
}
END_TEST

START_TEST(a_session_and_a_signed_act_are_begun_like_any_call)
{
	struct cpis_client *client = world_connect(world, "leeds");
	struct loop loop = loop_new(client, 0);
	const Cpis__V1__Reply *reply = NULL;
	char role[16], key[256];
	snprintf(role, sizeof role, "%s", world_person("leeds")->role);
	snprintf(key, sizeof key, "%s", world_path(world, "staff/leeds.key"));
	ck_assert_int_eq(cpis_session_open_begin(client, world_path(world, "staff/leeds.pem"), key, role, WORLD_CALL_MS), CPIS_OK);
	memset(role, 'x', sizeof role - 1); // they are copied
	memset(key, 'x', sizeof key - 1);
	ck_assert_int_eq(loop_run(&loop, client, &reply), CPIS_OK);
	ck_assert_int_eq(reply->outcome, CPIS__V1__OUTCOME__OK);
	cpis_reply_free(reply);
	reply = NULL;
	// A session is needed for this, and a signature.
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	Cpis__V1__ContactsSetRequest set = CPIS__V1__CONTACTS_SET_REQUEST__INIT;
	char telephone[] = "01632 960000";
	set.emergency_duty_telephone = telephone;
	request.body_case = CPIS__V1__REQUEST__BODY_CONTACTS_SET;
	request.contacts_set = &set;
	snprintf(key, sizeof key, "%s", world_path(world, "staff/leeds.key"));
	ck_assert_int_eq(cpis_call_signed_begin(client, &request, key, WORLD_CALL_MS), CPIS_OK);
	memset(key, 'x', sizeof key - 1);
	ck_assert_int_eq(loop_run(&loop, client, &reply), CPIS_OK);
	ck_assert_msg(reply->outcome == CPIS__V1__OUTCOME__OK, "%s", reply->reason_code);
	cpis_reply_free(reply);
	assert_quiet(&loop);
	cpis_close(client);
	close(loop.epoll);
}
END_TEST

START_TEST(what_cannot_be_begun_is_told_at_once)
{
	struct cpis_client *client = world_connect(world, "nurse");
	struct loop loop = loop_new(client, 0);
	const Cpis__V1__Reply *reply = NULL;
	struct question question;
	ask(&question);
	ck_assert_int_eq(cpis_call_continue(client, &reply), CPIS_USAGE);
	ck_assert_int_eq(cpis_call_begin(client, &question.request, 0), CPIS_USAGE);
	ck_assert_int_eq(cpis_call_signed_begin(client, &question.request, NULL, WORLD_CALL_MS), CPIS_USAGE);
	ck_assert_int_eq(cpis_call_signed_begin(client, &question.request, world_path(world, "nowhere.key"), WORLD_CALL_MS),
			 CPIS_CREDENTIALS);
	ck_assert_int_eq(cpis_session_open_begin(client, world_path(world, "staff/nurse.pem"), world_path(world, "staff/midwife.key"),
						 "R8001", WORLD_CALL_MS),
			 CPIS_CREDENTIALS);
	ck_assert_int_eq(cpis_session_open_begin(client, NULL, NULL, NULL, WORLD_CALL_MS), CPIS_USAGE);
	ck_assert_int_eq(cpis_call_continue(client, &reply), CPIS_USAGE);
	ck_assert_ptr_null(reply);
	assert_quiet(&loop);
	cpis_close(client);
	close(loop.epoll);
}
END_TEST

START_TEST(without_a_descriptor_left_nothing_is_begun)
{
	struct cpis_client *client = world_sign_in(world, "nurse");
	struct question question;
	struct rlimit was, none;
	ask(&question);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = was;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	int fd = cpis_fd(client);
	enum cpis_status status = cpis_call_begin(client, &question.request, WORLD_CALL_MS);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &was), 0);
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(status, CPIS_NO_MEMORY);
	ck_assert_ptr_nonnull(strstr(cpis_detail(client), "descriptor"));
	struct loop loop = loop_new(client, 0);
	ck_assert_int_eq(flag_in(&loop, client, WORLD_CALL_MS), CPIS_OK);
	cpis_close(client);
	close(loop.epoll);
}
END_TEST

START_TEST(while_a_call_is_under_way_no_other_can_be_made_and_it_is_none_the_worse)
{
	struct cpis_client *client = world_sign_in(world, "nurse");
	struct loop loop = loop_new(client, 0);
	const Cpis__V1__Reply *reply = NULL, *other = NULL;
	struct question question, second;
	uint8_t challenge[CPIS_CHALLENGE_BYTES], token[1] = {0};
	ask(&question);
	ask(&second);
	ck_assert_int_eq(cpis_call_begin(client, &question.request, WORLD_CALL_MS), CPIS_OK);
	ck_assert_int_eq(cpis_call_begin(client, &second.request, WORLD_CALL_MS), CPIS_USAGE);
	ck_assert_int_eq(cpis_call(client, &second.request, WORLD_CALL_MS, &other), CPIS_USAGE);
	ck_assert_int_eq(cpis_call_signed(client, &second.request, world_path(world, "staff/nurse.key"), WORLD_CALL_MS, &other),
			 CPIS_USAGE);
	ck_assert_int_eq(cpis_session_open(client, world_path(world, "staff/nurse.pem"), world_path(world, "staff/nurse.key"), "R8001",
					   WORLD_CALL_MS, &other),
			 CPIS_USAGE);
	ck_assert_int_eq(cpis_session_end(client, WORLD_CALL_MS, &other), CPIS_USAGE);
	ck_assert_int_eq(cpis_act_prepare(client, &second.request, challenge), CPIS_USAGE);
	ck_assert_int_eq(cpis_responder_take(client, 1, 2, &other), CPIS_USAGE);
	ck_assert(!cpis_set_session_token(client, token, sizeof token));
	ck_assert(!cpis_set_trace(client, NULL));
	ck_assert_ptr_nonnull(strstr(cpis_detail(client), "under way"));
	ck_assert_int_eq(loop_run(&loop, client, &reply), CPIS_OK);
	ck_assert_int_eq(reply->outcome, CPIS__V1__OUTCOME__OK);
	ck_assert_ptr_null(other);
	cpis_reply_free(reply);
	cpis_close(client);
	close(loop.epoll);
}
END_TEST

// The call is begun while nobody is there, and is not lost with the connection before it.
START_TEST(a_broker_that_dies_and_comes_back_in_the_middle_is_found_again)
{
	struct cpis_client *client = world_sign_in(world, "nurse");
	struct loop loop = loop_new(client, 0);
	for (unsigned i = 0; i < 5; i++) {
		struct question question;
		const Cpis__V1__Reply *reply = NULL;
		ask(&question);
		ck_assert_int_eq(flag_in(&loop, client, WORLD_CALL_MS), CPIS_OK);
		ck_assert_int_eq(cpis_call_begin(client, &question.request, 60000), CPIS_OK);
		// As far as it gets: each round a step further.
		for (unsigned step = 0; step < i; step++)
			if (cpis_call_continue(client, &reply) != CPIS_PENDING)
				goto answered;
		world_kill(world);
		world_start(world);
		ck_assert_int_eq(loop_run(&loop, client, &reply), CPIS_OK);
	answered:
		ck_assert_ptr_nonnull(reply);
		ck_assert_int_eq(reply->outcome, CPIS__V1__OUTCOME__OK);
		cpis_reply_free(reply);
	}
	assert_quiet(&loop);
	cpis_close(client);
	close(loop.epoll);
}
END_TEST

// A wait for an inbox item goes on over the broker's death: nothing but the descriptor tells the loop of the new connection.
START_TEST(a_call_that_waits_at_the_broker_goes_on_at_the_next_one)
{
	struct cpis_client *leeds = world_sign_in(world, "leeds"), *nurse;
	struct loop loop = loop_new(leeds, 0);
	const Cpis__V1__Reply *reply = NULL;
	cpis_reply_free(world_publish(world, leeds, "383", child, CPIS__V1__PLAN_TYPE__CPP, "2026-01-01"));
	Cpis__V1__InboxListRequest list = CPIS__V1__INBOX_LIST_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	list.wait_ms = 50000;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_LIST;
	request.inbox_list = &list;
	ck_assert_int_eq(cpis_call_begin(leeds, &request, 60000), CPIS_OK);
	for (unsigned i = 0; i < 3; i++) {
		world_kill(world);
		world_start(world);
		// While it is there to be told of: what comes of it is what is tested, not how far it got.
		for (int fd; (fd = loop_wait(&loop, 300)) != -1;)
			ck_assert_int_eq(cpis_call_continue(leeds, &reply), CPIS_PENDING);
	}
	nurse = world_sign_in(world, "nurse");
	cpis_reply_free(world_details(nurse, child, EMERGENCY, CPIS__V1__ACCESS_TYPE__UNSCHEDULED));
	ck_assert_int_eq(loop_run(&loop, leeds, &reply), CPIS_OK);
	ck_assert_int_eq(reply->outcome, CPIS__V1__OUTCOME__OK);
	ck_assert_uint_ge(reply->inbox_list->n_items, 1);
	cpis_reply_free(reply);
	cpis_close(nurse);
	cpis_close(leeds);
	close(loop.epoll);
}
END_TEST

static void says_nothing(struct liar *liar, struct liar_turn *turn)
{
	(void)liar, (void)turn;
}

START_TEST(a_deadline_wakes_the_loop_when_nobody_is_there_and_when_nobody_answers)
{
	struct cpis_client *client = world_sign_in(world, "nurse");
	struct loop loop = loop_new(client, 0);
	ck_assert_int_eq(world_stop(world), 0);
	// Whether it was sent into what was left of the connection, chance decides.
	for (unsigned i = 0; i < 2; i++) {
		enum cpis_status gone = flag_in(&loop, client, 700);
		ck_assert_msg(gone == CPIS_UNREACHABLE || gone == CPIS_TIMEOUT, "%s", cpis_status_text(gone));
		assert_quiet(&loop);
	}
	struct liar *liar = liar_new(world);
	liar_tell(liar, says_nothing);
	enum cpis_status status = flag_in(&loop, client, 700);
	ck_assert_msg(status == CPIS_UNREACHABLE || status == CPIS_TIMEOUT, "%s", cpis_status_text(status));
	assert_quiet(&loop);
	liar_free(liar);
	world_start(world);
	ck_assert_int_eq(flag_in(&loop, client, 60000), CPIS_OK);
	cpis_close(client);
	close(loop.epoll);
}
END_TEST

START_TEST(an_interrupt_and_a_cancelled_call_end_it_and_the_next_one_is_sound)
{
	struct cpis_client *client = world_sign_in(world, "leeds");
	struct loop loop = loop_new(client, 0);
	const Cpis__V1__Reply *reply = NULL;
	Cpis__V1__InboxListRequest list = CPIS__V1__INBOX_LIST_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	int interrupt = eventfd(0, EFD_CLOEXEC);
	uint64_t one = 1;
	list.wait_ms = 50000;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_LIST;
	request.inbox_list = &list;
	cpis_set_interrupt(client, interrupt);
	ck_assert_int_eq(cpis_call_begin(client, &request, 60000), CPIS_OK);
	for (int fd; (fd = loop_wait(&loop, 300)) != -1;)
		ck_assert_int_eq(cpis_call_continue(client, &reply), CPIS_PENDING);
	ck_assert_int_eq(write(interrupt, &one, sizeof one), sizeof one);
	ck_assert_int_eq(loop_run(&loop, client, &reply), CPIS_INTERRUPTED);
	ck_assert_ptr_null(reply);
	assert_quiet(&loop); // though the interrupt still can be read
	// A plain file, which epoll does not take, can always be read.
	int file = open(world_path(world, "authority/trust/log.vkey"), O_RDONLY | O_CLOEXEC);
	cpis_set_interrupt(client, file);
	ck_assert_int_eq(cpis_call_begin(client, &request, 60000), CPIS_OK);
	ck_assert_int_eq(loop_run(&loop, client, &reply), CPIS_INTERRUPTED);
	close(file);
	cpis_set_interrupt(client, -1);
	ck_assert_int_eq(cpis_call_begin(client, &request, 60000), CPIS_OK);
	ck_assert_int_eq(cpis_call_continue(client, &reply), CPIS_PENDING);
	cpis_call_cancel(client);
	cpis_call_cancel(client);
	assert_quiet(&loop);
	ck_assert_int_eq(cpis_call_continue(client, &reply), CPIS_USAGE);
	list.wait_ms = 0;
	ck_assert_int_eq(cpis_call_begin(client, &request, WORLD_CALL_MS), CPIS_OK);
	ck_assert_int_eq(loop_run(&loop, client, &reply), CPIS_OK);
	cpis_reply_free(reply);
	// Closed in the middle of a call.
	ck_assert_int_eq(cpis_call_begin(client, &request, WORLD_CALL_MS), CPIS_OK);
	cpis_close(client);
	close(interrupt);
	close(loop.epoll);
}
END_TEST

static void answers_twice(struct liar *liar, struct liar_turn *turn)
{
	liar_seal(liar, turn);
	liar_send(liar, turn);
	liar_send(liar, turn);
}

// What comes between two calls wakes nobody, and is not the next one's answer.
START_TEST(an_answer_that_comes_after_the_call_wakes_no_loop)
{
	ck_assert_int_eq(world_stop(world), 0);
	struct liar *liar = liar_new(world);
	liar_tell(liar, answers_twice);
	struct cpis_client *client = world_connect(world, "nurse");
	struct loop loop = loop_new(client, 0);
	for (unsigned i = 0; i < 20; i++) {
		ck_assert_int_eq(flag_in(&loop, client, WORLD_CALL_MS), CPIS_OK);
		assert_quiet(&loop);
	}
	ck_assert_uint_eq(liar_heard(liar), 20);
	cpis_close(client);
	liar_free(liar);
	close(loop.epoll);
}
END_TEST

static void flood(struct liar *liar, struct liar_turn *turn)
{
	static uint8_t id[REQUEST_ID_BYTES], packed[2 * MESSAGE_BYTES_MAX];
	turn->record.request_id.data = turn->reply.request_id.data = id;
	liar_seal(liar, turn);
	size_t bytes = liar_pack(turn, packed);
	while (!liar_told_otherwise(liar, flood))
		(void)liar_send_frame(liar, packed, bytes, false);
}

// Between what is done at a time for a broker that sends without end, the loop has its turns.
START_TEST(a_flood_of_answers_to_nothing_leaves_the_loop_to_its_other_work)
{
	ck_assert_int_eq(world_stop(world), 0);
	struct liar *liar = liar_new(world);
	struct cpis_client *client = world_connect(world, "nurse");
	struct loop loop = loop_new(client, 0);
	struct question question;
	const Cpis__V1__Reply *reply = NULL;
	enum cpis_status status;
	unsigned turns = 0;
	ask(&question);
	liar_tell(liar, flood);
	ck_assert_int_eq(cpis_call_begin(client, &question.request, 2000), CPIS_OK);
	do {
		ck_assert_int_eq(loop_wait(&loop, WORLD_WAIT_MS), cpis_fd(client));
		status = cpis_call_continue(client, &reply);
		turns += status == CPIS_PENDING;
	} while (status == CPIS_PENDING);
	ck_assert_int_eq(status, CPIS_TIMEOUT);
	ck_assert_uint_gt(turns, 10);
	liar_tell(liar, liar_says_the_truth);
	ck_assert_int_eq(flag_in(&loop, client, 60000), CPIS_OK);
	cpis_close(client);
	liar_free(liar);
	close(loop.epoll);
}
END_TEST

START_TEST(with_several_brokers_the_next_one_is_asked)
{
	struct cpis_options options = world_options(world, "nurse");
	struct cpis_broker known = {options.endpoint, options.broker_name, options.broker_certificate};
	struct cpis_client *client = NULL;
	char detail[CPIS_DETAIL_BYTES];
	options.endpoint = "tcp://127.0.0.1:1";
	options.further = &known;
	options.further_count = 1;
	ck_assert_msg(cpis_connect(&options, &client, detail) == CPIS_OK, "%s", detail);
	struct loop loop = loop_new(client, 0);
	const Cpis__V1__Reply *reply = NULL;
	ck_assert_int_eq(cpis_session_open_begin(client, world_path(world, "staff/nurse.pem"), world_path(world, "staff/nurse.key"),
						 world_person("nurse")->role, WORLD_CALL_MS),
			 CPIS_OK);
	ck_assert_int_eq(loop_run(&loop, client, &reply), CPIS_OK);
	cpis_reply_free(reply);
	ck_assert_str_eq(cpis_endpoint(client), known.endpoint);
	ck_assert_int_eq(flag_in(&loop, client, WORLD_CALL_MS), CPIS_OK);
	assert_quiet(&loop);
	cpis_close(client);
	close(loop.epoll);
}
END_TEST

// Each client has a loop's attention when it is its turn: none waits for another.
START_TEST(several_clients_share_one_loop)
{
	enum { CLIENTS = 4, CALLS = 50 };
	struct cpis_client *clients[CLIENTS];
	struct question questions[CLIENTS];
	unsigned done[CLIENTS] = {0}, left = CLIENTS;
	struct loop loop = {.epoll = epoll_create1(EPOLL_CLOEXEC)};
	for (unsigned i = 0; i < CLIENTS; i++) {
		clients[i] = world_sign_in(world, "nurse");
		loop_add(&loop, cpis_fd(clients[i]), 0);
		ask(&questions[i]);
		ck_assert_int_eq(cpis_call_begin(clients[i], &questions[i].request, WORLD_CALL_MS), CPIS_OK);
	}
	while (left > 0) {
		const Cpis__V1__Reply *reply = NULL;
		unsigned i = 0;
		int fd = loop_wait(&loop, WORLD_WAIT_MS);
		while (i < CLIENTS && cpis_fd(clients[i]) != fd)
			i++;
		ck_assert_uint_lt(i, CLIENTS);
		enum cpis_status status = cpis_call_continue(clients[i], &reply);
		if (status == CPIS_PENDING)
			continue;
		ck_assert_msg(status == CPIS_OK, "%s", cpis_detail(clients[i]));
		cpis_reply_free(reply);
		if (++done[i] == CALLS)
			left--;
		else
			ck_assert_int_eq(cpis_call_begin(clients[i], &questions[i].request, WORLD_CALL_MS), CPIS_OK);
	}
	assert_quiet(&loop);
	for (unsigned i = 0; i < CLIENTS; i++)
		cpis_close(clients[i]);
	close(loop.epoll);
}
END_TEST

// One made them, others go on with them, each with its own and all at once.
static void *ask_in_thread(void *context)
{
	struct cpis_client *client = context;
	struct loop loop = loop_new(client, 0);
	for (unsigned i = 0; i < 50; i++) {
		ck_assert_int_eq(flag_in(&loop, client, WORLD_CALL_MS), CPIS_OK);
		cpis_reply_free(world_flag(client, child, EMERGENCY));
	}
	cpis_close(client);
	close(loop.epoll);
	return NULL;
}

START_TEST(clients_in_several_threads_know_nothing_of_one_another)
{
	pthread_t threads[4];
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_in_thread, world_sign_in(world, "nurse")), 0);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}
END_TEST

// ------------------------------------------------------------------ a loop of libevent

struct in_libevent {
	struct event_base *base;
	struct cpis_client *client;
	struct question question;
	unsigned left;
	enum cpis_status status;
};

static void go_on(evutil_socket_t fd, short what, void *context)
{
	struct in_libevent *state = context;
	const Cpis__V1__Reply *reply = NULL;
	(void)fd, (void)what;
	state->status = cpis_call_continue(state->client, &reply);
	if (state->status == CPIS_PENDING)
		return;
	cpis_reply_free(reply);
	if (state->status == CPIS_OK && --state->left > 0)
		state->status = cpis_call_begin(state->client, &state->question.request, WORLD_CALL_MS);
	if (state->status != CPIS_OK || state->left == 0)
		event_base_loopbreak(state->base);
}

static void run_in_libevent(struct cpis_client *client, const char *backend)
{
	static const char *const backends[] = {"epoll", "poll", "select"};
	struct event_config *config = event_config_new();
	for (unsigned i = 0; i < 3; i++)
		if (strcmp(backends[i], backend) != 0)
			ck_assert_int_eq(event_config_avoid_method(config, backends[i]), 0);
	struct in_libevent state = {.base = event_base_new_with_config(config), .client = client, .left = 50};
	ck_assert_ptr_nonnull(state.base);
	ck_assert_str_eq(event_base_get_method(state.base), backend);
	struct event *event = event_new(state.base, cpis_fd(client), EV_READ | EV_PERSIST, go_on, &state);
	ck_assert_int_eq(event_add(event, NULL), 0);
	ask(&state.question);
	ck_assert_int_eq(cpis_call_begin(client, &state.question.request, WORLD_CALL_MS), CPIS_OK);
	ck_assert_int_eq(event_base_dispatch(state.base), 0);
	ck_assert_msg(state.status == CPIS_OK, "%s", cpis_detail(client));
	ck_assert_uint_eq(state.left, 0);
	event_free(event);
	event_base_free(state.base);
	event_config_free(config);
}

START_TEST(libevents_loop_needs_the_descriptor_and_nothing_else)
{
	struct cpis_client *client = world_sign_in(world, "nurse");
	run_in_libevent(client, "epoll");
	run_in_libevent(client, "poll");
	run_in_libevent(client, "select");
	cpis_close(client);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("event_loop");
	TCase *tcase = tcase_create("event_loop");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, many_calls_one_after_the_other_level_or_edge_triggered);
	tcase_add_test(tcase, a_session_and_a_signed_act_are_begun_like_any_call);
	tcase_add_test(tcase, what_cannot_be_begun_is_told_at_once);
	tcase_add_test(tcase, without_a_descriptor_left_nothing_is_begun);
	tcase_add_test(tcase, while_a_call_is_under_way_no_other_can_be_made_and_it_is_none_the_worse);
	tcase_add_test(tcase, a_broker_that_dies_and_comes_back_in_the_middle_is_found_again);
	tcase_add_test(tcase, a_call_that_waits_at_the_broker_goes_on_at_the_next_one);
	tcase_add_test(tcase, a_deadline_wakes_the_loop_when_nobody_is_there_and_when_nobody_answers);
	tcase_add_test(tcase, an_interrupt_and_a_cancelled_call_end_it_and_the_next_one_is_sound);
	tcase_add_test(tcase, an_answer_that_comes_after_the_call_wakes_no_loop);
	tcase_add_test(tcase, a_flood_of_answers_to_nothing_leaves_the_loop_to_its_other_work);
	tcase_add_test(tcase, with_several_brokers_the_next_one_is_asked);
	tcase_add_test(tcase, several_clients_share_one_loop);
	tcase_add_test(tcase, clients_in_several_threads_know_nothing_of_one_another);
	tcase_add_test(tcase, libevents_loop_needs_the_descriptor_and_nothing_else);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
