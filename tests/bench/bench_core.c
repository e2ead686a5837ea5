// What the broker's core costs for each query of the mix, without a network: decoding, deciding, recording, committing, proving;
// by the number of requests that share a commit. For finding out where the time goes (perf, callgrind); bench_query has what counts.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "proto/nhs_number.h"
#include "tests/harness/stage.h"

#define REQUESTS 20000u
#define CHILDREN 9u
#define STRANGERS 4000u

static struct stage *stage;
static struct core *core;
static char strangers[STRANGERS][NHS_NUMBER_DIGITS + 1];

static double seconds(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// Of the range kept for tests, behind those of the cast.
static void make_numbers(void)
{
	size_t count = 0;
	for (unsigned i = 5000; count < STRANGERS; i++) {
		struct nhs_number number;
		for (unsigned check = 0; check < 10; check++) {
			snprintf(strangers[count], sizeof strangers[count], "99900%04u%u", i, check);
			if (nhs_number_parse(strangers[count], NHS_NUMBER_DIGITS, &number) == NHS_NUMBER_OK) {
				count++;
				break;
			}
		}
	}
}

static size_t make_query(unsigned i, uint8_t out[MESSAGE_BYTES_MAX])
{
	uint8_t id[REQUEST_ID_BYTES] = {0};
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	memcpy(id, &i, sizeof i);
	bool known = i % 20 == 0;
	request.protocol_version = PROTOCOL_VERSION;
	request.request_id = (ProtobufCBinaryData){sizeof id, id};
	request.deadline_ms = 10000;
	request.session_token = (ProtobufCBinaryData){stage->token_bytes[NURSE], stage->tokens[NURSE]};
	flag.nhs_number = details.nhs_number = (char *)(uintptr_t)(known ? stage_child(i / 20 % CHILDREN) : strangers[i % STRANGERS]);
	flag.care_setting = details.care_setting = CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT;
	request.body_case = known ? CPIS__V1__REQUEST__BODY_DETAILS : CPIS__V1__REQUEST__BODY_FLAG;
	if (known)
		request.details = &details;
	else
		request.flag = &flag;
	return cpis__v1__request__pack(&request, out);
}

static void check(const uint8_t *data, size_t bytes)
{
	// Field 3, the outcome, is OK.
	size_t at = 4 + REQUEST_ID_BYTES;
	if (bytes < at + 2 || data[at] != 0x18 || data[at + 1] != 1) {
		fprintf(stderr, "a query was not answered with OK\n");
		exit(1);
	}
}

// As many in a commit as the broker takes, and no bound on how often one nurse asks.
static struct core *make_core(void)
{
	static struct policy *policy;
	char detail[CORE_DETAIL_BYTES + POLICY_DETAIL_BYTES] = "";
	struct core *made = NULL;
	size_t bytes, kept = 0;
	const char *text = (const char *)policy_text(stage->policy, &bytes);
	char *unbounded = malloc(bytes);
	for (const char *line = text, *end; unbounded != NULL && line < text + bytes; line = end) {
		end = (const char *)memchr(line, '\n', (size_t)(text + bytes - line)) + 1;
		if (memmem(line, (size_t)(end - line), "person_per_minute:", 18) != NULL)
			continue;
		memcpy(unbounded + kept, line, (size_t)(end - line));
		kept += (size_t)(end - line);
	}
	struct core_options options = {
		.broker_name = STAGE_BROKER_NAME,
		.log_origin = stage->log.origin,
		.store = stage->disk,
		.vault = stage->vault,
		.session_keys = stage->session_keys,
		.log_key = stage->log_key,
		.snapshot = stage->snapshot,
		.batch_max = 1024,
	};
	if (!policy_read((const uint8_t *)unbounded, kept, "bench", &policy, detail)) {
		fprintf(stderr, "%s\n", detail);
		exit(1);
	}
	options.policy = policy;
	if (!core_new(&options, &made, detail)) {
		fprintf(stderr, "%s\n", detail);
		exit(1);
	}
	free(unbounded);
	return made;
}

static void flush(void)
{
	if (!core_flush(core, stage->now_ms))
		exit(1);
	for (size_t i = 0; i < core_pending(core); i++) {
		const uint8_t *data;
		size_t bytes;
		core_reply(core, i, &data, &bytes);
		check(data, bytes);
	}
	core_clear(core);
}

static json_t *measure(unsigned batch)
{
	uint8_t message[MESSAGE_BYTES_MAX];
	char name[32];
	unsigned requests = batch == 1 ? REQUESTS / 10 : REQUESTS;
	double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
	for (unsigned i = 0; i < requests; i++) {
		struct core_arrival arrival = {.channel_key = stage->keys[STAGE_HOSPITAL].public_key, .data = message,
					       .bytes = make_query(i, message)};
		if (core_submit(core, &arrival, stage->now_ms++) == CORE_FULL) {
			flush();
			if (core_submit(core, &arrival, stage->now_ms) != CORE_TAKEN)
				exit(1);
		}
		if (core_pending(core) == batch)
			flush();
	}
	flush();
	wall = (seconds(CLOCK_MONOTONIC) - wall) * 1e6 / requests;
	cpu = (seconds(CLOCK_THREAD_CPUTIME_ID) - cpu) * 1e6 / requests;
	snprintf(name, sizeof name, "core_batch_%u", batch);
	printf("%-22s %9.0f/s  CPU %6.1f us a query\n", name, 1e6 / wall, cpu);
	return json_pack("{s:s, s:f, s:f}", "name", name, "rps", 1e6 / wall, "server_cpu_us", cpu);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: bench_core REPORT.json [BATCH]\n");
		return 1;
	}
	make_numbers();
	stage = stage_new();
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, LEEDS_WORKER);
	for (unsigned i = 0; i < CHILDREN; i++)
		stage_publish(stage, LEEDS_WORKER, stage_child(i), CPIS__V1__PLAN_TYPE__CPP, "2026-02-03", NULL, NULL);
	core = make_core();
	static const unsigned batches[] = {1, 16, 64, 256};
	json_t *rows = json_array();
	for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++)
		if (argc < 3 || strtoul(argv[2], NULL, 10) == batches[i])
			json_array_append_new(rows, measure(batches[i]));
	json_t *report = json_pack("{s:o}", "rows", rows);
	int failed = json_dump_file(report, argv[1], JSON_INDENT(2));
	json_decref(report);
	core_free(core);
	stage_free(stage);
	return failed != 0;
}
