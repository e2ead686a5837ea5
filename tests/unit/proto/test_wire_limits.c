// The limits of requests about children, of those of inboxes, and of the message as a whole.
#include <stdio.h>
#include <string.h>

#include "tests/harness/suite.h"
#include "tests/unit/proto/asked.h"

static char nhs_number[] = "9990000018";

// A wrong number has its own outcome, so the codec only wants one to be there.
START_TEST(needs_an_nhs_number_in_flag_and_details_and_leaves_its_check_to_others)
{
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	char wrong[] = "9990000019";
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &flag;
	expect(WIRE_MISSING, "flag.nhs_number");
	flag.nhs_number = wrong;
	expect(WIRE_OK, "");
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	expect(WIRE_MISSING, "details.nhs_number");
	details.nhs_number = wrong;
	expect(WIRE_OK, "");
}
END_TEST

static Cpis__V1__PublishRequest publish;
static Cpis__V1__PlanRecord record;
static Cpis__V1__PlanRecord *records[PUBLISH_RECORDS_MAX + 1];
static char authority[] = "383";

static void ask_publish(void)
{
	cpis__v1__publish_request__init(&publish);
	cpis__v1__plan_record__init(&record);
	record.nhs_number = nhs_number;
	for (size_t i = 0; i < sizeof records / sizeof records[0]; i++)
		records[i] = &record;
	publish.authority = authority;
	publish.records = records;
	publish.n_records = 1;
	request.body_case = CPIS__V1__REQUEST__BODY_PUBLISH;
	request.publish = &publish;
}

START_TEST(publishes_1_to_200_records)
{
	ask_publish();
	publish.n_records = 0;
	expect(WIRE_MISSING, "publish.records");
	publish.n_records = 1;
	expect(WIRE_OK, "");
	publish.n_records = 200;
	expect(WIRE_OK, "");
	publish.n_records = 201;
	expect(WIRE_TOO_MANY, "publish.records");
}
END_TEST

START_TEST(publishes_for_an_ods_code)
{
	static const struct {
		const char *text;
		enum wire_status status;
	} codes[] = {{"", WIRE_MISSING},       {"38", WIRE_BAD_VALUE},  {"383", WIRE_OK},
		     {"ABCDEFGHIJ12", WIRE_OK}, {"ABCDEFGHIJ123", WIRE_BAD_VALUE}, {"rxh", WIRE_BAD_VALUE},
		     {"38 3", WIRE_BAD_VALUE}};
	ask_publish();
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
		char text[16];
		snprintf(text, sizeof text, "%s", codes[i].text);
		publish.authority = text;
		expect(codes[i].status, codes[i].status == WIRE_OK ? "" : "publish.authority");
	}
}
END_TEST

START_TEST(needs_the_emergency_telephone_and_takes_an_office_one)
{
	char shortest[] = "999", too_short[] = "99", longest[] = "01134960000123456789";
	char too_long[] = "011349600001234567890", words[] = "ring the office";
	Cpis__V1__ContactsSetRequest contacts = CPIS__V1__CONTACTS_SET_REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_CONTACTS_SET;
	request.contacts_set = &contacts;
	contacts.emergency_duty_telephone = NULL;
	expect(WIRE_MISSING, "contacts_set.emergency_duty_telephone");
	contacts.emergency_duty_telephone = too_short;
	expect(WIRE_BAD_VALUE, "contacts_set.emergency_duty_telephone");
	contacts.emergency_duty_telephone = too_long;
	expect(WIRE_BAD_VALUE, "contacts_set.emergency_duty_telephone");
	contacts.emergency_duty_telephone = words;
	expect(WIRE_BAD_VALUE, "contacts_set.emergency_duty_telephone");
	contacts.emergency_duty_telephone = longest;
	expect(WIRE_OK, "");
	contacts.emergency_duty_telephone = shortest;
	expect(WIRE_OK, "");
	contacts.office_hours_telephone = too_short;
	expect(WIRE_BAD_VALUE, "contacts_set.office_hours_telephone");
	contacts.office_hours_telephone = too_long;
	expect(WIRE_BAD_VALUE, "contacts_set.office_hours_telephone");
	contacts.office_hours_telephone = longest;
	expect(WIRE_OK, "");
}
END_TEST

START_TEST(shows_one_authoritys_contacts_or_those_of_all)
{
	char code[] = "383", bad[] = "38";
	Cpis__V1__ContactsShowRequest show = CPIS__V1__CONTACTS_SHOW_REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_CONTACTS_SHOW;
	request.contacts_show = &show;
	expect(WIRE_OK, "");
	show.authority = code;
	expect(WIRE_OK, "");
	show.every_organisation = true;
	expect(WIRE_BAD_VALUE, "contacts_show.authority");
	show.authority = NULL;
	expect(WIRE_OK, "");
	show.after = code;
	expect(WIRE_OK, "");
	show.after = bad;
	expect(WIRE_BAD_VALUE, "contacts_show.after");
	show.after = code;
	show.every_organisation = false;
	expect(WIRE_BAD_VALUE, "contacts_show.after");
}
END_TEST

START_TEST(extracts_for_one_to_twelve_people_with_a_reason_in_words)
{
	char uid[] = "555000000001", bad[] = "55500000000", reason[] = "ten bytes.", *recipients[EXTRACT_RECIPIENTS_MAX + 1];
	uint8_t cursor[EXTRACT_CURSOR_BYTES_MAX + 1] = {0};
	Cpis__V1__ExtractReadRequest extract = CPIS__V1__EXTRACT_READ_REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_EXTRACT_READ;
	request.extract_read = &extract;
	for (size_t i = 0; i <= EXTRACT_RECIPIENTS_MAX; i++)
		recipients[i] = uid;
	extract.recipients = recipients;
	extract.n_recipients = 1;
	expect(WIRE_MISSING, "extract_read.reason");
	extract.reason = reason;
	expect(WIRE_OK, "");
	extract.n_recipients = 0;
	expect(WIRE_MISSING, "extract_read.recipients");
	extract.n_recipients = EXTRACT_RECIPIENTS_MAX;
	expect(WIRE_OK, "");
	extract.n_recipients = EXTRACT_RECIPIENTS_MAX + 1;
	expect(WIRE_TOO_MANY, "extract_read.recipients");
	extract.n_recipients = 2;
	recipients[1] = bad;
	expect(WIRE_BAD_VALUE, "extract_read.recipients");
	extract.n_recipients = 1;
	extract.after = (ProtobufCBinaryData){EXTRACT_CURSOR_BYTES_MAX, cursor};
	expect(WIRE_OK, "");
	extract.after.len++;
	expect(WIRE_BAD_VALUE, "extract_read.after");
	extract.after.len = 0;
	extract.limit = PAGE_ITEMS_MAX;
	expect(WIRE_OK, "");
	extract.limit++;
	expect(WIRE_BAD_VALUE, "extract_read.limit");
}
END_TEST

START_TEST(takes_local_ids_up_to_40_bytes_in_every_record)
{
	Cpis__V1__PlanRecord last = CPIS__V1__PLAN_RECORD__INIT;
	char local_id[42];
	memset(local_id, 'x', sizeof local_id);
	ask_publish();
	last.local_id = local_id;
	publish.n_records = 3;
	records[2] = &last;
	local_id[40] = '\0';
	expect(WIRE_OK, "");
	local_id[40] = 'x';
	local_id[41] = '\0';
	expect(WIRE_BAD_TEXT, "publish.records.local_id");
}
END_TEST

// Rows are judged one by one by the broker, so that one bad row does not lose the others.
START_TEST(leaves_the_rows_of_a_publication_to_the_broker)
{
	char anything[] = "not a date";
	ask_publish();
	record.nhs_number = NULL;
	record.start_date = anything;
	expect(WIRE_OK, "");
}
END_TEST

START_TEST(lists_up_to_100_inbox_items)
{
	Cpis__V1__InboxListRequest body = CPIS__V1__INBOX_LIST_REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_LIST;
	request.inbox_list = &body;
	expect(WIRE_OK, "");
	body.limit = 100;
	expect(WIRE_OK, "");
	body.limit = 101;
	expect(WIRE_BAD_VALUE, "inbox_list.limit");
	body.limit = 0;
	body.wait_ms = DEADLINE_MS_MAX; // more than is left of this request's deadline: a retry asks for the same
	expect(WIRE_OK, "");
	body.wait_ms = DEADLINE_MS_MAX + 1;
	expect(WIRE_BAD_VALUE, "inbox_list.wait_ms");
}
END_TEST

START_TEST(takes_inbox_items_for_a_second_to_an_hour)
{
	Cpis__V1__InboxTakeRequest body = CPIS__V1__INBOX_TAKE_REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_TAKE;
	request.inbox_take = &body;
	expect(WIRE_MISSING, "inbox_take.lease_ms");
	body.lease_ms = 999;
	expect(WIRE_BAD_VALUE, "inbox_take.lease_ms");
	body.lease_ms = 3600001;
	expect(WIRE_BAD_VALUE, "inbox_take.lease_ms");
	body.lease_ms = 3600000;
	expect(WIRE_OK, "");
	body.lease_ms = 1000;
	expect(WIRE_OK, "");
	body.limit = 101;
	expect(WIRE_BAD_VALUE, "inbox_take.limit");
	body.limit = 100;
	body.wait_ms = DEADLINE_MS_MAX + 1;
	expect(WIRE_BAD_VALUE, "inbox_take.wait_ms");
	body.wait_ms = DEADLINE_MS_MAX;
	expect(WIRE_OK, "");
	body.held_id = 1;
	expect(WIRE_MISSING, "inbox_take.lease");
	body.lease = 1;
	expect(WIRE_OK, "");
	body.held_id = 0;
	expect(WIRE_MISSING, "inbox_take.lease");
}
END_TEST

START_TEST(acknowledges_1_to_100_items)
{
	Cpis__V1__InboxAcknowledgeRequest body = CPIS__V1__INBOX_ACKNOWLEDGE_REQUEST__INIT;
	uint64_t ids[101];
	for (size_t i = 0; i < 101; i++)
		ids[i] = i;
	body.ids = ids;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_ACKNOWLEDGE;
	request.inbox_acknowledge = &body;
	expect(WIRE_MISSING, "inbox_acknowledge.ids");
	body.n_ids = 1;
	expect(WIRE_OK, "");
	body.n_ids = 100;
	expect(WIRE_OK, "");
	body.n_ids = 101;
	expect(WIRE_TOO_MANY, "inbox_acknowledge.ids");
}
END_TEST

START_TEST(takes_a_reason_to_look_of_10_characters_or_none)
{
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	flag.nhs_number = details.nhs_number = (char *)(uintptr_t)"9990000018";
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &flag;
	expect(WIRE_OK, "");
	flag.reason = (char *)(uintptr_t)"too short";
	expect(WIRE_BAD_VALUE, "flag.reason");
	flag.reason = (char *)(uintptr_t)"long enough";
	expect(WIRE_OK, "");
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	expect(WIRE_OK, "");
	details.reason = (char *)(uintptr_t)"too short";
	expect(WIRE_BAD_VALUE, "details.reason");
}
END_TEST

// ------------------------------------------------------------------ size

START_TEST(takes_65503_bytes_and_not_one_more)
{
	char text[TEXT_BYTES_MAX + 1];
	memset(text, 'x', TEXT_BYTES_MAX);
	text[TEXT_BYTES_MAX] = '\0';
	ask_publish();
	publish.n_records = PUBLISH_RECORDS_MAX;
	record.nhs_number = text;
	// The rows get close and the token makes up the rest: 3 bytes of tag and length, 128 to 1,024 of its own.
	for (size_t length = TEXT_BYTES_MAX; length > 0; length--) {
		record.start_date = text + TEXT_BYTES_MAX - length;
		size_t size = protobuf_c_message_get_packed_size(&request.base) + 3;
		if (size + 128 <= MESSAGE_BYTES_MAX && size + SESSION_TOKEN_BYTES_MAX > MESSAGE_BYTES_MAX) {
			request.session_token = data_of(MESSAGE_BYTES_MAX - size);
			break;
		}
	}
	ck_assert_uint_eq(protobuf_c_message_get_packed_size(&request.base), MESSAGE_BYTES_MAX);
	expect(WIRE_OK, "");
	request.session_token.len++;
	struct raw raw = {.count = MESSAGE_BYTES_MAX + 1};
	ck_assert_uint_eq(protobuf_c_message_pack(&request.base, raw.bytes), raw.count);
	ck_assert_int_eq(raw_request(&arena, &raw, &error), WIRE_TOO_LARGE);
	// Not even looked into.
	ck_assert(!error.has_request_id);
	ck_assert_int_eq(raw_unpack(&arena, &cpis__v1__request__descriptor, &raw, &error), WIRE_TOO_LARGE);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_test(tests, needs_an_nhs_number_in_flag_and_details_and_leaves_its_check_to_others);
	tcase_add_test(tests, publishes_1_to_200_records);
	tcase_add_test(tests, publishes_for_an_ods_code);
	tcase_add_test(tests, needs_the_emergency_telephone_and_takes_an_office_one);
	tcase_add_test(tests, takes_local_ids_up_to_40_bytes_in_every_record);
	tcase_add_test(tests, leaves_the_rows_of_a_publication_to_the_broker);
	tcase_add_test(tests, lists_up_to_100_inbox_items);
	tcase_add_test(tests, takes_inbox_items_for_a_second_to_an_hour);
	tcase_add_test(tests, acknowledges_1_to_100_items);
	tcase_add_test(tests, takes_a_reason_to_look_of_10_characters_or_none);
	tcase_add_test(tests, extracts_for_one_to_twelve_people_with_a_reason_in_words);
	tcase_add_test(tests, shows_one_authoritys_contacts_or_those_of_all);
	tcase_add_test(tests, takes_65503_bytes_and_not_one_more);
}

int main(void)
{
	return suite_run_group("wire_limits", asked_setup, asked_teardown, 0, add);
}
