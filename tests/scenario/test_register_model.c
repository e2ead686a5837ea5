// Random lives of children against a model so simple that it can be read: two authorities publish, correct, end, withdraw,
// leave out and hand over plans, by full files, changes and single corrections, while the clock moves over the days on which
// plans begin, end, expire and children come of age; what a nurse is shown must be what the model says, every time.
#include <check.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/harness/stage.h"

#define GROUP 100u                // children living at the same time
#define EPOCHS 10u                // steps of each life
#define SEQUENCES_DEFAULT 10000u  // $CPIS_TEST_SEQUENCES
#define DAY_MS (24ull * 3600u * 1000u)
#define AUTHORITIES 2u
#define TYPES 3u                  // CPP, LAC, UCPP are 1, 2, 3
#define FILE_MAX (GROUP * TYPES + 8u)
#define NEVER INT32_MAX

// ------------------------------------------------------------------ chance

static uint64_t seed, state;

static uint64_t next_random(void)
{
	uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static int between(int least, int most)
{
	return least + (int)(next_random() % (uint64_t)(unsigned)(most - least + 1));
}

static bool chance(int percent)
{
	return between(1, 100) <= percent;
}

// ------------------------------------------------------------------ the calendar, by the C library's

static int day_of(int year, int month, int day)
{
	struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
	return (int)(timegm(&tm) / 86400);
}

static struct tm calendar(int day)
{
	time_t seconds = (time_t)day * 86400;
	struct tm tm;
	gmtime_r(&seconds, &tm);
	return tm;
}

static void print_day(int day, char out[11])
{
	struct tm tm = calendar(day);
	strftime(out, 11, "%Y-%m-%d", &tm);
}

// The same day of another year; the last of February where there is no 29th.
static int years_later(int day, int years)
{
	struct tm tm = calendar(day);
	bool leap_day = tm.tm_mon == 1 && tm.tm_mday == 29;
	return day_of(tm.tm_year + 1900 + years, tm.tm_mon + 1, leap_day ? 28 : tm.tm_mday);
}

// ------------------------------------------------------------------ the model

// What one authority says about one child in one type of plan.
struct plan {
	bool known;               // it was said once
	bool held;                // and was not withdrawn
	int start, end;           // end NEVER: open
	int birth;
	int vanished;             // the day of the full file that did not have it any more; NEVER
};

struct child {
	char number[11];
	int birth;                // as CPP and LAC say it
	struct plan plans[AUTHORITIES][TYPES];
};

// What a file says of a plan.
struct said {
	unsigned child, type;     // type from 0
	int start, end, birth;
	bool withdrawn;
};

static bool comes_of_age(unsigned type)
{
	return type != 2;
}

// The rules of a record, as they stand in clients/README.md.
static bool is_good(const struct said *said, const struct plan *plan, int today)
{
	int age_limit = years_later(said->birth, 18);
	if (said->withdrawn && !plan->known)
		return false;
	if (said->start < years_later(today, -25) || said->start > years_later(today, 1))
		return false;
	if (said->end != NEVER && said->end < said->start)
		return false;
	if (said->birth > today || said->start < said->birth)
		return false;
	if (said->withdrawn)
		return true;
	// News of an end that was long ago; what is held already may be said again.
	if (said->end != NEVER && said->end < today - 365 && !(plan->known && plan->end == said->end))
		return false;
	if (!comes_of_age(said->type))
		return true;
	return said->start < age_limit && (age_limit > today || (said->end != NEVER && said->end <= age_limit));
}

enum sight { HIDDEN, SHOWN_CURRENT, SHOWN_ENDED };

static enum sight sight_of(const struct plan *plan, unsigned type, int today)
{
	if (!plan->held || plan->start > today)
		return HIDDEN;
	int end = plan->end < plan->vanished ? plan->end : plan->vanished;
	if (comes_of_age(type) && years_later(plan->birth, 18) < end)
		end = years_later(plan->birth, 18);
	// It was over before it began.
	if (end < plan->start)
		return HIDDEN;
	if (end > today)
		return SHOWN_CURRENT;
	return today <= years_later(end, 1) ? SHOWN_ENDED : HIDDEN;
}

// ------------------------------------------------------------------ the stage

static const enum stage_person workers[AUTHORITIES] = {LEEDS_WORKER, BRIGHTON_WORKER};
static const char *const authority_codes[AUTHORITIES] = {"383", "846"};

static struct stage *stage;
static struct child children[GROUP];
static uint32_t sequences[AUTHORITIES];
static uint64_t sequences_done, files, records_sent, looks, plans_seen, plans_ended_seen, rejections, vanishings;

static int today(void)
{
	return (int)(stage->now_ms / DAY_MS);
}

static void fill_record(const struct said *said, uint32_t row, Cpis__V1__PlanRecord *record, char dates[4][11])
{
	cpis__v1__plan_record__init(record);
	print_day(said->start, dates[0]);
	dates[1][0] = dates[2][0] = '\0';
	if (said->end != NEVER)
		print_day(said->end, dates[1]);
	if (said->withdrawn)
		print_day(today(), dates[2]);
	print_day(said->birth, dates[3]);
	record->nhs_number = children[said->child].number;
	record->type = (Cpis__V1__PlanType)(said->type + 1);
	record->start_date = dates[0];
	record->end_date = dates[1];
	record->delete_date = dates[2];
	record->birth_date = dates[3];
	record->family_name = (char *)(uintptr_t) "Testperson";
	record->given_names = (char *)(uintptr_t) "Sam";
	record->row = row;
}

// A file with room for all its texts.
static struct {
	struct said said[FILE_MAX];
	char dates[FILE_MAX][4][11];
	Cpis__V1__PlanRecord records[FILE_MAX];
	Cpis__V1__PlanRecord *list[FILE_MAX];
	size_t count;
} file;

static void say(struct said said)
{
	ck_assert_uint_lt(file.count, FILE_MAX);
	size_t n = file.count++;
	file.said[n] = said;
	fill_record(&said, (uint32_t)(n + 2), &file.records[n], file.dates[n]);
	file.list[n] = &file.records[n];
}

// ------------------------------------------------------------------ what authorities do

// Dates close to today, and to where they begin to mean something else.
static struct said random_record(unsigned child, unsigned type)
{
	struct said said = {.child = child, .type = type, .birth = children[child].birth, .end = NEVER};
	int now = today();
	said.start = now + (chance(20) ? between(-2, 6) : between(-500, -1));
	if (chance(50))
		said.end = now + (chance(50) ? between(-368, -362) : between(-8, 8));
	if (said.end != NEVER && said.end < said.start && chance(90))
		said.start = said.end - between(0, 200);
	if (type == 2)
		said.birth = years_later(now, -between(15, 40));
	if (chance(2))
		said.birth = now + 1;
	return said;
}

static struct said record_held(unsigned child, unsigned type, const struct plan *plan)
{
	return (struct said){.child = child, .type = type, .start = plan->start, .end = plan->end, .birth = plan->birth};
}

static void correct_something(unsigned authority)
{
	unsigned child = (unsigned)between(0, (int)GROUP - 1), type = (unsigned)between(0, (int)TYPES - 1);
	const struct plan *plan = &children[child].plans[authority][type];
	struct said said = random_record(child, type);
	if (plan->held && chance(50)) {
		said = record_held(child, type, plan);
		if (chance(50))
			said.end = today() + between(-3, 3);
		else
			said.withdrawn = true;
	} else if (chance(5)) {
		said.withdrawn = true;
	}
	say(said);
}

// A child moves: whoever holds a plan ends it, and the other begins one.
static void hand_over(unsigned authority)
{
	unsigned child = (unsigned)between(0, (int)GROUP - 1), type = (unsigned)between(0, 1);
	const struct plan *other = &children[child].plans[1 - authority][type];
	const struct plan *own = &children[child].plans[authority][type];
	if (other->held && other->end == NEVER && !own->held)
		say((struct said){.child = child, .type = type, .start = today(), .end = NEVER, .birth = other->birth});
	else if (own->held && own->end == NEVER && other->held && other->start > own->start) {
		struct said said = record_held(child, type, own);
		said.end = today();
		say(said);
	}
}

static void say_what_is_held(unsigned authority)
{
	for (unsigned child = 0; child < GROUP; child++)
		for (unsigned type = 0; type < TYPES; type++) {
			const struct plan *plan = &children[child].plans[authority][type];
			if (plan->held && plan->vanished == NEVER && chance(93))
				say(record_held(child, type, plan));
		}
}

// ------------------------------------------------------------------ sending

// Record number `n` of the file; the first good one of a plan counts, and the file says no plan twice.
static bool is_good_here(unsigned authority, size_t n)
{
	const struct said *said = &file.said[n];
	for (size_t i = 0; i < n; i++)
		if (file.said[i].child == said->child && file.said[i].type == said->type && is_good_here(authority, i))
			return false;
	return is_good(said, &children[said->child].plans[authority][said->type], today());
}

static void apply(unsigned authority, bool full)
{
	bool present[GROUP][TYPES] = {{false}};
	bool good[FILE_MAX], any_good = false;
	for (size_t i = 0; i < file.count; i++) {
		good[i] = is_good_here(authority, i);
		any_good = any_good || good[i];
	}
	for (size_t i = 0; i < file.count; i++) {
		const struct said *said = &file.said[i];
		struct plan *plan = &children[said->child].plans[authority][said->type];
		present[said->child][said->type] = true;
		if (!good[i]) {
			rejections++;
			continue;
		}
		*plan = (struct plan){.known = true, .held = !said->withdrawn, .start = said->start, .end = said->end, .birth = said->birth,
				      .vanished = NEVER};
	}
	// A file of which nothing could be stored says nothing of what is not in it.
	for (unsigned child = 0; full && any_good && child < GROUP; child++)
		for (unsigned type = 0; type < TYPES; type++) {
			struct plan *plan = &children[child].plans[authority][type];
			// One that has an end of its own ends then.
			if (plan->held && plan->end == NEVER && !present[child][type] && plan->vanished == NEVER) {
				plan->vanished = today();
				vanishings++;
			}
		}
}

static const struct stage_reply *act(unsigned authority, Cpis__V1__Request *request)
{
	return stage_act(stage, workers[authority], workers[authority], stage->now_ms, request);
}

static void settle(void)
{
	ck_assert(stage_tick(stage));
}

static void count_good(unsigned authority, uint32_t *ret_good)
{
	*ret_good = 0;
	for (size_t i = 0; i < file.count; i++)
		*ret_good += is_good_here(authority, i);
}

static void send_correction(unsigned authority)
{
	Cpis__V1__PublishRequest publish = CPIS__V1__PUBLISH_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	uint32_t good;
	if (file.count == 0)
		return;
	publish.authority = (char *)(uintptr_t)authority_codes[authority];
	publish.records = file.list;
	publish.n_records = file.count;
	request.body_case = CPIS__V1__REQUEST__BODY_PUBLISH;
	request.publish = &publish;
	count_good(authority, &good);
	const struct stage_reply *got = act(authority, &request);
	stage_expect_ok(got);
	ck_assert_uint_eq(got->reply->publish->stored, good);
	apply(authority, false);
}

// The chain of cpis.proto's PublicationCommitRequest, by other hands than the broker's.
static void digest_records(uint8_t digest[HASH_BYTES])
{
	uint8_t packed[2048];
	memset(digest, 0, HASH_BYTES);
	for (size_t i = 0; i < file.count; i++) {
		EVP_MD_CTX *context = EVP_MD_CTX_new();
		size_t bytes = cpis__v1__plan_record__pack(file.list[i], packed);
		ck_assert(context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
			  EVP_DigestUpdate(context, digest, HASH_BYTES) == 1 &&
			  EVP_DigestUpdate(context, packed, bytes) == 1 && EVP_DigestFinal_ex(context, digest, NULL) == 1);
		EVP_MD_CTX_free(context);
	}
}

static void open_file(unsigned authority, const uint8_t id[PUBLICATION_ID_BYTES], Cpis__V1__PublicationKind kind)
{
	Cpis__V1__PublicationOpenRequest body = CPIS__V1__PUBLICATION_OPEN_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.publication_id = (ProtobufCBinaryData){PUBLICATION_ID_BYTES, (uint8_t *)(uintptr_t)id};
	body.kind = kind;
	body.sequence = sequences[authority] + 1;
	body.records = (uint32_t)file.count;
	body.created_ms = stage->now_ms;
	request.body_case = CPIS__V1__REQUEST__BODY_PUBLICATION_OPEN;
	request.publication_open = &body;
	stage_expect_ok(stage_ask_as(stage, workers[authority], &request));
}

// `highest` is how many are there; some of them may be sent again.
static void send_records(unsigned authority, const uint8_t id[PUBLICATION_ID_BYTES], size_t first, size_t count,
			 size_t *highest)
{
	Cpis__V1__PublicationRecordsRequest body = CPIS__V1__PUBLICATION_RECORDS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.publication_id = (ProtobufCBinaryData){PUBLICATION_ID_BYTES, (uint8_t *)(uintptr_t)id};
	body.first = (uint32_t)first;
	body.n_records = count;
	body.records = file.list + first;
	request.body_case = CPIS__V1__REQUEST__BODY_PUBLICATION_RECORDS;
	request.publication_records = &body;
	const struct stage_reply *got = stage_ask_as(stage, workers[authority], &request);
	stage_expect_ok(got);
	// Of those only that were not there before.
	const Cpis__V1__PublicationRecordsReply *reply = got->reply->publication_records;
	size_t known = count - reply->n_outcomes;
	for (size_t i = known; i < count; i++) {
		const struct said *said = &file.said[first + i];
		const Cpis__V1__RecordOutcome *outcome = reply->outcomes[i - known];
		bool good = is_good_here(authority, first + i);
		if (good != (outcome->code == CPIS__V1__RECORD_CODE__CPR06))
			ck_abort_msg("seed %llu: type %u, %s to %s, born %s%s, on day %d: the model says %s; %s",
				     (unsigned long long)seed, said->type + 1, file.dates[first + i][0],
				     file.dates[first + i][1], file.dates[first + i][3], said->withdrawn ? ", withdrawn" : "",
				     today(), good ? "good" : "bad", outcome->detail);
	}
	*highest = first + count > *highest ? first + count : *highest;
	ck_assert_uint_eq(got->reply->publication_records->received, *highest);
}

static void commit_file(unsigned authority, const uint8_t id[PUBLICATION_ID_BYTES], Cpis__V1__PublicationKind kind)
{
	Cpis__V1__PublicationCommitRequest body = CPIS__V1__PUBLICATION_COMMIT_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	uint8_t digest[HASH_BYTES];
	uint32_t good;
	digest_records(digest);
	count_good(authority, &good);
	body.publication_id = (ProtobufCBinaryData){PUBLICATION_ID_BYTES, (uint8_t *)(uintptr_t)id};
	body.kind = kind;
	body.sequence = sequences[authority] + 1;
	body.records = (uint32_t)file.count;
	body.content_sha256 = (ProtobufCBinaryData){sizeof digest, digest};
	body.accept_vanished = true;
	request.body_case = CPIS__V1__REQUEST__BODY_PUBLICATION_COMMIT;
	request.publication_commit = &body;
	const struct stage_reply *got = act(authority, &request);
	stage_expect_ok(got);
	const Cpis__V1__PublicationReport *report = got->reply->publication_commit->report;
	ck_assert_uint_eq(report->received, file.count);
	ck_assert_uint_eq(report->stored, good);
	ck_assert_uint_eq(report->stored + report->rejected, report->received);
	ck_assert_uint_eq(report->created + report->changed + report->ended + report->withdrawn + report->unchanged,
			  report->stored);
}

// In pieces, some sent twice, with a broker that comes and goes; what is not committed is not seen.
static void send_file(unsigned authority, Cpis__V1__PublicationKind kind)
{
	uint8_t id[PUBLICATION_ID_BYTES];
	if (file.count == 0)
		return;
	settle();
	ck_assert(RAND_bytes(id, sizeof id) == 1);
	open_file(authority, id, kind);
	for (size_t first = 0, highest = 0; first < file.count;) {
		size_t left = file.count - first, count = (size_t)between(1, 80);
		count = count < left ? count : left;
		send_records(authority, id, first, count, &highest);
		if (chance(10))
			open_file(authority, id, kind);
		else if (chance(5))
			stage_restart(stage);
		else
			first += count;
	}
	// It never comes to a commit: the next one takes its place.
	if (chance(10))
		return;
	commit_file(authority, id, kind);
	apply(authority, kind == CPIS__V1__PUBLICATION_KIND__FULL);
	sequences[authority]++;
	files++;
	records_sent += file.count;
	settle();
}

static void publish_something(unsigned authority)
{
	file.count = 0;
	int kind = between(1, 10);
	if (kind <= 3)
		say_what_is_held(authority);
	for (int i = between(kind <= 3 ? 0 : 1, 25); i > 0 && file.count < FILE_MAX; i--)
		if (chance(20))
			hand_over(authority);
		else
			correct_something(authority);
	if (kind <= 3)
		send_file(authority, CPIS__V1__PUBLICATION_KIND__FULL);
	else if (kind <= 7)
		send_file(authority, CPIS__V1__PUBLICATION_KIND__DELTA);
	else if (kind <= 9)
		send_correction(authority);
}

// ------------------------------------------------------------------ looking

static unsigned type_of(const Cpis__V1__Plan *plan)
{
	return (unsigned)plan->type - 1;
}

static void compare(unsigned child, const Cpis__V1__DetailsReply *shown)
{
	unsigned expected = 0;
	for (unsigned authority = 0; authority < AUTHORITIES; authority++)
		for (unsigned type = 0; type < TYPES; type++) {
			const struct plan *plan = &children[child].plans[authority][type];
			enum sight sight = sight_of(plan, type, today());
			const Cpis__V1__Plan *found = NULL;
			for (size_t i = 0; i < shown->n_plans; i++)
				if (type_of(shown->plans[i]) == type &&
				    strcmp(shown->plans[i]->authority->organisation, authority_codes[authority]) == 0) {
					ck_assert_ptr_null(found);
					found = shown->plans[i];
				}
			if ((sight == HIDDEN) != (found == NULL))
				ck_abort_msg("seed %llu: child %s, authority %s, type %u on day %d: the model says %s "
					     "(from %d to %d, born %d, vanished %d)",
					     (unsigned long long)seed, children[child].number, authority_codes[authority],
					     type + 1, today(), sight == HIDDEN ? "hidden" : "shown", plan->start, plan->end,
					     plan->birth, plan->vanished);
			if (found == NULL)
				continue;
			char start[11];
			print_day(plan->start, start);
			ck_assert_str_eq(found->start_date, start);
			if ((sight == SHOWN_CURRENT) != (found->status == CPIS__V1__PLAN_STATUS__CURRENT))
				ck_abort_msg("seed %llu: child %s, authority %s, type %u on day %d: the model says %s (from %d to %d, "
					     "born %d, vanished %d), the broker from %s to %s",
					     (unsigned long long)seed, children[child].number, authority_codes[authority],
					     type + 1, today(), sight == SHOWN_CURRENT ? "current" : "ended", plan->start, plan->end,
					     plan->birth, plan->vanished, found->start_date, found->end_date);
			expected++;
			plans_ended_seen += sight == SHOWN_ENDED;
		}
	ck_assert_uint_eq(shown->n_plans, expected);
	plans_seen += expected;
	looks++;
}

static void flush_looks(const unsigned asked[], size_t count)
{
	ck_assert(stage_flush(stage));
	for (size_t i = 0; i < count; i++) {
		stage_expect_ok(stage->batch[i]);
		compare(asked[i], stage->batch[i]->reply->details);
	}
	// Nobody may look at more than so many in a minute.
	stage->now_ms += 125u * 1000u;
}

static void look_at_all(void)
{
	unsigned asked[STAGE_BATCH_MAX];
	size_t count = 0;
	for (unsigned child = 0; child < GROUP; child++) {
		Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
		Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
		details.nhs_number = children[child].number;
		request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
		request.details = &details;
		ck_assert(stage_submit_as(stage, NURSE, &request));
		asked[count++] = child;
		if (count < STAGE_BATCH_MAX && child + 1 < GROUP)
			continue;
		flush_looks(asked, count);
		count = 0;
	}
}

// ------------------------------------------------------------------ lives

static void nhs_number(unsigned stem, char out[11])
{
	unsigned sum = 0;
	snprintf(out, 11, "999%06u", stem);
	for (unsigned i = 0; i < 9; i++)
		sum += (10 - i) * (unsigned)(out[i] - '0');
	unsigned digit = (11 - sum % 11) % 11;
	out[9] = digit == 10 ? '\0' : (char)('0' + digit);
	out[10] = '\0';
}

static void bear_children(unsigned *stem)
{
	memset(children, 0, sizeof children);
	memset(sequences, 0, sizeof sequences);
	for (unsigned i = 0; i < GROUP; i++) {
		do
			nhs_number((*stem)++, children[i].number);
		while (children[i].number[9] == '\0');
		// Half of them come of age about now.
		children[i].birth = chance(50) ? years_later(today() + between(-8, 12), -18)
					       : today() - between(0, 17 * 365);
		for (unsigned authority = 0; authority < AUTHORITIES; authority++)
			for (unsigned type = 0; type < TYPES; type++)
				children[i].plans[authority][type].vanished = NEVER;
	}
}

static void sign_in(void)
{
	stage_sign_in(stage, NURSE);
	for (unsigned authority = 0; authority < AUTHORITIES; authority++)
		stage_sign_in(stage, workers[authority]);
}

static void live(unsigned *stem)
{
	stage = stage_new();
	bear_children(stem);
	for (unsigned epoch = 0; epoch < EPOCHS; epoch++) {
		sign_in();
		for (unsigned authority = 0; authority < AUTHORITIES; authority++)
			publish_something(authority);
		look_at_all();
		stage->now_ms += (uint64_t)(unsigned)between(0, 2) * DAY_MS + (uint64_t)(unsigned)between(1, 3600) * 1000u;
	}
	stage_free(stage);
	sequences_done += GROUP;
}

START_TEST(what_is_shown_is_what_the_model_says)
{
	const char *wanted = getenv("CPIS_TEST_SEQUENCES");
	uint64_t sequences_wanted = wanted == NULL ? SEQUENCES_DEFAULT : strtoull(wanted, NULL, 10);
	unsigned stem = 1;
	while (sequences_done < sequences_wanted)
		live(&stem);
	printf("%llu lives of %u steps: %llu files and %llu records of them, %llu records refused, %llu vanished; %llu looks "
	       "saw %llu plans, %llu of them ended\n",
	       (unsigned long long)sequences_done, EPOCHS, (unsigned long long)files, (unsigned long long)records_sent,
	       (unsigned long long)rejections, (unsigned long long)vanishings, (unsigned long long)looks,
	       (unsigned long long)plans_seen, (unsigned long long)plans_ended_seen);
	// What did not happen was not tested.
	ck_assert(files > 0 && rejections > 0 && vanishings > 0 && plans_seen > 0 && plans_ended_seen > 0);
}
END_TEST

int main(void)
{
	const char *given = getenv("CPIS_TEST_SEED");
	if (given != NULL)
		seed = strtoull(given, NULL, 10);
	else if (RAND_bytes((unsigned char *)&seed, sizeof seed) != 1)
		return EXIT_FAILURE;
	state = seed;
	printf("seed %llu (repeat with CPIS_TEST_SEED)\n", (unsigned long long)seed);
	fflush(stdout);
	Suite *suite = suite_create("register_model");
	TCase *tcase = tcase_create("register_model");
	tcase_set_timeout(tcase, 600);
	tcase_add_test(tcase, what_is_shown_is_what_the_model_says);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
