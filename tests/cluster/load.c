// Constant load on a service of several brokers, and the proof of what it was told: four nurses ask, each child in the two steps, and
// an authority publishes, until SIGTERM; then all that was acknowledged is looked for.
//
//	load DIRECTORY STATUS FIRST_CHILD
//
// DIRECTORY is service.sh's; the run has the LOAD_CHILDREN children from FIRST_CHILD on for itself. The file STATUS has the number of
// answers so far, so that who injects faults sees it grow. Prints one line at the end:
//	gap_ms wait_ms requests attempts answered retried failed records notices plans lost doubled
// and ends with 1 when anything is lost, doubled or failed.
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "tests/cluster/check.h"

#define LOOKERS 4u
#define LOOKS_EACH 2000u
#define PUBLISHED 400u // one after the other while it runs
#define BEFORE (LOOKERS * LOOKS_EACH)
#define LOAD_CHILDREN (BEFORE + PUBLISHED)
#define AT_ONCE 200u // records of one request
#define LOOK_PAUSE_MS 40u
#define PUBLISH_PAUSE_MS 150u
#define PATIENCE_MS 60000u
#define STATUS_MS 100

struct worker {
	pthread_t thread;
	unsigned number; // LOOKERS: the authority
	struct asker asker;
	struct book book;
	struct check_found found;
	unsigned long failed, broken;
};

static struct brokers brokers;
static struct nhs_number *children;
static char start_date[11];
static int stop = -1; // can be read from SIGTERM on

// ------------------------------------------------------------------ asking

static void note(struct worker *worker, struct book_entry *entry, enum asked asked, const Cpis__V1__Reply *reply, uint64_t begun_ms)
{
	uint64_t now = asker_now_ms();
	if (asked == ASKED_ANSWERED) {
		entry->acknowledged = true;
		entry->broker = worker->asker.current;
		entry->index = reply->receipt->index;
		if (now - begun_ms > worker->book.wait_ms)
			worker->book.wait_ms = now - begun_ms;
		book_answered(now);
		return;
	}
	fprintf(stderr, "FAILED: %s of %s after %llu ms: %s\n", wire_operation_name(entry->operation), entry->child,
		(unsigned long long)(now - begun_ms), reply == NULL ? "no answer" : reply->reason_code);
	worker->failed++;
	worker->broken += asked == ASKED_BROKEN;
}

static void ask(struct worker *worker, Cpis__V1__Request *request, bool is_act, const char *child, Cpis__V1__Operation operation)
{
	uint8_t id[REQUEST_ID_BYTES];
	const Cpis__V1__Reply *reply = NULL;
	asker_new_id(id);
	struct book_entry *entry = book_add(&worker->book, id, child, operation);
	uint64_t begun_ms = asker_now_ms();
	enum asked asked = asker_ask(&worker->asker, request, is_act, id, PATIENCE_MS, &reply);
	note(worker, entry, asked, reply, begun_ms);
	cpis_reply_free(reply);
}

static void look(struct worker *worker, char *child)
{
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	flag.nhs_number = child;
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &flag;
	ask(worker, &request, false, child, CPIS__V1__OPERATION__FLAG);
	details.nhs_number = child;
	cpis__v1__request__init(&request);
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	ask(worker, &request, false, child, CPIS__V1__OPERATION__DETAILS);
}

static void *run_looker(void *context)
{
	struct worker *worker = context;
	char person[16];
	snprintf(person, sizeof person, "nurse%u", worker->number + 1);
	asker_init(&worker->asker, &brokers, "hospital", person, "R8001");
	worker->asker.current = worker->number % brokers.count;
	for (unsigned i = 0; i < LOOKS_EACH && !asker_wait(stop, LOOK_PAUSE_MS); i++)
		look(worker, children[worker->number * LOOKS_EACH + i].digits);
	// In the same thread, and at once with the others.
	check_records(&brokers, &worker->book, &worker->found);
	asker_done(&worker->asker);
	return NULL;
}

// ------------------------------------------------------------------ publishing

static void publish(struct worker *worker, size_t first, size_t count)
{
	static char birth_date[] = "2016-06-01", family_name[] = "EXAMPLE", given_names[] = "ALEX", authority[] = "383";
	Cpis__V1__PlanRecord records[AT_ONCE], *list[AT_ONCE];
	Cpis__V1__PublishRequest publish = CPIS__V1__PUBLISH_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	for (size_t i = 0; i < count; i++) {
		cpis__v1__plan_record__init(&records[i]);
		records[i].nhs_number = children[first + i].digits;
		records[i].type = CPIS__V1__PLAN_TYPE__CPP;
		records[i].start_date = start_date;
		records[i].birth_date = birth_date;
		records[i].family_name = family_name;
		records[i].given_names = given_names;
		records[i].row = (uint32_t)i + 1;
		list[i] = &records[i];
	}
	publish.authority = authority;
	publish.n_records = count;
	publish.records = list;
	request.body_case = CPIS__V1__REQUEST__BODY_PUBLISH;
	request.publish = &publish;
	ask(worker, &request, true, children[first].digits, CPIS__V1__OPERATION__PUBLISH);
}

static void set_contacts(struct worker *worker)
{
	static char emergency_duty[] = "0113 496 0000", office_hours[] = "0113 496 0100";
	Cpis__V1__ContactsSetRequest contacts = CPIS__V1__CONTACTS_SET_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	contacts.emergency_duty_telephone = emergency_duty;
	contacts.office_hours_telephone = office_hours;
	request.body_case = CPIS__V1__REQUEST__BODY_CONTACTS_SET;
	request.contacts_set = &contacts;
	ask(worker, &request, true, "", CPIS__V1__OPERATION__CONTACTS_SET);
}

static void *run_authority(void *context)
{
	struct worker *worker = context;
	for (unsigned i = 0; i < PUBLISHED && !asker_wait(stop, PUBLISH_PAUSE_MS); i++)
		publish(worker, BEFORE + i, 1);
	check_records(&brokers, &worker->book, &worker->found);
	return NULL;
}

// ------------------------------------------------------------------ the run

static bool begin(struct worker workers[LOOKERS + 1])
{
	struct worker *authority = &workers[LOOKERS];
	asker_init(&authority->asker, &brokers, "leeds", "leeds", "R9535");
	set_contacts(authority);
	for (size_t first = 0; first < BEFORE && authority->failed == 0; first += AT_ONCE)
		publish(authority, first, AT_ONCE);
	if (authority->failed > 0)
		return false;
	// What was made ready first is not what is measured.
	authority->book.wait_ms = 0;
	book_begin_times();
	for (unsigned i = 0; i <= LOOKERS; i++) {
		workers[i].number = i;
		if (pthread_create(&workers[i].thread, NULL, i == LOOKERS ? run_authority : run_looker, &workers[i]) != 0)
			return false;
	}
	return true;
}

static void show_status(int status)
{
	char line[16];
	int bytes = snprintf(line, sizeof line, "%14lu\n", book_answers());
	if (pwrite(status, line, (size_t)bytes, 0) != bytes)
		abort();
}

static void add(struct check_found *sum, const struct check_found *more)
{
	sum->records += more->records;
	sum->lost += more->lost;
	sum->unasked += more->unasked;
}

// Everything is up again, and nobody asks any more.
static int conclude(struct worker workers[LOOKERS + 1], uint64_t gap_ms)
{
	struct book books[LOOKERS + 1];
	struct check_found sum = {0};
	struct asker looker;
	unsigned long requests = 0, answered = 0, attempts = 0, retried = 0, failed = 0, broken = 0;
	uint64_t wait_ms = 0;
	for (unsigned i = 0; i <= LOOKERS; i++) {
		struct worker *worker = &workers[i];
		books[i] = worker->book;
		add(&sum, &worker->found);
		for (size_t e = 0; e < worker->book.count; e++)
			answered += worker->book.entries[e].acknowledged;
		requests += worker->book.count;
		attempts += worker->asker.sent;
		retried += worker->asker.retried;
		failed += worker->failed;
		broken += worker->broken;
		wait_ms = worker->book.wait_ms > wait_ms ? worker->book.wait_ms : wait_ms;
	}
	struct book published = books[LOOKERS];
	published.entries++; // the contacts
	published.count--;
	asker_init(&looker, &brokers, "hospital", "nurse1", "R8001");
	check_plans(&looker, &published, &sum);
	check_inbox(&brokers, books, LOOKERS, &sum);
	asker_done(&looker);
	printf("%llu %llu %lu %lu %lu %lu %lu %lu %lu %lu %lu %lu\n", (unsigned long long)gap_ms, (unsigned long long)wait_ms, requests, attempts,
	       answered, retried, failed, sum.records, sum.notices, sum.plans, sum.lost, sum.doubled);
	if (sum.unasked > 0)
		fprintf(stderr, "load: %lu questions of the check had no answer: nothing is proven\n", sum.unasked);
	return sum.lost + sum.doubled + sum.unasked + failed + broken > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static struct worker workers[LOOKERS + 1];
	uint64_t one = 1;
	sigset_t end;
	if (argc != 4) {
		fprintf(stderr, "usage: load DIRECTORY STATUS FIRST_CHILD\n");
		return 2;
	}
	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &end, NULL);
	int signals = signalfd(-1, &end, SFD_CLOEXEC), status = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	stop = eventfd(0, EFD_CLOEXEC);
	time_t month_ago = time(NULL) - 30 * 86400;
	strftime(start_date, sizeof start_date, "%Y-%m-%d", gmtime(&month_ago));
	children = book_children(strtoul(argv[3], NULL, 10), LOAD_CHILDREN);
	if (signals < 0 || status < 0 || stop < 0 || !brokers_read(argv[1], &brokers) || !begin(workers)) {
		fprintf(stderr, "load: it could not begin\n");
		return 2;
	}
	while (!asker_wait(signals, STATUS_MS))
		show_status(status);
	uint64_t gap_ms = book_gap_ms();
	if (write(stop, &one, sizeof one) != sizeof one)
		abort();
	for (unsigned i = 0; i <= LOOKERS; i++)
		pthread_join(workers[i].thread, NULL);
	int code = conclude(workers, gap_ms);
	for (unsigned i = 0; i <= LOOKERS; i++)
		book_done(&workers[i].book);
	asker_done(&workers[LOOKERS].asker);
	free(children);
	return code;
}
