// Scenarios of enrolment: an invitation, the key that comes with its code, the certificate that is handed out; and every way in which
// that is refused or goes wrong.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/enrolments.h"
#include "tests/harness/suite.h"
#include "tests/scenario/enrolling.h"

START_TEST(an_invited_system_waits_and_is_given_the_certificate_of_its_key)
{
	invite_newcomer();
	const struct stage_reply *waiting = enrol(STAGE_NEWCOMER);
	expect_state(waiting, WAITING);
	ck_assert_str_eq(waiting->reply->enrol->fingerprint, fingerprint_of(STAGE_NEWCOMER));
	ck_assert_uint_eq(waiting->reply->enrol->until_ms, stage->now_ms + STAGE_DAY_MS);
	ck_assert_uint_eq(waiting->reply->enrol->certificate.len, 0);
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
	stage_enrol_newcomer(stage);
	const struct stage_reply *issued = enrol(STAGE_NEWCOMER);
	expect_state(issued, ISSUED);
	uint8_t *der = NULL;
	size_t der_bytes = 0;
	ck_assert_int_eq(certificate_file_to_der(stage->system_files[STAGE_NEWCOMER], &der, &der_bytes), CERTS_OK);
	ck_assert_uint_eq(issued->reply->enrol->certificate.len, der_bytes);
	ck_assert_mem_eq(issued->reply->enrol->certificate.data, der, der_bytes);
	free(der);
	// An answer that was lost is given again.
	expect_state(enrol(STAGE_NEWCOMER), ISSUED);
	stage_expect_ok(stage_ping(stage, STAGE_NEWCOMER));
}
END_TEST

START_TEST(the_list_shows_whom_to_compare_and_what_became_of_them)
{
	const struct stage_reply *invited = invite_newcomer();
	const struct stage_reply *got = list(REGISTRAR);
	stage_expect_ok(got);
	ck_assert_uint_eq(got->reply->enrol_list->n_enrolments, 1);
	const Cpis__V1__Enrolment *shown = got->reply->enrol_list->enrolments[0];
	ck_assert_str_eq(shown->organisation, "RXH");
	ck_assert_str_eq(shown->system_name, "newcomer");
	char registrar[32];
	snprintf(registrar, sizeof registrar, "Person %d", REGISTRAR + 1);
	ck_assert_str_eq(shown->invited_by, registrar);
	ck_assert_int_eq(shown->state, INVITED);
	ck_assert_uint_eq(shown->invited_ms, stage->now_ms);
	ck_assert_uint_eq(shown->audit_index, invited->reply->receipt->index);
	ck_assert_uint_eq(shown->public_key.len, 0);
	stage->now_ms += STAGE_MINUTE_MS;
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
	shown = list(REGISTRAR)->reply->enrol_list->enrolments[0];
	ck_assert_int_eq(shown->state, WAITING);
	ck_assert_uint_eq(shown->presented_ms, stage->now_ms);
	ck_assert_str_eq(shown->fingerprint, fingerprint_of(STAGE_NEWCOMER));
	ck_assert_mem_eq(shown->public_key.data, stage->keys[STAGE_NEWCOMER].public_key, KEY_BYTES);
	stage_enrol_newcomer(stage);
	ck_assert_int_eq(list(REGISTRAR)->reply->enrol_list->enrolments[0]->state, ISSUED);
	stage->now_ms += STAGE_DAY_MS;
	stage_sign_in(stage, REGISTRAR);
	ck_assert_uint_eq(list(REGISTRAR)->reply->enrol_list->n_enrolments, 0);
}
END_TEST

START_TEST(it_outlives_a_restart_between_any_two_steps)
{
	invite_newcomer();
	stage_restart(stage);
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
	stage_restart(stage);
	expect_refused(enrol(STAGE_STRANGER), "The code was used with another key.");
	stage_enrol_newcomer(stage);
	stage_restart(stage);
	expect_state(enrol(STAGE_NEWCOMER), ISSUED);
	stage_expect_ok(withdraw(REGISTRAR, "RXH", "newcomer"));
	stage_restart(stage);
	expect_refused(enrol(STAGE_NEWCOMER), "The invitation was withdrawn.");
}
END_TEST

START_TEST(the_record_says_who_was_invited_and_which_key_came)
{
	const Cpis__V1__AuditDetail *detail = detail_of(invite_newcomer());
	ck_assert_str_eq(detail->target, "RXH/newcomer");
	ck_assert_str_eq(detail->uid, stage_uid(REGISTRAR));
	ck_assert_str_eq(detail->reason, WHY);
	ck_assert_uint_eq(detail->act_signature.len, ED25519_SIGNATURE_BYTES);
	const struct stage_reply *came = enrol(STAGE_NEWCOMER);
	char target[100] = "RXH/newcomer ";
	strcat(target, fingerprint_of(STAGE_NEWCOMER));
	ck_assert_str_eq(detail_of(came)->target, target);
	ck_assert_str_eq(detail_of(came)->uid, "");
	// What it calls itself is not proven.
	ck_assert_str_eq(came->record->organisation, "");
	ck_assert_str_eq(came->record->system_name, "");
	ck_assert_int_eq(came->record->operation, CPIS__V1__OPERATION__ENROL);
}
END_TEST

// ------------------------------------------------------------------ refusals of a new system

START_TEST(all_refusals_of_a_code_look_the_same_and_the_record_tells_them_apart)
{
	static const struct {
		const char *organisation, *name;
	} others[] = {{"RXJ", "newcomer"}, {"RXH", "newcomer2"}, {"RXH", "hospital"}};
	expect_refused(enrol(STAGE_NEWCOMER), "There is no invitation with this code.");
	invite_newcomer();
	const struct stage_reply *first = ask_there(STAGE_STRANGER, enrol_request(other_code, "RXH", "newcomer"));
	expect_refused(first, "There is no invitation with this code.");
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		const struct stage_reply *got =
			ask_there(STAGE_STRANGER, enrol_request(code, others[i].organisation, others[i].name));
		expect_refused(got, "The invitation is for another organisation or name.");
		ck_assert_str_eq(got->reply->reason, first->reply->reason);
	}
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
	const struct stage_reply *used = enrol(STAGE_STRANGER);
	expect_refused(used, "The code was used with another key.");
	ck_assert_str_eq(used->reply->reason, first->reply->reason);
	stage_expect_ok(withdraw(REGISTRAR, "RXH", "newcomer"));
	expect_refused(enrol(STAGE_NEWCOMER), "The invitation was withdrawn.");
}
END_TEST

START_TEST(an_invitation_ends_at_its_time_and_a_key_that_waits_ends_with_it)
{
	invite_newcomer();
	stage->now_ms += STAGE_DAY_MS - 1;
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
	stage->now_ms += 1;
	stage_sign_in(stage, REVIEWER);
	expect_refused(enrol(STAGE_NEWCOMER), "The invitation has ended.");
	stage_enrol_newcomer(stage);
	expect_refused(enrol(STAGE_NEWCOMER), "The invitation has ended.");
}
END_TEST

START_TEST(an_invitation_again_replaces_code_and_key)
{
	invite_newcomer();
	expect_state(enrol(STAGE_STRANGER), WAITING);
	const struct stage_reply *again = invite(REGISTRAR, other_code, "RXH", "newcomer");
	stage_expect_ok(again);
	ck_assert(again->reply->enrol_invite->replaced);
	expect_refused(enrol(STAGE_STRANGER), "There is no invitation with this code.");
	expect_state(ask_there(STAGE_NEWCOMER, enrol_request(other_code, "RXH", "newcomer")), WAITING);
	ck_assert_uint_eq(list(REGISTRAR)->reply->enrol_list->n_enrolments, 1);
	// The key is free for another invitation.
	stage_expect_ok(invite(REGISTRAR, code, "RXH", "second"));
	expect_state(ask_there(STAGE_STRANGER, enrol_request(code, "RXH", "second")), WAITING);
}
END_TEST

START_TEST(one_key_is_good_for_one_invitation)
{
	invite_newcomer();
	stage_expect_ok(invite(REGISTRAR, other_code, "RXH", "second"));
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
	expect_refused(ask_there(STAGE_NEWCOMER, enrol_request(other_code, "RXH", "second")),
		       "The key was presented with another invitation.");
}
END_TEST

START_TEST(a_key_that_is_enrolled_for_somebody_else_is_refused)
{
	invite_newcomer();
	expect_refused(enrol(STAGE_HOSPITAL), "The key is enrolled for another organisation or name.");
	expect_refused(enrol(STAGE_LEEDS), "The key is enrolled for another organisation or name.");
	// The invitation is not used up by that.
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
}
END_TEST

START_TEST(a_key_whose_certificate_was_revoked_is_refused)
{
	invite_newcomer();
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
	stage_enrol_newcomer(stage);
	expect_state(enrol(STAGE_NEWCOMER), ISSUED);
	stage_revoke_system(stage, STAGE_NEWCOMER);
	expect_refused(enrol(STAGE_NEWCOMER), "The key has a certificate that does not hold: expired, revoked or not the only one.");
	ck_assert_int_eq(list(REGISTRAR)->reply->enrol_list->enrolments[0]->state, WAITING);
}
END_TEST

START_TEST(nothing_is_handed_out_by_lists_that_are_out_of_date)
{
	invite_newcomer();
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
	stage_enrol_newcomer(stage);
	stage->now_ms = STAGE_LISTS_END_MS - 2;
	stage_sign_in(stage, NATIONAL_REGISTRAR);
	stage_expect_ok(stage_act(stage, NATIONAL_REGISTRAR, NATIONAL_REGISTRAR, stage->now_ms,
				  invite_request(code, "RXH", "newcomer", stage->now_ms + STAGE_DAY_MS)));
	expect_state(enrol(STAGE_NEWCOMER), ISSUED);
	stage->now_ms = STAGE_LISTS_END_MS;
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
}
END_TEST

static void quarantine(Cpis__V1__QuarantineKind kind, const char *target)
{
	Cpis__V1__QuarantineSetRequest set = CPIS__V1__QUARANTINE_SET_REQUEST__INIT;
	Cpis__V1__Request ask = CPIS__V1__REQUEST__INIT;
	set.kind = kind;
	set.target = text(target);
	set.reason = text("key found on a stolen laptop");
	ask.body_case = CPIS__V1__REQUEST__BODY_QUARANTINE_SET;
	ask.quarantine_set = &set;
	stage_expect_ok(stage_act(stage, NATIONAL_REGISTRAR, NATIONAL_REGISTRAR, stage->now_ms, &ask));
}

START_TEST(whoever_is_quarantined_does_not_enrol)
{
	static const char held[] = "The organisation, the system or its certificate is quarantined.";
	struct certificate_description description;
	char detail[CERTS_DETAIL_BYTES], serial[2 * SERIAL_BYTES_MAX + 1];
	invite_newcomer();
	stage_expect_ok(invite(NATIONAL_REGISTRAR, other_code, "383", "second"));
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
	stage_enrol_newcomer(stage);
	ck_assert_int_eq(certificate_describe_file(stage->system_files[STAGE_NEWCOMER], &description, detail), CERTS_OK);
	certificate_serial_format(&description.serial, serial);
	quarantine(CPIS__V1__QUARANTINE_KIND__CERTIFICATE, serial);
	expect_refused(enrol(STAGE_NEWCOMER), held);
	quarantine(CPIS__V1__QUARANTINE_KIND__ORGANISATION, "383");
	expect_refused(ask_there(STAGE_STRANGER, enrol_request(other_code, "383", "second")), held);
	static const uint8_t third_code[ENROLMENT_CODE_BYTES] = {7};
	stage_expect_ok(invite(REGISTRAR, third_code, "RXH", "third"));
	quarantine(CPIS__V1__QUARANTINE_KIND__SYSTEM, "RXH/third");
	expect_refused(ask_there(STAGE_STRANGER, enrol_request(third_code, "RXH", "third")), held);
}
END_TEST

// ------------------------------------------------------------------ bounds and failures

START_TEST(what_could_not_be_committed_did_not_happen_and_what_was_did)
{
	stage->fault.commit = FAULT_COMMIT_FAILS;
	stage_expect(invite(REGISTRAR, code, "RXH", "newcomer"), SERVICE_UNAVAILABLE, "store_unavailable");
	fault_store_mend(&stage->fault);
	expect_refused(enrol(STAGE_NEWCOMER), "There is no invitation with this code.");
	stage->fault.commit = FAULT_COMMIT_LIES;
	stage_expect(invite(REGISTRAR, code, "RXH", "newcomer"), SERVICE_UNAVAILABLE, "store_unavailable");
	fault_store_mend(&stage->fault);
	stage->fault.commit = FAULT_COMMIT_FAILS;
	stage_expect(enrol(STAGE_STRANGER), SERVICE_UNAVAILABLE, "store_unavailable");
	fault_store_mend(&stage->fault);
	// The stranger's key was not kept.
	stage->fault.commit = FAULT_COMMIT_LIES;
	stage_expect(enrol(STAGE_NEWCOMER), SERVICE_UNAVAILABLE, "store_unavailable");
	fault_store_mend(&stage->fault);
	expect_refused(enrol(STAGE_STRANGER), "The code was used with another key.");
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
	stage->fault.commit = FAULT_COMMIT_FAILS;
	stage_expect(withdraw(REGISTRAR, "RXH", "newcomer"), SERVICE_UNAVAILABLE, "store_unavailable");
	fault_store_mend(&stage->fault);
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
}
END_TEST

START_TEST(a_store_that_fails_at_any_call_refuses_and_keeps_nothing)
{
	uint64_t n = 1;
	invite_newcomer();
	for (;; n++) {
		fault_store_mend(&stage->fault);
		stage->fault.fail_at = n;
		const struct stage_reply *got = enrol(n % 2 == 0 ? STAGE_STRANGER : STAGE_NEWCOMER);
		if (got->reply->outcome == CPIS__V1__OUTCOME__OK)
			break;
		stage_expect(got, SERVICE_UNAVAILABLE, "store_unavailable");
		fault_store_mend(&stage->fault);
		ck_assert_int_eq(list(REGISTRAR)->reply->enrol_list->enrolments[0]->state, INVITED);
	}
	// begin, expire, put, record, checkpoint, commit
	ck_assert_uint_gt(n, 5);
	fault_store_mend(&stage->fault);
	ck_assert(stage_log_verifies(stage));
}
END_TEST

START_TEST(both_steps_may_come_in_one_batch)
{
	invite_newcomer();
	stage->enrolling = true;
	ck_assert(stage_submit(stage, STAGE_NEWCOMER, enrol_request(code, "RXH", "newcomer")));
	ck_assert(stage_submit(stage, STAGE_STRANGER, enrol_request(code, "RXH", "newcomer")));
	stage->enrolling = false;
	cpis__v1__enrol_list_request__init(&list_body);
	cpis__v1__request__init(&request);
	request.body_case = CPIS__V1__REQUEST__BODY_ENROL_LIST;
	request.enrol_list = &list_body;
	ck_assert(stage_submit_as(stage, REGISTRAR, &request));
	ck_assert(stage_flush(stage));
	expect_state(stage->batch[0], WAITING);
	stage_expect(stage->batch[1], ASID_CHECK_FAILED, "enrolment_code");
	ck_assert_str_eq(stage->batch[2]->reply->enrol_list->enrolments[0]->fingerprint, fingerprint_of(STAGE_NEWCOMER));
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_test(tests, an_invited_system_waits_and_is_given_the_certificate_of_its_key);
	tcase_add_test(tests, the_list_shows_whom_to_compare_and_what_became_of_them);
	tcase_add_test(tests, it_outlives_a_restart_between_any_two_steps);
	tcase_add_test(tests, the_record_says_who_was_invited_and_which_key_came);
	tcase_add_test(tests, all_refusals_of_a_code_look_the_same_and_the_record_tells_them_apart);
	tcase_add_test(tests, an_invitation_ends_at_its_time_and_a_key_that_waits_ends_with_it);
	tcase_add_test(tests, an_invitation_again_replaces_code_and_key);
	tcase_add_test(tests, one_key_is_good_for_one_invitation);
	tcase_add_test(tests, a_key_that_is_enrolled_for_somebody_else_is_refused);
	tcase_add_test(tests, a_key_whose_certificate_was_revoked_is_refused);
	tcase_add_test(tests, nothing_is_handed_out_by_lists_that_are_out_of_date);
	tcase_add_test(tests, whoever_is_quarantined_does_not_enrol);
	tcase_add_test(tests, what_could_not_be_committed_did_not_happen_and_what_was_did);
	tcase_add_test(tests, a_store_that_fails_at_any_call_refuses_and_keeps_nothing);
	tcase_add_test(tests, both_steps_may_come_in_one_batch);
}

int main(void)
{
	return suite_run_group("enrolment", raise_curtain, drop_curtain, 120, add);
}
