// A system's key and certificate are renewed, and then the authorities themselves are changed, while the hospital works on: the
// old and the new one hold side by side, and no request in between is missed.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <check.h>

#include "tests/harness/channel.h"
#include "tests/harness/world.h"

#define WAIT_MS 20000u

static struct world *world;
static unsigned answered;

static void setup(void)
{
	world = world_new();
	world_start(world);
	answered = 0;
}

static void teardown(void)
{
	ck_assert_int_eq(world_stop(world), 0);
	world_free(world);
}

static void works(struct channel *channel)
{
	struct channel_reply *reply = channel_ping(channel);
	ck_assert_int_eq(reply->reply->outcome, CPIS__V1__OUTCOME__OK);
	channel_reply_free(reply);
	answered++;
}

// A connection with this key, as soon as the broker admits it; `working` (may be NULL) is used all the while.
static struct channel *admitted(const char *key, struct channel *working)
{
	uint64_t end_ms = world_monotonic_ms() + WAIT_MS;
	for (;;) {
		struct channel *channel = channel_open(world, key);
		if (channel_admitted(channel))
			return channel;
		channel_close(channel);
		ck_assert_msg(world_monotonic_ms() < end_ms, "the new key was never admitted");
		if (working != NULL)
			works(working);
	}
}

// Until the broker does not answer it any more; `working` is used all the while.
static void refused_soon(struct channel *channel, const char *reason_code, struct channel *working)
{
	uint64_t end_ms = world_monotonic_ms() + WAIT_MS;
	for (;;) {
		struct channel_reply *reply = channel_ping(channel);
		bool refused = strcmp(reply->reply->reason_code, reason_code) == 0;
		ck_assert_msg(refused || reply->reply->outcome == CPIS__V1__OUTCOME__OK, "%s", reply->reply->reason_code);
		channel_reply_free(reply);
		works(working);
		if (refused)
			return;
		ck_assert_msg(world_monotonic_ms() < end_ms, "it is still answered");
	}
}

// A key made where it is used, and a certificate for it from `authority`, put where the broker looks.
static const char *renew(const char *file, const char *authority)
{
	char fingerprint[40] = "", public_key[256];
	const char *out = world_path(world, "renewed");
	ck_assert_int_eq(world_cpis(world, NULL, "certs", "request-system", "--out", out, "--file", file, NULL), 0);
	ck_assert_int_eq(sscanf(strstr(world_out(world), "fingerprint "), "fingerprint %39s", fingerprint), 1);
	snprintf(public_key, sizeof public_key, "%s/%s.pub", out, file);
	ck_assert_int_eq(world_cpis(world, NULL, "certs", "issue-system", "--dir", world_path(world, "%s", authority), "--ods", "RXH",
				    "--name", "hospital-record-system", "--public-key", public_key, "--fingerprint", fingerprint,
				    "--out", out, "--file", file, NULL),
			 0);
	return world_path(world, "renewed/%s.key", file);
}

START_TEST(a_system_is_renewed_without_a_missed_request)
{
	struct channel *old = channel_open(world, world_path(world, "systems/hospital.key"));
	works(old);
	char key[256];
	snprintf(key, sizeof key, "%s", renew("hospital-2", "authority"));
	struct channel *fresh = admitted(key, old);
	for (int i = 0; i < 20; i++) {
		works(old);
		works(fresh);
	}
	world_revoke(world, world_path(world, "systems/hospital.pem"));
	refused_soon(old, "system_revoked", fresh);
	for (int i = 0; i < 20; i++)
		works(fresh);
	printf("%u requests, none missed\n", answered);
	channel_close(old);
	channel_close(fresh);
}
END_TEST

static void copy_into(const char *from, const char *directory)
{
	const char *arguments[] = {"cp", from, directory, NULL};
	ck_assert_int_eq(world_command(world, arguments), 0);
}

START_TEST(the_authorities_are_changed_without_a_missed_request)
{
	struct channel *old = channel_open(world, world_path(world, "systems/hospital.key"));
	char bundle[256], key[256];
	snprintf(bundle, sizeof bundle, "%s", world_path(world, "authority/trust"));
	works(old);
	// A new authority; the broker's bundle takes it in.
	ck_assert_int_eq(world_cpis(world, NULL, "certs", "init", "--dir", world_path(world, "authority-2"), "--broker-name",
				    "unused", NULL),
			 0);
	long mark = world_log_mark(world);
	ck_assert_int_eq(world_cpis(world, NULL, "certs", "adopt", "--trust", bundle, world_path(world, "authority-2/trust"), NULL), 0);
	world_wait_log(world, mark, "register_loaded");
	works(old);
	snprintf(key, sizeof key, "%s", renew("hospital-2", "authority-2"));
	copy_into(world_path(world, "renewed/hospital-2.pem"), world_path(world, "authority/enrolled"));
	struct channel *fresh = admitted(key, old);
	for (int i = 0; i < 20; i++) {
		works(old);
		works(fresh);
	}
	// The nurse's certificate is of the old authority, and still holds.
	struct channel_reply *session = channel_open_session(world, fresh, "nurse");
	ck_assert_int_eq(session->reply->outcome, CPIS__V1__OUTCOME__OK);
	channel_reply_free(session);
	ck_assert_int_eq(world_cpis(world, NULL, "certs", "finish-rotation", "--trust", bundle, NULL), 0);
	refused_soon(old, "system_unknown", fresh);
	works(fresh);
	session = channel_open_session(world, fresh, "nurse");
	ck_assert_str_eq(session->reply->reason_code, "staff_certificate");
	channel_reply_free(session);
	printf("%u requests, none missed\n", answered);
	channel_close(old);
	channel_close(fresh);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("renewal");
	TCase *tests = tcase_create("renewal");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_system_is_renewed_without_a_missed_request);
	tcase_add_test(tests, the_authorities_are_changed_without_a_missed_request);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
