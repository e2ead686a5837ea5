// Random sequences of corrections, files, ends, withdrawals, moves between authorities, ageing and questions, against a plain
// model of what is shown. The broker's own handlers on its own store; the clock is a number. CPIS_TEST_SEED repeats a run.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "broker/child.h"
#include "broker/digest.h"
#include "broker/job.h"
#include "broker/plan_check.h"
#include "broker/publication.h"
#include "broker/visibility.h"
#include "tests/harness/stage.h"

#define SEQUENCES 10000u
#define STEPS 12u
#define AUTHORITIES 2u
#define CHILDREN 3u
#define TYPES 3u
#define NONE INT32_MIN

// What the model knows of one plan. Days, or NONE.
struct fact {
	bool known;
	int32_t start, end, withdrawn, birth, vanished;
};

static struct stage *stage;
static struct fact facts[AUTHORITIES][CHILDREN][TYPES];
static uint32_t sequences[AUTHORITIES];
static struct op_context context;
static struct arena arena;
static struct session session;
static struct wakes wakes;
static Cpis__V1__Reply reply;
static Cpis__V1__AuditDetail audit_detail;
static uint64_t random_state;
static const char *const ods_codes[AUTHORITIES] = {"383", "846"};

static uint32_t pick(uint32_t below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(random_state >> 33) % below;
}

static struct date today(void)
{
	return english_time_of(context.now_ms).date;
}

// ------------------------------------------------------------------ the broker

static void prepare(unsigned authority, Cpis__V1__Request *request)
{
	arena_reset(&arena);
	cpis__v1__reply__init(&reply);
	cpis__v1__audit_detail__init(&audit_detail);
	ck_assert(ods_code_parse(ods_codes[authority], 3, &session.organisation));
	context.request = request;
	context.organisation = register_organisation(stage->snapshot, &session.organisation);
	context.audit_index++;
	context.has_subject = false;
}

static void follow(void)
{
	context.request = NULL;
	for (;;) {
		arena_reset(&arena);
		enum job_result result = job_publication(&context);
		ck_assert_int_ne(result, JOB_FAILED);
		if (result == JOB_IDLE)
			return;
	}
}

// ------------------------------------------------------------------ records

struct record {
	unsigned child, type;
	char text[4][11]; // start, end, delete, birth
	Cpis__V1__PlanRecord wire;
};

static void write_day(int32_t day, char out[11])
{
	out[0] = '\0';
	if (day != NONE)
		date_format((struct date){day}, out);
}

// Dates near where rules change: today, 12 months, 365 days, 18 years.
static int32_t near(int32_t day)
{
	return day + (int32_t)pick(7) - 3;
}

static void make_record(unsigned child, unsigned type, struct record *record)
{
	int32_t now = today().day, year = now - 365, birth18 = date_add_months(today(), -216).day;
	int32_t births[] = {near(birth18), now - 4000, now - 9000, near(birth18) + 200};
	int32_t starts[] = {near(now), near(year), now - 1000, now - 100, now + 200};
	int32_t ends[] = {NONE, NONE, NONE, near(now), near(year), near(date_add_months(today(), -12).day), now + 100, now - 50};
	record->child = child;
	record->type = type;
	write_day(starts[pick(5)], record->text[0]);
	write_day(ends[pick(8)], record->text[1]);
	write_day(pick(6) == 0 ? now - (int32_t)pick(3) : NONE, record->text[2]);
	write_day(births[pick(4)], record->text[3]);
	cpis__v1__plan_record__init(&record->wire);
	record->wire.nhs_number = (char *)(uintptr_t)stage_child(child);
	record->wire.type = (Cpis__V1__PlanType)(type + 1);
	record->wire.start_date = record->text[0];
	record->wire.end_date = record->text[1];
	record->wire.delete_date = record->text[2];
	record->wire.birth_date = record->text[3];
	record->wire.family_name = (char *)(uintptr_t)"EXAMPLE";
	record->wire.given_names = (char *)(uintptr_t)(pick(20) == 0 ? "" : "ALEX");
	record->wire.row = 1;
}

// ------------------------------------------------------------------ the model

static int32_t day_of(const char *text)
{
	struct date date;
	return date_parse(text, strlen(text), &date) ? date.day : NONE;
}

static bool accepted(const struct fact *fact, const struct record *record)
{
	struct nhs_number number;
	int32_t end = day_of(record->text[1]);
	int32_t held_end = fact->vanished != NONE ? fact->vanished : fact->end;
	if (plan_check(&record->wire, today(), &number).field != NULL)
		return false;
	if (record->text[2][0] != '\0')
		return fact->known;
	return end == NONE || end >= today().day - 365 || (fact->known && held_end == end);
}

static void store(struct fact *fact, const struct record *record)
{
	*fact = (struct fact){true, day_of(record->text[0]), day_of(record->text[1]), day_of(record->text[2]),
			      day_of(record->text[3]), NONE};
}

static bool is_open(const struct fact *fact)
{
	return fact->known && fact->end == NONE && fact->withdrawn == NONE && fact->vanished == NONE;
}

static bool same(const struct fact *fact, const struct record *record)
{
	int32_t end = fact->vanished != NONE ? fact->vanished : fact->end;
	return fact->known && fact->start == day_of(record->text[0]) && end == day_of(record->text[1]) &&
	       fact->withdrawn == day_of(record->text[2]) && fact->birth == day_of(record->text[3]);
}

// What is shown of it, and until when.
static Cpis__V1__PlanStatus shown(const struct fact *fact, unsigned type, int32_t *ret_end)
{
	int32_t now = today().day, end = fact->end == NONE ? fact->vanished : fact->end;
	int32_t adult = visibility_birthday((struct date){fact->birth}, 18).day;
	if (!fact->known || fact->withdrawn != NONE || fact->start > now)
		return 0;
	if (type != 2 && (end == NONE || adult < end))
		end = adult;
	*ret_end = end;
	if (end == NONE || (end > now && end >= fact->start))
		return CPIS__V1__PLAN_STATUS__CURRENT;
	if (end < fact->start || now > date_add_months((struct date){end}, 12).day)
		return 0;
	return CPIS__V1__PLAN_STATUS__ENDED;
}

// ------------------------------------------------------------------ steps

static void correct(void)
{
	struct record record;
	unsigned authority = pick(AUTHORITIES), child = pick(CHILDREN), type = pick(TYPES);
	Cpis__V1__PublishRequest publish = CPIS__V1__PUBLISH_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	Cpis__V1__PlanRecord *records[] = {&record.wire};
	struct fact *fact = &facts[authority][child][type];
	make_record(child, type, &record);
	publish.authority = (char *)(uintptr_t)ods_codes[authority];
	publish.n_records = 1;
	publish.records = records;
	request.publish = &publish;
	prepare(authority, &request);
	ck_assert_int_eq(op_publish(&context), REASON_NONE);
	bool good = accepted(fact, &record);
	ck_assert_int_eq(reply.publish->stored, good);
	if (good)
		store(fact, &record);
}

struct file {
	unsigned authority;
	bool full;
	struct record records[CHILDREN * TYPES];
	Cpis__V1__PlanRecord *wire[CHILDREN * TYPES];
	uint32_t count;
	uint8_t id[PUBLICATION_ID_BYTES], digest[HASH_BYTES];
};

static void make_file(struct file *file)
{
	uint8_t link[HASH_BYTES + 512];
	memset(file, 0, sizeof *file);
	file->authority = pick(AUTHORITIES);
	file->full = pick(2) == 0;
	for (unsigned i = 0; i < CHILDREN * TYPES; i++) {
		if (pick(3) == 0 || (i + 1 == CHILDREN * TYPES && file->count == 0))
			make_record(i / TYPES, i % TYPES, &file->records[file->count++]);
	}
	for (uint32_t i = 0; i < file->count; i++) {
		file->wire[i] = &file->records[i].wire;
		memcpy(link, file->digest, HASH_BYTES);
		size_t bytes = cpis__v1__plan_record__pack(file->wire[i], link + HASH_BYTES);
		digest_sha256(link, HASH_BYTES + bytes, file->digest);
	}
	memset(file->id, (int)sequences[file->authority] + 1, sizeof file->id);
}

static void open_file(struct file *file)
{
	Cpis__V1__PublicationOpenRequest open = CPIS__V1__PUBLICATION_OPEN_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	open.publication_id = (ProtobufCBinaryData){sizeof file->id, file->id};
	open.kind = file->full ? CPIS__V1__PUBLICATION_KIND__FULL : CPIS__V1__PUBLICATION_KIND__DELTA;
	open.sequence = sequences[file->authority] + 1;
	open.records = file->count;
	open.created_ms = context.now_ms;
	request.publication_open = &open;
	prepare(file->authority, &request);
	ck_assert_int_eq(op_publication_open(&context), REASON_NONE);
}

static void send_file(struct file *file)
{
	for (uint32_t first = 0; first < file->count;) {
		Cpis__V1__PublicationRecordsRequest records = CPIS__V1__PUBLICATION_RECORDS_REQUEST__INIT;
		Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
		uint32_t count = 1 + pick(file->count - first);
		records.publication_id = (ProtobufCBinaryData){sizeof file->id, file->id};
		records.first = first;
		records.n_records = count;
		records.records = file->wire + first;
		request.publication_records = &records;
		prepare(file->authority, &request);
		ck_assert_int_eq(op_publication_records(&context), REASON_NONE);
		first += count;
	}
}

static const Cpis__V1__PublicationReport *commit_file(struct file *file)
{
	Cpis__V1__PublicationCommitRequest commit = CPIS__V1__PUBLICATION_COMMIT_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	commit.publication_id = (ProtobufCBinaryData){sizeof file->id, file->id};
	commit.kind = file->full ? CPIS__V1__PUBLICATION_KIND__FULL : CPIS__V1__PUBLICATION_KIND__DELTA;
	commit.sequence = ++sequences[file->authority];
	commit.records = file->count;
	commit.content_sha256 = (ProtobufCBinaryData){sizeof file->digest, file->digest};
	commit.accept_vanished = true;
	request.publication_commit = &commit;
	prepare(file->authority, &request);
	ck_assert_int_eq(op_publication_commit(&context), REASON_NONE);
	return reply.publication_commit->report;
}

// The model's file: which records it takes, and what is missing from it.
static void take_file(const struct file *file, const Cpis__V1__PublicationReport *report)
{
	bool named[CHILDREN][TYPES] = {{false}};
	struct fact (*own)[TYPES] = facts[file->authority];
	uint32_t stored = 0, unchanged = 0, vanished = 0;
	for (uint32_t i = 0; i < file->count; i++) {
		const struct record *record = &file->records[i];
		struct fact *fact = &own[record->child][record->type];
		named[record->child][record->type] = true;
		if (!accepted(fact, record))
			continue;
		stored++;
		unchanged += same(fact, record);
		store(fact, record);
	}
	for (unsigned child = 0; child < CHILDREN && file->full && stored > 0; child++)
		for (unsigned type = 0; type < TYPES; type++)
			if (!named[child][type] && is_open(&own[child][type])) {
				own[child][type].vanished = today().day;
				vanished++;
			}
	ck_assert_uint_eq(report->received, file->count);
	ck_assert_uint_eq(report->stored, stored);
	ck_assert_uint_eq(report->unchanged, unchanged);
	ck_assert_uint_eq(report->vanished, vanished);
}

static void publish_file(void)
{
	struct file file;
	make_file(&file);
	follow();
	open_file(&file);
	send_file(&file);
	// A correction in between makes it stale: it is sent anew.
	if (pick(6) == 0) {
		correct();
		follow();
		open_file(&file);
		send_file(&file);
	}
	take_file(&file, commit_file(&file));
}

// ------------------------------------------------------------------ questions

static void ask_about(unsigned child)
{
	struct child found;
	struct nhs_number number;
	size_t expected = 0;
	arena_reset(&arena);
	ck_assert_int_eq(nhs_number_parse(stage_child(child), 10, &number), NHS_NUMBER_OK);
	vault_tag_subject(context.vault, &number, &context.subject);
	context.has_subject = true;
	ck_assert_int_eq(child_load(&context, stage_child(child), &found), REASON_NONE);
	for (unsigned i = 0; i < AUTHORITIES * TYPES; i++) {
		unsigned authority = i / TYPES, type = i % TYPES;
		int32_t end = NONE;
		Cpis__V1__PlanStatus status = shown(&facts[authority][child][type], type, &end);
		char end_text[11];
		write_day(end, end_text);
		expected += status != 0;
		for (size_t j = 0; j < found.plan_count; j++) {
			const struct child_plan *plan = &found.plans[j];
			if (strcmp(plan->stored->authority, ods_codes[authority]) != 0 || (unsigned)plan->stored->type != type + 1)
				continue;
			ck_assert_int_eq(plan->status, status);
			ck_assert_str_eq(plan->end_date, end_text);
			ck_assert_int_eq(day_of(plan->stored->start_date), facts[authority][child][type].start);
		}
	}
	ck_assert_uint_eq(found.plan_count, expected);
}

static void check_held(void)
{
	for (unsigned authority = 0; authority < AUTHORITIES; authority++) {
		struct authority_state state;
		uint32_t held = 0;
		for (unsigned i = 0; i < CHILDREN * TYPES; i++)
			held += is_open(&facts[authority][i / TYPES][i % TYPES]);
		prepare(authority, NULL);
		ck_assert_int_eq(publication_own_state(&context, &state), REASON_NONE);
		ck_assert_uint_eq(state.stored->held, held);
	}
}

static void run_sequence(void)
{
	memset(facts, 0, sizeof facts);
	memset(sequences, 0, sizeof sequences);
	for (unsigned i = 0; i < AUTHORITIES * CHILDREN * TYPES; i++)
		(&facts[0][0][0])[i].vanished = NONE;
	context.now_ms = STAGE_NOW_MS + pick(1000) * (uint64_t)STAGE_DAY_MS;
	ck_assert_int_eq(context.store->ops->begin(context.store), STORE_OK);
	for (unsigned step = 0; step < STEPS; step++) {
		switch (pick(6)) {
		case 0:
		case 1:
			correct();
			break;
		case 2:
		case 3:
			publish_file();
			break;
		case 4:
			follow();
			break;
		default:
			// What follows is done within moments, not years.
			follow();
			context.now_ms += (uint64_t)(1 + pick(pick(4) == 0 ? 400 : 5)) * STAGE_DAY_MS;
		}
		ask_about(pick(CHILDREN));
	}
	for (unsigned child = 0; child < CHILDREN; child++)
		ask_about(child);
	check_held();
	context.store->ops->rollback(context.store);
}

START_TEST(random_sequences_show_what_a_plain_model_shows)
{
	const char *seed = getenv("CPIS_TEST_SEED"), *wanted = getenv("CPIS_TEST_SEQUENCES");
	unsigned count = wanted == NULL ? SEQUENCES : (unsigned)strtoul(wanted, NULL, 10);
	if (seed != NULL)
		random_state = strtoull(seed, NULL, 10);
	else
		ck_assert_int_eq(RAND_bytes((unsigned char *)&random_state, sizeof random_state), 1);
	stage = stage_new();
	ck_assert(arena_init(&arena, 8 * ARENA_BYTES));
	snprintf(session.name, sizeof session.name, "Person 7");
	context = (struct op_context){.snapshot = stage->snapshot, .store = stage->disk, .vault = stage->vault, .arena = &arena,
				      .session = &session, .reply = &reply, .detail = &audit_detail, .wakes = &wakes};
	for (unsigned i = 0; i < count; i++) {
		// Printed before, so that the last line is the one that failed.
		printf("sequence %u: CPIS_TEST_SEED=%llu CPIS_TEST_SEQUENCES=1\n", i, (unsigned long long)random_state);
		run_sequence();
	}
	arena_done(&arena);
	stage_free(stage);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("publication_model");
	TCase *all = tcase_create("publication_model");
	tcase_set_timeout(all, 500);
	tcase_add_test(all, random_sequences_show_what_a_plain_model_shows);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
