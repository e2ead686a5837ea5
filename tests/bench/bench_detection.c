// What the detection rules of the shipped policy find in a synthetic month, and what they cost the core.
//
// Months of the tuning seeds were looked at while the thresholds were chosen; those of the judging seeds only after that. Recall
// is of incidents: one is found when its rule speaks of its person (or system) while it lasts or within the rule's window. A
// finding is right when it falls into any planted incident of that person or system.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "tests/bench/month.h"
#include "tests/harness/stage.h"

#define BATCH 32u
#define COST_REPEATS 15u
#define COST_REQUESTS 2048u

static const uint64_t tuning[] = {1, 2, 3}, judging[] = {101, 102, 103};
#define SEEDS 3u

struct score {
	unsigned planted[MISUSE_KINDS], found[MISUSE_KINDS], found_by_any[MISUSE_KINDS];
	unsigned findings[DETECTION_KINDS], right[DETECTION_KINDS];
	size_t events, people;
	double ns_per_event;
};

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench_detection: %s\n", what);
	exit(1);
}

static double seconds(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// ------------------------------------------------------------------ recall and precision

static bool is_of(const struct month_incident *incident, const struct month_event *event, const struct detection_finding *finding)
{
	bool who = finding->about_system ? incident->kind == MISUSE_SYSTEM && incident->organisation == event->organisation
					 : incident->person == event->person || event->incident >= 0;
	return who && event->event.time_ms >= incident->from_ms &&
	       event->event.time_ms <= incident->until_ms + finding->rule->window_ms;
}

static void score_finding(const struct month *month, const struct month_event *event, const struct detection_finding *finding,
			  bool *found, bool *any, struct score *score)
{
	bool right = false;
	for (size_t i = 0; i < month->incidents_count; i++) {
		const struct month_incident *incident = &month->incidents[i];
		if ((event->incident >= 0 && event->incident != (int)i) || !is_of(incident, event, finding))
			continue;
		right = any[i] = true;
		found[i] = found[i] || finding->rule->kind == misuse_rule(incident->kind);
	}
	score->findings[finding->rule->kind]++;
	score->right[finding->rule->kind] += right;
}

static void judge(const struct detection_rules *rules, uint64_t seed, struct score *score)
{
	static bool found[MISUSE_KINDS * MONTH_PER_MISUSE], any[MISUSE_KINDS * MONTH_PER_MISUSE];
	struct month *month = month_new(seed);
	struct detection *detection = NULL;
	memset(found, 0, sizeof found);
	memset(any, 0, sizeof any);
	must(detection_new(BATCH, &detection), "memory");
	double start = seconds(CLOCK_MONOTONIC);
	for (size_t i = 0; i < month->count; i++) {
		struct detection_finding findings[DETECTION_RULES_MAX];
		size_t count = detection_observe(detection, rules, &month->events[i].event, findings);
		for (size_t k = 0; k < count; k++)
			score_finding(month, &month->events[i], &findings[k], found, any, score);
		if (i % BATCH == BATCH - 1)
			detection_committed(detection);
	}
	score->ns_per_event += (seconds(CLOCK_MONOTONIC) - start) * 1e9 / (double)month->count / SEEDS;
	for (size_t i = 0; i < month->incidents_count; i++) {
		score->planted[month->incidents[i].kind]++;
		score->found[month->incidents[i].kind] += found[i];
		score->found_by_any[month->incidents[i].kind] += any[i];
	}
	score->events += month->count;
	score->people += month->people;
	detection_free(detection);
	month_free(month);
}

static struct score judge_all(const struct detection_rules *rules, const uint64_t seeds[SEEDS])
{
	struct score score = {0};
	for (unsigned i = 0; i < SEEDS; i++)
		judge(rules, seeds[i], &score);
	return score;
}

static double ratio(unsigned part, unsigned whole)
{
	return whole == 0 ? 0 : (double)part / whole;
}

static void print_score(const char *name, const struct score *score, json_t *rows)
{
	unsigned all = 0, right = 0;
	printf("%s: %zu records of %zu people in 3 months, %.0f ns a record\n", name, score->events, score->people,
	       score->ns_per_event);
	for (unsigned kind = 0; kind < MISUSE_KINDS; kind++) {
		enum detection_kind rule = misuse_rule((enum misuse)kind);
		const char *word = rule == DETECTION_KINDS ? "none" : detection_kind_word(rule);
		double recall = ratio(score->found[kind], score->planted[kind]);
		printf("  recall    %-20s %3u of %3u  %.2f  (by any rule %.2f)  %s\n", word, score->found[kind], score->planted[kind],
		       recall, ratio(score->found_by_any[kind], score->planted[kind]), misuse_words((enum misuse)kind));
		json_array_append_new(rows, json_pack("{s:s+, s:s, s:s, s:f, s:i}", "name", "detection_recall_", name, "misuse",
						      misuse_words((enum misuse)kind), "rule", word, "recall", recall, "incidents",
						      (int)score->planted[kind]));
	}
	for (unsigned kind = 0; kind < DETECTION_KINDS; kind++) {
		const char *word = detection_kind_word((enum detection_kind)kind);
		double precision = ratio(score->right[kind], score->findings[kind]);
		printf("  precision %-20s %3u of %3u  %.2f\n", word, score->right[kind], score->findings[kind], precision);
		json_array_append_new(rows, json_pack("{s:s+, s:s, s:f, s:i}", "name", "detection_precision_", name, "rule", word,
						      "precision", precision, "findings", (int)score->findings[kind]));
		all += score->findings[kind];
		right += score->right[kind];
	}
	printf("  all rules: %u findings, %.2f right; %.2f wrong ones for each 100 people in a month\n", all, ratio(right, all),
	       100.0 * (all - right) / (double)score->people);
}

// ------------------------------------------------------------------ choosing

// The threshold of each kind that says how much is too much.
static const enum detection_number first_number[DETECTION_KINDS] = {
	[DETECTION_VOLUME] = DETECTION_CHILDREN,       [DETECTION_ENUMERATION] = DETECTION_NUMBERS,
	[DETECTION_NO_MATCH] = DETECTION_INVALID,      [DETECTION_NO_REASON] = DETECTION_LOOKS,
	[DETECTION_OUTSIDE_HOURS] = DETECTION_LOOKS,   [DETECTION_FAR_SETTINGS] = DETECTION_KM,
	[DETECTION_DORMANT] = DETECTION_DAYS,          [DETECTION_OWN_HOUSEHOLD] = DETECTION_NUMBERS_COUNT,
	[DETECTION_DENIED_THEN_ALLOWED] = DETECTION_DENIALS, [DETECTION_SYSTEM_RATE] = DETECTION_TIMES,
};

// Every rule with that threshold times `percent`.
static struct detection_rules scaled(const struct detection_rules *rules, unsigned percent)
{
	struct detection_rules other = *rules;
	for (size_t i = 0; i < other.count; i++) {
		enum detection_number number = first_number[other.rules[i].kind];
		if (number == DETECTION_NUMBERS_COUNT)
			continue;
		unsigned value = (rules->rules[i].numbers[number] * percent + 50) / 100;
		other.rules[i].numbers[number] = value == 0 ? 1 : value;
	}
	return other;
}

static void sweep(const struct detection_rules *rules)
{
	static const unsigned steps[] = {40, 60, 80, 100, 150, 200};
	printf("recall / precision on the tuning seeds, with each rule's first threshold at so many percent of the shipped one\n  %-20s", "");
	struct score scores[sizeof steps / sizeof steps[0]];
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		struct detection_rules other = scaled(rules, steps[i]);
		scores[i] = judge_all(&other, tuning);
		printf("  %9u %%", steps[i]);
	}
	for (unsigned kind = 0; kind < DETECTION_KINDS; kind++) {
		printf("\n  %-20s", detection_kind_word((enum detection_kind)kind));
		for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
			unsigned planted = 0, found = 0;
			for (unsigned m = 0; m < MISUSE_KINDS; m++)
				if (misuse_rule((enum misuse)m) == (enum detection_kind)kind) {
					planted += scores[i].planted[m];
					found += scores[i].found[m];
				}
			printf("  %.2f / %.2f", ratio(found, planted), ratio(scores[i].right[kind], scores[i].findings[kind]));
		}
	}
	putchar('\n');
}

// ------------------------------------------------------------------ what it costs

// A core with these rules, and requests that are asked over and over.
struct side {
	struct stage *stage;
	double wall[COST_REPEATS], cpu[COST_REPEATS]; // requests in a second
};

static size_t pack_flag(struct side *side, unsigned n, uint8_t out[2048])
{
	char number[11];
	uint8_t id[REQUEST_ID_BYTES] = {0};
	Cpis__V1__FlagRequest body = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	unsigned first = 999000000 + n * 101 % 1000000, sum, check;
	do {
		first++;
		sum = 0;
		for (unsigned weight = 2, rest = first; weight <= 10; weight++, rest /= 10)
			sum += rest % 10 * weight;
		check = (11 - sum % 11) % 11;
	} while (check == 10);
	snprintf(number, sizeof number, "%09u%u", first % 1000000000u, check);
	memcpy(id, &n, sizeof n);
	body.nhs_number = number;
	body.care_setting = CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT;
	request.protocol_version = PROTOCOL_VERSION;
	request.request_id = (ProtobufCBinaryData){sizeof id, id};
	request.deadline_ms = 10000;
	request.session_token = (ProtobufCBinaryData){side->stage->token_bytes[NURSE], side->stage->tokens[NURSE]};
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &body;
	return cpis__v1__request__pack(&request, out);
}

static void run_batch(struct side *side, unsigned from)
{
	uint8_t data[2048];
	struct stage *stage = side->stage;
	for (unsigned i = 0; i < BATCH; i++) {
		struct core_arrival arrival = {.channel_key = stage->keys[STAGE_HOSPITAL].public_key, .data = data};
		arrival.bytes = pack_flag(side, from + i, data);
		must(core_submit(stage->core, &arrival, stage->now_ms) == CORE_TAKEN, "a batch is full");
		// As often as the policy lets one person ask.
		stage->now_ms += 600;
	}
	must(core_flush(stage->core, stage->now_ms), "a commit failed");
	for (unsigned i = 0; i < BATCH; i++) {
		const uint8_t *reply;
		size_t bytes;
		core_reply(stage->core, i, &reply, &bytes);
		must(bytes > 20 && reply[20] == 0x18 && reply[21] == 1, "a request was not answered with OK");
	}
	core_clear(stage->core);
}

static void run_repeat(struct side *side, unsigned repeat)
{
	side->stage->now_ms += STAGE_MINUTE_MS;
	stage_sign_in(side->stage, NURSE);
	double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	for (unsigned i = 0; i < COST_REQUESTS; i += BATCH)
		run_batch(side, repeat * COST_REQUESTS + i);
	side->wall[repeat] = COST_REQUESTS / (seconds(CLOCK_MONOTONIC) - wall);
	side->cpu[repeat] = COST_REQUESTS / (seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
}

static int by_value(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return a < b ? -1 : a > b;
}

static double middle(const double *values)
{
	double sorted[COST_REPEATS];
	memcpy(sorted, values, sizeof sorted);
	qsort(sorted, COST_REPEATS, sizeof sorted[0], by_value);
	return sorted[COST_REPEATS / 2];
}

static void measure_cost(json_t *rows)
{
	struct side with = {.stage = stage_new()}, without = {.stage = stage_new()};
	double wall[COST_REPEATS], cpu[COST_REPEATS];
	stage_set_detection(without.stage, "");
	for (unsigned i = 0; i < COST_REPEATS; i++) {
		// In turns, and either first as often.
		run_repeat(i % 2 == 0 ? &with : &without, i);
		run_repeat(i % 2 == 0 ? &without : &with, i);
		wall[i] = with.wall[i] / without.wall[i];
		cpu[i] = with.cpu[i] / without.cpu[i];
	}
	qsort(wall, COST_REPEATS, sizeof wall[0], by_value);
	qsort(cpu, COST_REPEATS, sizeof cpu[0], by_value);
	printf("core with all rules %.0f/s, without %.0f/s: %.3f of it [%.2f-%.2f]; by processor time %.3f [%.2f-%.2f]\n",
	       middle(with.wall), middle(without.wall), middle(wall), wall[0], wall[COST_REPEATS - 1], middle(cpu), cpu[0],
	       cpu[COST_REPEATS - 1]);
	json_array_append_new(rows, json_pack("{s:s, s:f, s:f, s:f}", "name", "detection_cost", "rps", middle(with.wall),
					      "ratio_to_no_rules", middle(wall), "cpu_ratio_to_no_rules", middle(cpu)));
	stage_free(with.stage);
	stage_free(without.stage);
}

int main(int argc, char **argv)
{
	char detail[POLICY_DETAIL_BYTES] = "";
	struct policy *policy = NULL;
	if (argc != 2 && (argc != 3 || strcmp(argv[2], "--sweep") != 0)) {
		fprintf(stderr, "usage: bench_detection REPORT.json [--sweep]\n");
		return 1;
	}
	must(policy_load("broker/policy.yaml", &policy, detail), detail);
	json_t *rows = json_array();
	if (argc == 3)
		sweep(policy_detection(policy));
	struct score score = judge_all(policy_detection(policy), tuning);
	print_score("tuning seeds 1 2 3", &score, rows);
	if (argc == 2) {
		score = judge_all(policy_detection(policy), judging);
		print_score("judging seeds 101 102 103", &score, rows);
		measure_cost(rows);
	}
	json_t *report = json_pack("{s:o}", "rows", rows);
	int failed = json_dump_file(report, argv[1], JSON_INDENT(2));
	json_decref(report);
	policy_free(policy);
	return failed != 0;
}
