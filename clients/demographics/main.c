// cpis-demographics: a small demographics service beside a broker, over a file of synthetic people. Answers whether records are
// of the person whose NHS number they bear, and tells the broker which numbers are not in use.
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "clients/cli/commands.h"
#include "clients/demographics/people.h"
#include "clients/responder/serving_brokers.h"
#include "proto/wire.h"

#define CALL_MS 10000u

struct service {
	const char *path;
	struct people *people;
	struct people *before;       // what the broker was last told of; NULL: nothing yet
	Cpis__V1__DemographicsMatch match[PUBLISH_RECORDS_MAX], *matches[PUBLISH_RECORDS_MAX]; // of the answer
};

static bool answer(void *context, const Cpis__V1__ResponderWork *work, Cpis__V1__ResponderAnswer *ret)
{
	struct service *service = context;
	if (work->question_case != CPIS__V1__RESPONDER_WORK__QUESTION_DEMOGRAPHICS ||
	    work->demographics->n_records > PUBLISH_RECORDS_MAX)
		return false;
	for (size_t i = 0; i < work->demographics->n_records; i++) {
		service->match[i] = people_match(service->people, work->demographics->records[i]);
		service->matches[i] = &service->match[i];
	}
	ret->matches = service->matches;
	ret->n_matches = work->demographics->n_records;
	return true;
}

// A file that cannot be read leaves the people there are: better the day before's than nobody.
static void changed(void *context)
{
	struct service *service = context;
	struct people *people = NULL;
	char detail[CSV_TABLE_DETAIL_BYTES] = "";
	if (!people_load(service->path, &people, detail)) {
		fprintf(stderr, "cpis-demographics: %s; the people before stay\n", detail);
		return;
	}
	if (service->before == NULL)
		service->before = service->people;
	else
		people_free(service->people);
	service->people = people;
	fprintf(stderr, "cpis-demographics: read %zu people\n", people_count(people));
}

// ------------------------------------------------------------------ announcing

struct announcing {
	struct cpis_client *client;
	enum cpis_status status;
	size_t told;
	Cpis__V1__NumberStatus number[ANNOUNCE_NUMBERS_MAX], *numbers[ANNOUNCE_NUMBERS_MAX];
	char digits[ANNOUNCE_NUMBERS_MAX][11];
	size_t count;
};

static bool send_announcement(struct announcing *announcing)
{
	Cpis__V1__ResponderAnnounceRequest body = CPIS__V1__RESPONDER_ANNOUNCE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	if (announcing->count == 0)
		return true;
	body.numbers = announcing->numbers;
	body.n_numbers = announcing->count;
	request.body_case = CPIS__V1__REQUEST__BODY_RESPONDER_ANNOUNCE;
	request.responder_announce = &body;
	announcing->status = cpis_call(announcing->client, &request, CALL_MS, &reply);
	if (announcing->status != CPIS_OK)
		return false;
	// Refused for now, or for good: the take that follows finds out.
	if (reply->outcome == CPIS__V1__OUTCOME__OK)
		announcing->told += announcing->count;
	else
		fprintf(stderr, "cpis-demographics: an announcement was refused: %s (%s)\n", reply->reason, reply->reason_code);
	bool done = reply->outcome == CPIS__V1__OUTCOME__OK;
	cpis_reply_free(reply);
	announcing->count = 0;
	announcing->status = done ? CPIS_OK : CPIS_TIMEOUT;
	return done;
}

static bool add(void *context, const char *nhs_number, Cpis__V1__DemographicsStatus status)
{
	struct announcing *announcing = context;
	size_t at = announcing->count++;
	memcpy(announcing->digits[at], nhs_number, sizeof announcing->digits[at]);
	cpis__v1__number_status__init(&announcing->number[at]);
	announcing->number[at].nhs_number = announcing->digits[at];
	announcing->number[at].status = status;
	announcing->numbers[at] = &announcing->number[at];
	return announcing->count < ANNOUNCE_NUMBERS_MAX || send_announcement(announcing);
}

// All that are not in use, each time: the broker changes what is new to it and nothing else. What a broker was told before it is
// asked about again stays true if this process was away meanwhile.
static enum cpis_status turn(void *context, struct cpis_client *client)
{
	struct service *service = context;
	struct announcing announcing = {.client = client, .status = CPIS_OK};
	people_each_change(service->people, service->before, add, &announcing);
	if (announcing.status == CPIS_OK)
		(void)send_announcement(&announcing);
	explicit_bzero(announcing.digits, sizeof announcing.digits);
	if (announcing.status != CPIS_OK)
		return announcing.status;
	people_free(service->before);
	service->before = NULL;
	fprintf(stderr, "cpis-demographics: announced %zu numbers\n", announcing.told);
	return CPIS_OK;
}

// ------------------------------------------------------------------ the program

static void print_help(FILE *out)
{
	fprintf(out, "usage: cpis-demographics --profile FILE PEOPLE.csv\n\n"
		     "Answers a broker's questions about people until SIGTERM; the broker's register must name the profile's\n"
		     "organisation as its demographics service. The file is read again when it changes; best replace it by renaming\n"
		     "another one. clients/README.md describes both files.\n");
}

static int complain(const char *what)
{
	fprintf(stderr, "cpis-demographics: %s\n", what);
	return EXIT_USAGE;
}

static int run(const char *profile_path, const char *path)
{
	static struct service service;
	struct profile *profile = NULL;
	char detail[PROFILE_DETAIL_BYTES] = "";
	int code = EXIT_USAGE;
	service.path = path;
	if (!profile_load(profile_path, &profile, detail) || !people_load(path, &service.people, detail)) {
		complain(detail);
	} else if (profile->role == NULL) {
		complain("the profile names no member of staff");
	} else {
		struct serving_job job = {.program = "cpis-demographics",
					  .profile = profile,
					  .kind = CPIS__V1__RESPONDER_KIND__DEMOGRAPHICS,
					  .watched = path,
					  .context = &service,
					  .answer = answer,
					  .changed = changed,
					  .turn = turn};
		fprintf(stderr, "cpis-demographics: read %zu people\n", people_count(service.people));
		code = serving_run(&job);
	}
	people_free(service.people);
	people_free(service.before);
	profile_free(profile);
	return code;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"profile", required_argument, NULL, 'p'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'},
		{NULL, 0, NULL, 0},
	};
	const char *profile = NULL;
	if (!serving_block_signals())
		return complain("signals cannot be blocked");
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (option == 'h' || option == 'v') {
			option == 'h' ? print_help(stdout) : (void)puts("cpis-demographics " CPIS_VERSION);
			return EXIT_DONE;
		}
		if (option != 'p')
			return complain("a wrong option; see cpis-demographics --help");
		profile = optarg;
	}
	if (profile == NULL || optind != argc - 1) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	return run(profile, argv[optind]);
}
