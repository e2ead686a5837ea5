// Two systems that were shown different logs, both signed with the real key, find out at the next exchange of checkpoints, keep
// both, and can prove it to anybody. A broker that hands out anything else is not believed.
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "certs/note.h"
#include "tests/harness/world_client.h"
#include "tests/harness/world_liar.h"

#define PROOF_FAILED 4
#define UNDECIDED 5 // or not done to the end

static struct world *world;
static char key[256];

static void setup(void)
{
	world = world_new();
	snprintf(key, sizeof key, "%s", world_path(world, "authority/trust/log.vkey"));
}

static void teardown(void)
{
	world_free(world);
}

static int ping(const char *profile)
{
	return world_cpis(world, profile, "ping", NULL);
}

static char *read_profile_file(const char *profile, const char *ending)
{
	return world_read_file(world_path(world, "profiles/%s.checkpoint%s", profile, ending), NULL);
}

// An hour later, as far as that client knows.
static void make_due(const char *profile)
{
	world_write_file(world_path(world, "profiles/%s.checkpoint.exchange", profile), "0 0\n");
}

// The one piece of evidence that this checkpoint file has beside it; "" when there is none.
static const char *evidence(const char *checkpoint_file)
{
	static char path[512];
	char pattern[400];
	glob_t found;
	path[0] = '\0';
	snprintf(pattern, sizeof pattern, "%s.evidence-*", checkpoint_file);
	if (glob(pattern, 0, NULL, &found) == 0) {
		ck_assert_uint_eq(found.gl_pathc, 1);
		snprintf(path, sizeof path, "%s", found.gl_pathv[0]);
	}
	globfree(&found);
	return path;
}

static const char *evidence_of(const char *profile)
{
	return evidence(world_path(world, "profiles/%s.checkpoint", profile));
}

static void copy_file(const char *from, const char *to)
{
	ck_assert_int_eq(world_command(world, (const char *const[]){"cp", from, to, NULL}), 0);
}

static int compare(const char *one, const char *other)
{
	return world_cpis(world, NULL, "audit", "compare", "--log-key", key, one, other, NULL);
}

static int compare_with(const char *database, const char *file)
{
	return world_cpis(world, NULL, "audit", "compare", "--log-key", key, "--database", world_path(world, "%s", database), file,
			  NULL);
}

// ------------------------------------------------------------------ the real broker

START_TEST(checkpoints_are_exchanged_once_an_hour_and_all_is_well)
{
	world_start(world);
	ck_assert_int_eq(ping("leeds"), 0);
	ck_assert_int_ne(access(world_path(world, "profiles/leeds.checkpoint.exchange"), F_OK), 0);
	ck_assert_int_eq(ping("leeds"), 0);
	char *first = read_profile_file("leeds", ".exchange");
	ck_assert_int_eq(ping("leeds"), 0);
	char *second = read_profile_file("leeds", ".exchange");
	ck_assert_str_eq(first, second);
	// The nurse is given what Leeds handed in, which is older than what she holds, and asks for the proof.
	for (unsigned i = 0; i < 5; i++)
		ck_assert_int_eq(ping("nurse"), 0);
	make_due("nurse");
	ck_assert_int_eq(ping("nurse"), 0);
	char *third = read_profile_file("nurse", ".exchange");
	ck_assert_str_ne(third, "0 0\n");
	ck_assert_str_eq(evidence_of("nurse"), "");
	ck_assert_ptr_null(strstr(world_log(world), "log_forked"));
	free(first);
	free(second);
	free(third);
}
END_TEST

START_TEST(a_broker_put_back_to_a_copy_is_found_by_one_who_only_knows_the_copy)
{
	world_start(world);
	ck_assert_int_eq(ping("leeds"), 0);
	ck_assert_int_eq(world_stop(world), 0);
	copy_file(world_path(world, "store.db"), world_path(world, "copy.db"));
	// Leeds is shown three records that the copy does not have.
	world_start(world);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(ping("leeds"), 0);
	ck_assert_int_eq(world_stop(world), 0);
	copy_file(world_path(world, "store.db"), world_path(world, "first.db"));
	copy_file(world_path(world, "copy.db"), world_path(world, "store.db"));
	unlink(world_path(world, "store.db-wal"));
	unlink(world_path(world, "store.db-shm"));
	world_start(world);
	for (unsigned i = 0; i < 12; i++)
		ck_assert_int_eq(ping("nurse"), 0);
	ck_assert_str_eq(evidence_of("nurse"), "");

	// Leeds sees it by itself, keeps the evidence, takes nothing over, and hands in what it holds the next time.
	char *held = read_profile_file("leeds", "");
	long mark = world_log_mark(world);
	ck_assert_int_eq(ping("leeds"), PROOF_FAILED);
	ck_assert_ptr_nonnull(strstr(world_err(world), "does not begin with"));
	ck_assert_ptr_nonnull(strstr(world_err(world), evidence_of("leeds")));
	ck_assert_int_eq(ping("leeds"), PROOF_FAILED);
	char *after = read_profile_file("leeds", "");
	ck_assert_str_eq(held, after);
	world_wait_log(world, mark, "log_forked");

	// And the nurse, who has never been shown anything but the copy, finds out.
	char *before = read_profile_file("nurse", "");
	make_due("nurse");
	ck_assert_int_eq(ping("nurse"), PROOF_FAILED);
	ck_assert_ptr_nonnull(strstr(world_err(world), "of 383 was shown"));
	ck_assert_ptr_nonnull(strstr(world_err(world), evidence_of("nurse")));
	char *kept = world_read_file(evidence_of("nurse"), NULL);
	ck_assert_ptr_nonnull(strstr(kept, held));
	// It is said each time, without another file, and no question is asked.
	ck_assert_int_eq(world_cpis(world, "nurse", "query", "9990000018", NULL), PROOF_FAILED);
	ck_assert_str_ne(evidence_of("nurse"), "");
	char *again = world_read_file(evidence_of("nurse"), NULL);
	ck_assert_str_eq(kept, again);

	// Anybody can see it: in either database one of the two is not of the log.
	char file[512];
	snprintf(file, sizeof file, "%s", evidence_of("nurse"));
	ck_assert_int_eq(world_stop(world), 0);
	ck_assert_int_eq(compare_with("store.db", file), PROOF_FAILED);
	ck_assert_ptr_nonnull(strstr(world_err(world), "TWO LOGS"));
	// The first one is shorter than what the nurse holds; what it reaches is of it.
	ck_assert_int_eq(compare_with("first.db", file), UNDECIDED);
	ck_assert_int_eq(compare_with("store.db", world_path(world, "profiles/nurse.checkpoint")), 0);
	ck_assert_int_eq(world_cpis(world, NULL, "audit", "compare", "--log-key", key, file, NULL), UNDECIDED);
	free(held);
	free(after);
	free(before);
	free(kept);
	free(again);
}
END_TEST

START_TEST(what_one_holds_is_printed_and_compared_with_others)
{
	char first[256], second[256];
	world_start(world);
	snprintf(first, sizeof first, "%s", world_path(world, "first.checkpoint"));
	snprintf(second, sizeof second, "%s", world_path(world, "second.checkpoint"));
	ck_assert_int_eq(world_cpis(world, "nurse", "audit", "checkpoint", NULL), 0);
	world_write_file(first, world_out(world));
	char *held = read_profile_file("nurse", "");
	ck_assert_str_eq(world_out(world), held);
	ck_assert_int_eq(compare(first, first), 0);
	ck_assert_int_eq(world_cpis(world, "leeds", "audit", "checkpoint", NULL), 0);
	world_write_file(second, world_out(world));
	ck_assert_int_eq(compare(first, second), UNDECIDED);
	ck_assert_int_eq(world_cpis(world, "nurse", "audit", "checkpoint", "--witnessed", NULL), PROOF_FAILED);
	ck_assert_int_eq(world_stop(world), 0);
	ck_assert_int_eq(compare_with("store.db", first), 0);
	ck_assert_int_eq(world_cpis(world, NULL, "audit", "compare", "--log-key", key, "--json", first, first, NULL), 0);
	ck_assert_ptr_nonnull(strstr(world_out(world), "\"verdict\": \"one\""));
	free(held);
}
END_TEST

START_TEST(what_cannot_be_compared_is_said)
{
	char good[256], bad[256];
	world_start(world);
	ck_assert_int_eq(world_cpis(world, "nurse", "audit", "checkpoint", NULL), 0);
	snprintf(good, sizeof good, "%s", world_path(world, "good"));
	snprintf(bad, sizeof bad, "%s", world_path(world, "bad"));
	world_write_file(good, world_out(world));
	ck_assert_int_eq(compare(good, "/nonexistent"), 1);
	ck_assert_int_eq(compare(good, world_path(world, ".")), 1);
	world_write_file(bad, "# only words\n\n");
	ck_assert_int_eq(compare(good, bad), 1);
	ck_assert_ptr_nonnull(strstr(world_err(world), "has no checkpoint"));
	world_write_file(bad, "nonsense");
	ck_assert_int_eq(compare(good, bad), 1);
	char *text = world_read_file(good, NULL), *size = strchr(text, '\n') + 1;
	*size = *size == '9' ? '8' : (char)(*size + 1);
	world_write_file(bad, text);
	ck_assert_int_eq(compare(good, bad), PROOF_FAILED);
	ck_assert_int_eq(world_cpis(world, NULL, "audit", "compare", "--log-key", bad, good, NULL), 1);
	ck_assert_int_eq(compare_with("no-such.db", good), 6);
	free(text);
}
END_TEST

// ------------------------------------------------------------------ a broker that lies

static struct liar *liar;
static struct cpis_client *client;
static char state[256], foreign[NOTE_BYTES_MAX + 1];

static void setup_liar(void)
{
	setup();
	liar = liar_new(world);
	snprintf(state, sizeof state, "%s", world_path(world, "shown.checkpoint"));
	client = NULL;
}

static void teardown_liar(void)
{
	cpis_close(client);
	liar_free(liar);
	teardown();
}

static struct cpis_client *connect_with(const char *file)
{
	struct cpis_options options = world_options(world, "nurse");
	struct cpis_client *made = NULL;
	char detail[CPIS_DETAIL_BYTES];
	options.checkpoint_file = file;
	ck_assert_int_eq(cpis_connect(&options, &made, detail), CPIS_OK);
	return made;
}

static void ping_through(struct cpis_client *with)
{
	Cpis__V1__PingRequest body = CPIS__V1__PING_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_PING;
	request.ping = &body;
	cpis_reply_free(world_call(with, &request));
}

// Somebody else is shown a log of so many records, and this client another one.
static void show_two_logs(unsigned theirs, unsigned ours)
{
	struct cpis_client *other = connect_with(NULL);
	for (unsigned i = 0; i < theirs; i++)
		ping_through(other);
	snprintf(foreign, sizeof foreign, "%s", cpis_checkpoint(other));
	cpis_close(other);
	liar_cut(liar, 0);
	client = connect_with(state);
	for (unsigned i = 0; i < ours; i++)
		ping_through(client);
}

static Cpis__V1__AuditConsistencyReply proof_body;

// Hands out the foreign note; asked for a proof, gives an empty one.
static void hands_out(struct liar *to, struct liar_turn *turn)
{
	static Cpis__V1__CheckpointExchangeReply body;
	static Cpis__V1__HeldCheckpoint held, *all[1] = {&held};
	static char organisation[] = "383", name[] = "social care";
	if (turn->request->body_case == CPIS__V1__REQUEST__BODY_CHECKPOINT_EXCHANGE) {
		cpis__v1__checkpoint_exchange_reply__init(&body);
		cpis__v1__held_checkpoint__init(&held);
		held.checkpoint = foreign;
		held.organisation = organisation;
		held.system_name = name;
		body.held = all;
		body.n_held = 1;
		turn->reply.checkpoint_exchange = &body;
		turn->reply.body_case = CPIS__V1__REPLY__BODY_CHECKPOINT_EXCHANGE;
	} else if (turn->request->body_case == CPIS__V1__REQUEST__BODY_AUDIT_CONSISTENCY) {
		cpis__v1__audit_consistency_reply__init(&proof_body);
		turn->reply.audit_consistency = &proof_body;
		turn->reply.body_case = CPIS__V1__REPLY__BODY_AUDIT_CONSISTENCY;
	}
	liar_seal(to, turn);
	liar_send(to, turn);
}

static void refuse(struct liar *to, struct liar_turn *turn, Cpis__V1__Outcome outcome, char *word)
{
	turn->reply.body_case = CPIS__V1__REPLY__BODY__NOT_SET;
	turn->reply.outcome = turn->record.outcome = outcome;
	turn->reply.reason_code = turn->record.reason_code = word;
	liar_seal(to, turn);
	liar_send(to, turn);
}

static void has_no_proof(struct liar *to, struct liar_turn *turn)
{
	static char word[] = "no_such_size";
	if (turn->request->body_case == CPIS__V1__REQUEST__BODY_AUDIT_CONSISTENCY)
		refuse(to, turn, CPIS__V1__OUTCOME__NO_RECORD_FOUND, word);
	else
		hands_out(to, turn);
}

static void is_busy(struct liar *to, struct liar_turn *turn)
{
	static char word[] = "store_unavailable";
	if (turn->request->body_case == CPIS__V1__REQUEST__BODY_AUDIT_CONSISTENCY)
		refuse(to, turn, CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE, word);
	else
		hands_out(to, turn);
}

static Cpis__V1__Outcome refusal;

static void refuses_any_proof(struct liar *to, struct liar_turn *turn)
{
	static char word[] = "some_reason";
	if (turn->request->body_case == CPIS__V1__REQUEST__BODY_AUDIT_CONSISTENCY)
		refuse(to, turn, refusal, word);
	else
		hands_out(to, turn);
}

// One version back: it cannot read the request.
static void is_older(struct liar *to, struct liar_turn *turn)
{
	static char word[] = "message_not_well_formed";
	if (turn->request->body_case != CPIS__V1__REQUEST__BODY_CHECKPOINT_EXCHANGE) {
		hands_out(to, turn);
		return;
	}
	turn->record.operation = CPIS__V1__OPERATION__OPERATION_UNSPECIFIED;
	refuse(to, turn, CPIS__V1__OUTCOME__MESSAGE_NOT_WELL_FORMED, word);
}

static void assert_fork_found(liar_lie *lie)
{
	bool compared = true;
	liar_tell(liar, lie);
	ck_assert_int_eq(cpis_exchange_checkpoints(client, NULL, WORLD_CALL_MS, &compared), CPIS_LOG_FORKED);
	ck_assert(!compared);
	ck_assert_ptr_nonnull(strstr(cpis_detail(client), "social care of 383"));
	ck_assert_ptr_nonnull(strstr(cpis_detail(client), evidence(state)));
	char *kept = world_read_file(evidence(state), NULL);
	ck_assert_ptr_nonnull(strstr(kept, foreign));
	free(kept);
	ck_assert(cpis_exchange_is_due(client));
}

START_TEST(one_of_the_same_size_with_another_root_proves_it_to_anybody)
{
	show_two_logs(3, 2);
	assert_fork_found(hands_out);
	ck_assert_int_eq(world_cpis(world, NULL, "audit", "compare", "--log-key", key, evidence(state), NULL), PROOF_FAILED);
	ck_assert_ptr_nonnull(strstr(world_err(world), "TWO LOGS"));
}
END_TEST

START_TEST(one_that_is_larger_than_the_log_is_of_another)
{
	show_two_logs(9, 2);
	assert_fork_found(hands_out);
}
END_TEST

START_TEST(one_that_is_smaller_needs_a_proof_that_holds)
{
	show_two_logs(2, 5);
	assert_fork_found(hands_out);
}
END_TEST

START_TEST(no_proof_is_as_bad_as_a_false_one)
{
	show_two_logs(2, 5);
	assert_fork_found(has_no_proof);
}
END_TEST

START_TEST(a_broker_that_cannot_prove_it_now_is_asked_again_and_nothing_is_taken_over)
{
	bool compared = true;
	show_two_logs(2, 5);
	liar_tell(liar, is_busy);
	ck_assert_int_eq(cpis_exchange_checkpoints(client, NULL, WORLD_CALL_MS, &compared), CPIS_OK);
	ck_assert(!compared);
	ck_assert_str_eq(evidence(state), "");
	// Not with the next command: it is asked again in minutes.
	ck_assert(!cpis_exchange_is_due(client));
}
END_TEST

START_TEST(a_refusal_that_says_nothing_of_the_log_accuses_nobody)
{
	static const Cpis__V1__Outcome outcomes[] = {
		CPIS__V1__OUTCOME__ASID_CHECK_FAILED,     CPIS__V1__OUTCOME__ACCESS_DENIED,
		CPIS__V1__OUTCOME__INTERNAL_SERVER_ERROR, CPIS__V1__OUTCOME__NO_LONGER_SUPPORTED,
		CPIS__V1__OUTCOME__MESSAGE_NOT_WELL_FORMED, CPIS__V1__OUTCOME__NO_RECORD_FOUND,
		CPIS__V1__OUTCOME__TOO_MANY_REQUESTS,
	};
	bool compared = true;
	refusal = outcomes[_i];
	show_two_logs(2, 5);
	liar_tell(liar, refuses_any_proof);
	ck_assert_int_eq(cpis_exchange_checkpoints(client, NULL, WORLD_CALL_MS, &compared), CPIS_OK);
	ck_assert(!compared);
	ck_assert_ptr_nonnull(strstr(cpis_detail(client), "some_reason"));
	ck_assert_str_eq(evidence(state), "");
}
END_TEST

START_TEST(a_broker_one_version_back_is_left_alone_for_an_hour)
{
	bool compared = true;
	show_two_logs(2, 5);
	ck_assert(cpis_exchange_is_due(client));
	liar_tell(liar, is_older);
	ck_assert_int_eq(cpis_exchange_checkpoints(client, NULL, WORLD_CALL_MS, &compared), CPIS_OK);
	ck_assert(!compared);
	ck_assert_ptr_nonnull(strstr(cpis_detail(client), "message_not_well_formed"));
	ck_assert(!cpis_exchange_is_due(client));
	ping_through(client);
	// Another process knows it from the file.
	cpis_close(client);
	client = connect_with(state);
	ck_assert(!cpis_exchange_is_due(client));
}
END_TEST

START_TEST(what_is_no_checkpoint_of_this_log_is_an_error_and_no_evidence)
{
	struct checkpoint checkpoint = {.origin = "other.example/log", .size = 3};
	struct signing_key *stranger = NULL;
	bool compared = true;
	show_two_logs(2, 5);
	ck_assert_int_eq(signing_key_generate(&stranger), CERTS_OK);
	ck_assert_int_eq(checkpoint_sign(&checkpoint, stranger, foreign), CERTS_OK);
	signing_key_free(stranger);
	liar_tell(liar, hands_out);
	ck_assert_int_eq(cpis_exchange_checkpoints(client, NULL, WORLD_CALL_MS, &compared), CPIS_PROTOCOL);
	snprintf(foreign, sizeof foreign, "nonsense");
	ck_assert_int_eq(cpis_exchange_checkpoints(client, NULL, WORLD_CALL_MS, &compared), CPIS_PROTOCOL);
	ck_assert_str_eq(evidence(state), "");
	char *too_long = calloc(1, NOTE_BYTES_MAX + 2);
	ck_assert_ptr_nonnull(too_long);
	memset(too_long, 'a', NOTE_BYTES_MAX + 1);
	ck_assert_int_eq(cpis_exchange_checkpoints(client, too_long, WORLD_CALL_MS, &compared), CPIS_USAGE);
	free(too_long);
}
END_TEST

// Asks for a cosignature of the newest checkpoint, and does not take it.
static void takes_none(struct liar *to, struct liar_turn *turn)
{
	static char word[] = "cosignature_invalid";
	static Cpis__V1__CheckpointExchangeReply body;
	static Cpis__V1__HeldCheckpoint asked;
	if (turn->request->body_case != CPIS__V1__REQUEST__BODY_CHECKPOINT_EXCHANGE) {
		liar_says_the_truth(to, turn);
		return;
	}
	if (strstr(turn->request->checkpoint_exchange->checkpoint, " liars.example/w ") != NULL) {
		refuse(to, turn, CPIS__V1__OUTCOME__INVALID_VALUE, word);
		return;
	}
	cpis__v1__checkpoint_exchange_reply__init(&body);
	cpis__v1__held_checkpoint__init(&asked);
	body.to_cosign = &asked;
	turn->reply.checkpoint_exchange = &body;
	turn->reply.body_case = CPIS__V1__REPLY__BODY_CHECKPOINT_EXCHANGE;
	liar_seal(to, turn);
	asked.checkpoint = turn->reply.receipt->checkpoint;
	liar_send(to, turn);
}

static void refuses_exchange(struct liar *to, struct liar_turn *turn)
{
	static char word[] = "some_reason";
	if (turn->request->body_case == CPIS__V1__REQUEST__BODY_CHECKPOINT_EXCHANGE)
		refuse(to, turn, refusal, word);
	else
		liar_says_the_truth(to, turn);
}

START_TEST(never_having_compared_is_said_and_cosigned_by_nobody)
{
	static const Cpis__V1__Outcome outcomes[] = {CPIS__V1__OUTCOME__MESSAGE_NOT_WELL_FORMED, CPIS__V1__OUTCOME__ACCESS_DENIED};
	char witness[256];
	snprintf(witness, sizeof witness, "%s", world_path(world, "witness.key"));
	ck_assert_int_eq(world_cpis(world, NULL, "witness", "init", "--name", "liars.example/w", "--key", witness, NULL), 0);
	ck_assert_int_eq(ping("nurse"), 0);
	refusal = outcomes[_i];
	liar_tell(liar, refuses_exchange);
	ck_assert_int_eq(ping("nurse"), 0);
	ck_assert_ptr_nonnull(strstr(world_err(world), "WARNING: the audit log was not compared"));
	ck_assert_ptr_nonnull(strstr(world_err(world), "some_reason"));
	ck_assert_int_eq(ping("nurse"), 0);
	ck_assert_str_eq(world_err(world), "");
	ck_assert_int_eq(world_cpis(world, "nurse", "witness", "cosign", "--name", "liars.example/w", "--key", witness, NULL), UNDECIDED);
	ck_assert_ptr_nonnull(strstr(world_err(world), "nothing is cosigned"));
	ck_assert_str_eq(world_out(world), "");
}
END_TEST

static void answers_no_exchange(struct liar *to, struct liar_turn *turn)
{
	if (turn->request->body_case != CPIS__V1__REQUEST__BODY_CHECKPOINT_EXCHANGE)
		liar_says_the_truth(to, turn);
}

START_TEST(an_exchange_that_is_not_answered_keeps_no_question_back)
{
	ck_assert_int_eq(ping("nurse"), 0);
	liar_tell(liar, answers_no_exchange);
	ck_assert_int_eq(world_cpis(world, "nurse", "--timeout", "1000", "ping", NULL), 0);
	ck_assert_ptr_nonnull(strstr(world_err(world), "WARNING: the audit log was not compared"));
	ck_assert_int_eq(ping("nurse"), 0);
	ck_assert_str_eq(world_err(world), "");
}
END_TEST

START_TEST(a_cosignature_that_the_broker_does_not_take_is_told_of)
{
	char witness[256];
	snprintf(witness, sizeof witness, "%s", world_path(world, "witness.key"));
	ck_assert_int_eq(world_cpis(world, NULL, "witness", "init", "--name", "liars.example/w", "--key", witness, NULL), 0);
	liar_tell(liar, takes_none);
	ck_assert_int_eq(world_cpis(world, "nurse", "witness", "cosign", "--name", "liars.example/w", "--key", witness, NULL), UNDECIDED);
	ck_assert_ptr_nonnull(strstr(world_out(world), " liars.example/w "));
	ck_assert_ptr_nonnull(strstr(world_err(world), "cosignature_invalid"));
}
END_TEST

START_TEST(evidence_is_never_overwritten_and_its_absence_is_said)
{
	bool compared;
	show_two_logs(3, 2);
	assert_fork_found(hands_out);
	world_write_file(evidence(state), "mine\n");
	ck_assert_int_eq(cpis_exchange_checkpoints(client, NULL, WORLD_CALL_MS, &compared), CPIS_LOG_FORKED);
	char *kept = world_read_file(evidence(state), NULL);
	ck_assert_str_eq(kept, "mine\n");
	free(kept);
	// Without a checkpoint_file there is no place for it.
	cpis_close(client);
	client = connect_with(NULL);
	ck_assert_int_eq(cpis_exchange_checkpoints(client, NULL, WORLD_CALL_MS, &compared), CPIS_LOG_FORKED);
	ck_assert_ptr_nonnull(strstr(cpis_detail(client), "nothing is kept"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("gossip");
	TCase *tests = tcase_create("gossip"), *lies = tcase_create("lies");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, checkpoints_are_exchanged_once_an_hour_and_all_is_well);
	tcase_add_test(tests, a_broker_put_back_to_a_copy_is_found_by_one_who_only_knows_the_copy);
	tcase_add_test(tests, what_one_holds_is_printed_and_compared_with_others);
	tcase_add_test(tests, what_cannot_be_compared_is_said);
	suite_add_tcase(suite, tests);
	tcase_set_timeout(lies, 120);
	tcase_add_checked_fixture(lies, setup_liar, teardown_liar);
	tcase_add_test(lies, one_of_the_same_size_with_another_root_proves_it_to_anybody);
	tcase_add_test(lies, one_that_is_larger_than_the_log_is_of_another);
	tcase_add_test(lies, one_that_is_smaller_needs_a_proof_that_holds);
	tcase_add_test(lies, no_proof_is_as_bad_as_a_false_one);
	tcase_add_test(lies, a_broker_that_cannot_prove_it_now_is_asked_again_and_nothing_is_taken_over);
	tcase_add_loop_test(lies, a_refusal_that_says_nothing_of_the_log_accuses_nobody, 0, 7);
	tcase_add_test(lies, a_broker_one_version_back_is_left_alone_for_an_hour);
	tcase_add_test(lies, what_is_no_checkpoint_of_this_log_is_an_error_and_no_evidence);
	tcase_add_loop_test(lies, never_having_compared_is_said_and_cosigned_by_nobody, 0, 2);
	tcase_add_test(lies, an_exchange_that_is_not_answered_keeps_no_question_back);
	tcase_add_test(lies, a_cosignature_that_the_broker_does_not_take_is_told_of);
	tcase_add_test(lies, evidence_is_never_overwritten_and_its_absence_is_said);
	suite_add_tcase(suite, lies);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
