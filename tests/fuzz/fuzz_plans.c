// Files of rows: a local authority's plans as CSV and as JSON lines, a neighbouring register's plans, the people of a demographics
// service. What loads answers questions.
#include <string.h>

#include "clients/cli/plan_file.h"
#include "clients/demographics/names.h"
#include "clients/demographics/people.h"
#include "clients/responder/plans.h"
#include "clients/responder/serving.h"
#include "proto/text.h"
#include "tests/fuzz/edit.h"

#define NOW_MS 1792488600000u

static const char csv[] =
	"nhs_number,plan_type,start_date,end_date,delete_date,local_id,family_name,given_names,birth_date,code,field,reason\n"
	"9990000018,CPP,2026-02-03,,,L-1,Smith,Anna Maria,2015-06-01,,,\n"
	"9990000026,LAC,2026-02-03,2026-03-01,,L-2,\"O'Neill, the \"\"younger\"\"\",Zo\xc3\xab,2016-06-01,,,\n"
	"9990000034,UCPP,2026-02-03,,2026-04-01,,Jones,,2025-12-01,,,\n";
static const char json[] =
	"{\"records\": 2, \"sequence\": 7, \"kind\": \"full\", \"created\": \"2026-10-20T03:00:00Z\"}\n"
	"{\"nhs_number\": \"9990000018\", \"plan_type\": \"CPP\", \"start_date\": \"2026-02-03\", \"family_name\": \"Smith\","
	" \"given_names\": \"Anna\", \"birth_date\": \"2015-06-01\"}\n"
	"{\"nhs_number\": \"9990000026\", \"plan_type\": \"LAC\", \"start_date\": \"2026-02-03\", \"end_date\": \"2026-03-01\", \"local_id\":"
	" \"L\", \"family_name\": \"Zo\xc3\xab\", \"given_names\": \"\", \"birth_date\": \"2015-06-01\"}\n";
static const char neighbour[] =
	"nhs_number,plan_type,start_date,end_date,organisation,authority,emergency_duty_telephone,office_hours_telephone\n"
	"9990000018,CPP,2026-02-03,,W01,Council of the North,01273 335905,\n"
	"9990000018,LAC,2024-02-03,2026-01-31,W02,\"Council, South\",+44 (0)1273-335905,01273 290400\n"
	"9990000026,UCPP,2026-02-03,,W01,Council of the North,01273 335905,\n";
static const char service[] =
	"nhs_number,family_name,given_names,birth_date,sex,status\n"
	"9990000018,Smith,Anna Maria,2015-06-01,female,active\n"
	"9990000026,\"O'Neill\",Zo\xc3\xab,2016-06-01,male,sensitive\n"
	"9990000034,Stra\xc3\x9f" "e,Jo,2025-12-01,unknown,superseded\n"
	"9990000042,\xef\xac\x83ne,\xc3\x89mile,2025-12-01,other,invalid\n"
	"9990000050,Jones,Al,2025-12-01,female,deceased\n";
static const char *const words[] = {"nhs_number", "code", "CPP", "LAC", "UCPP", "delta", "\"delta\"", "\"x\"", "null", "1000001", "2026-12-01",
				    "9990000026", "active", "male", "\"\"", "\"a\nb\"", "PK\x03\x04", "\xff\xfe", "\xef\xbb\xbf", "\r", "\"\\ud800\"",
				    "\"\\u0000\"", NULL};

static char *text_of(struct fuzz_input *input, const char *good, size_t good_bytes, size_t *ret_bytes)
{
	if (fuzz_byte(input) % 8 != 7)
		return edit_text(input, good, good_bytes, words, ret_bytes);
	const uint8_t *raw = fuzz_take(input, fuzz_left(input), ret_bytes);
	char *text = malloc(*ret_bytes + 1);
	FUZZ_MUST(text != NULL);
	memcpy(text, raw, *ret_bytes);
	return text;
}

static void check_detail(bool good, const char *detail)
{
	FUZZ_MUST(good || (detail[0] != '\0' && text_is_clean(detail, strlen(detail))));
}

// What is refused must not be repeated: it may be a child's.
static bool take_row(void *context, const struct plan_row *row)
{
	unsigned long *rows = context;
	for (unsigned i = 0; i < PLAN_COLUMNS_COUNT; i++)
		FUZZ_MUST(text_is_clean(row->text[i], strlen(row->text[i])) && strlen(row->text[i]) <= plan_columns[i].bytes_max);
	FUZZ_MUST(row->line > 0);
	return ++*rows < 1000;
}

static void check_plan_file(struct fuzz_input *input, const char *good, size_t good_bytes)
{
	size_t bytes;
	struct plan_file_facts facts, again;
	char detail[PLAN_FILE_DETAIL_BYTES] = "", again_detail[PLAN_FILE_DETAIL_BYTES] = "";
	char *text = text_of(input, good, good_bytes, &bytes);
	uint8_t odd = fuzz_byte(input);
	const char *path = odd >= 252 ? fuzz_odd_path(odd) : fuzz_file(text, bytes);
	unsigned long rows = 0;
	bool holds = plan_file_read(path, NULL, NULL, &facts, detail);
	bool taken = plan_file_read(path, take_row, &rows, &again, again_detail);
	check_detail(holds, detail);
	// It is read twice before anything is sent: the second time must not find other things.
	FUZZ_MUST(rows >= 1000 || (taken == holds && strcmp(detail, again_detail) == 0));
	FUZZ_MUST(!holds || rows >= 1000 || rows == facts.rows);
	free(text);
}

static void check_neighbour(struct fuzz_input *input)
{
	size_t bytes;
	struct plans *plans = NULL;
	char detail[CSV_TABLE_DETAIL_BYTES] = "", *text = text_of(input, neighbour, sizeof neighbour - 1, &bytes);
	Cpis__V1__PlansQuestion question = CPIS__V1__PLANS_QUESTION__INIT;
	Cpis__V1__ResponderAnswer answer;
	uint8_t odd = fuzz_byte(input);
	bool good = plans_load(odd >= 252 ? fuzz_odd_path(odd) : fuzz_file(text, bytes), &plans, detail);
	check_detail(good, detail);
	for (unsigned i = 0; good && i < 3; i++) {
		question.nhs_number = (char *)(uintptr_t)(i == 0 ? "9990000018" : i == 1 ? "9990000026" : "x");
		cpis__v1__responder_answer__init(&answer);
		plans_answer(plans, &question, i == 0 ? NOW_MS : fuzz_number(input, 8), &answer);
		FUZZ_MUST(protobuf_c_message_check(&answer.base) && cpis__v1__responder_answer__get_packed_size(&answer) <= ANSWER_BYTES_MAX);
	}
	plans_free(plans);
	free(text);
}

static bool count(void *context, const char *nhs_number, Cpis__V1__DemographicsStatus status)
{
	(void)nhs_number, (void)status;
	return ++*(unsigned *)context < 4;
}

static void check_people(struct fuzz_input *input)
{
	size_t bytes;
	struct people *people = NULL;
	char detail[CSV_TABLE_DETAIL_BYTES] = "", name[64], *text = text_of(input, service, sizeof service - 1, &bytes);
	Cpis__V1__PlanRecord record = CPIS__V1__PLAN_RECORD__INIT;
	bool good = people_load(fuzz_file(text, bytes), &people, detail);
	check_detail(good, detail);
	if (good) {
		const uint8_t *raw = fuzz_take(input, 60, &bytes);
		unsigned changes = 0;
		memcpy(name, raw, bytes);
		name[bytes] = '\0';
		record.nhs_number = (char *)(uintptr_t)"9990000018";
		record.family_name = (char *)(uintptr_t)"SMITH";
		record.given_names = name;
		record.birth_date = (char *)(uintptr_t)"2015-06-01";
		people_match(people, &record);
		// Who is known by these names is told what the number is.
		record.given_names = (char *)(uintptr_t)"Anna";
		people_match(people, &record);
		people_each_change(people, people, count, &changes);
		people_each_change(people, NULL, count, &changes);
		FUZZ_MUST(changes <= 2 * people_count(people));
	}
	people_free(people);
	free(text);
}

// Names of any form: a match is one both ways but for who has more given names.
static void check_names(struct fuzz_input *input)
{
	char texts[4][TEXT_BYTES_MAX + 1], folded[NAMES_FOLDED_BYTES], again[NAMES_FOLDED_BYTES];
	struct serving_range range;
	size_t bytes;
	for (int i = 0; i < 4; i++) {
		const uint8_t *raw = fuzz_take_until(input, '\n', &bytes);
		bytes = bytes < TEXT_BYTES_MAX ? bytes : TEXT_BYTES_MAX;
		memcpy(texts[i], raw, bytes);
		texts[i][bytes] = '\0';
		// Folding what is folded changes nothing.
		if (names_fold(texts[i], strlen(texts[i]), folded) && names_fold(folded, strlen(folded), again))
			FUZZ_MUST(strcmp(folded, again) == 0);
	}
	FUZZ_MUST((names_match(texts[0], texts[1], texts[2], texts[3]) == NAMES_GIVEN_EQUAL) ==
		  (names_match(texts[2], texts[3], texts[0], texts[1]) == NAMES_GIVEN_EQUAL));
	if (serving_range_parse(texts[0], &range))
		FUZZ_MUST(strlen(range.first) == 10 && strlen(range.last) == 10);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct fuzz_input input = fuzz_input(data, bytes);
	switch (fuzz_byte(&input) % 5) {
	case 0:
		check_plan_file(&input, csv, sizeof csv - 1);
		break;
	case 1:
		check_plan_file(&input, json, sizeof json - 1);
		break;
	case 2:
		check_neighbour(&input);
		break;
	case 3:
		check_people(&input);
		break;
	default:
		check_names(&input);
		break;
	}
	return 0;
}
