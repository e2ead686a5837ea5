// Whether two halves of a partitioned service can be of two minds: a system is held back while the network is cut, and from the
// acknowledgement on no broker answers it, on whichever side it is.
//
//	partition DIRECTORY STATUS
//
// DIRECTORY is service.sh's. An ambulance asks each broker all the time. The file STATUS has a word for who injects the fault:
//	asking     each broker has answered: cut, then SIGUSR1
//	held       its system's quarantine was acknowledged: heal, then SIGUSR2
//	answering  it was lifted, and each broker has answered again: the end
// Prints one line: held_ms (from SIGUSR1 to the acknowledgement) and, from the acknowledgement to the lifting: refused unanswered answered; and ends with 1 when
// that last is not 0. Under way: asked before the acknowledgement and answered after it, which may be.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "tests/cluster/brokers.h"

#define PROBE_MS 1000u
#define PROBE_PAUSE_MS 20u
#define PATIENCE_MS 60000u
#define STEP_MS 120000u
#define SYSTEM "RYD/ambulance-record-system"

struct prober {
	pthread_t thread;
	struct asker asker;
	size_t broker;
	_Atomic unsigned long answers;    // all
	unsigned long refused, unanswered, violations, under_way;
};

static struct brokers brokers;
static _Atomic uint64_t held_ms = UINT64_MAX, lifting_ms = UINT64_MAX; // when, by asker_now_ms
static int stop = -1;
static struct prober probers[BROKERS_COUNT_MAX];

// ------------------------------------------------------------------ the ambulance

static void judge(struct prober *prober, enum asked asked, uint64_t begun, uint64_t ended)
{
	uint64_t held = atomic_load(&held_ms), lifting = atomic_load(&lifting_ms);
	if (ended <= held || ended >= lifting)
		return;
	if (asked == ASKED_ANSWERED && begun > held) {
		fprintf(stderr, "SPLIT: broker %zu answered a system %llu ms after it was held back\n", prober->broker + 1,
			(unsigned long long)(begun - held));
		prober->violations++;
	}
	prober->under_way += asked == ASKED_ANSWERED && begun <= held;
	prober->refused += asked == ASKED_REFUSED;
	prober->unanswered += asked == ASKED_NOTHING;
}

static void *probe(void *context)
{
	static char child[] = "9990000018";
	struct prober *prober = context;
	struct asker *asker = &prober->asker;
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	flag.nhs_number = child;
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &flag;
	asker_init(asker, &brokers, "ambulance", "paramedic", "R1070");
	asker->current = prober->broker;
	while (!asker_wait(stop, PROBE_PAUSE_MS)) {
		uint8_t id[REQUEST_ID_BYTES];
		const Cpis__V1__Reply *reply = NULL;
		uint64_t begun = asker_now_ms();
		asker_new_id(id);
		enum asked asked = asker_try(asker, &request, false, id, PROBE_MS, &reply);
		judge(prober, asked, begun, asker_now_ms());
		if (asked == ASKED_ANSWERED)
			atomic_fetch_add(&prober->answers, 1);
		else
			asker_done(asker); // who was thrown out comes in again by a new connection
		cpis_reply_free(reply);
	}
	asker_done(asker);
	return NULL;
}

// Each has answered again since this was called.
static bool all_answer(void)
{
	unsigned long before[BROKERS_COUNT_MAX];
	uint64_t end = asker_now_ms() + STEP_MS;
	for (size_t i = 0; i < brokers.count; i++)
		before[i] = atomic_load(&probers[i].answers);
	for (size_t i = 0; i < brokers.count;) {
		if (atomic_load(&probers[i].answers) > before[i])
			i++;
		else if (asker_now_ms() > end)
			return fprintf(stderr, "partition: broker %zu does not answer the ambulance\n", i + 1), false;
		else
			(void)asker_wait(-1, PROBE_PAUSE_MS);
	}
	return true;
}

// ------------------------------------------------------------------ the registrar

static bool act(struct asker *registrar, bool is_lift)
{
	static char target[] = SYSTEM, reason[] = "its network was broken into";
	Cpis__V1__QuarantineSetRequest set = CPIS__V1__QUARANTINE_SET_REQUEST__INIT;
	Cpis__V1__QuarantineLiftRequest lift = CPIS__V1__QUARANTINE_LIFT_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	uint8_t id[REQUEST_ID_BYTES];
	const Cpis__V1__Reply *reply = NULL;
	set.kind = lift.kind = CPIS__V1__QUARANTINE_KIND__SYSTEM;
	set.target = lift.target = target;
	set.reason = lift.reason = reason;
	request.body_case = is_lift ? CPIS__V1__REQUEST__BODY_QUARANTINE_LIFT : CPIS__V1__REQUEST__BODY_QUARANTINE_SET;
	if (is_lift)
		request.quarantine_lift = &lift;
	else
		request.quarantine_set = &set;
	asker_new_id(id);
	enum asked asked = asker_ask(registrar, &request, true, id, PATIENCE_MS, &reply);
	if (asked != ASKED_ANSWERED)
		fprintf(stderr, "partition: the registrar: %s\n", reply == NULL ? "no answer" : reply->reason_code);
	cpis_reply_free(reply);
	return asked == ASKED_ANSWERED;
}

// ------------------------------------------------------------------ the steps

static void say(const char *path, const char *word)
{
	char aside[300];
	snprintf(aside, sizeof aside, "%s.aside", path);
	FILE *file = fopen(aside, "we");
	if (file == NULL || fprintf(file, "%s\n", word) < 0 || fclose(file) != 0 || rename(aside, path) != 0)
		abort();
}

static bool told(int signals, uint32_t number)
{
	struct signalfd_siginfo came;
	return asker_wait(signals, STEP_MS) && read(signals, &came, sizeof came) == sizeof came && came.ssi_signo == number;
}

static bool run(const char *status, int signals, uint64_t *ret_took_ms)
{
	struct asker registrar;
	asker_init(&registrar, &brokers, "national", "registrar", "R5080");
	bool good = all_answer();
	if (good)
		say(status, "asking");
	good = good && told(signals, SIGUSR1);
	uint64_t begun = asker_now_ms();
	good = good && act(&registrar, false);
	atomic_store(&held_ms, asker_now_ms());
	*ret_took_ms = asker_now_ms() - begun;
	if (good)
		say(status, "held");
	good = good && told(signals, SIGUSR2);
	atomic_store(&lifting_ms, asker_now_ms());
	good = act(&registrar, true) && good && all_answer();
	asker_done(&registrar);
	if (good)
		say(status, "answering");
	return good;
}

int main(int argc, char **argv)
{
	uint64_t one = 1, took_ms = 0;
	sigset_t steps;
	if (argc != 3 || !brokers_read(argv[1], &brokers)) {
		fprintf(stderr, "usage: partition DIRECTORY STATUS\n");
		return 2;
	}
	sigemptyset(&steps);
	sigaddset(&steps, SIGUSR1);
	sigaddset(&steps, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &steps, NULL);
	int signals = signalfd(-1, &steps, SFD_CLOEXEC);
	stop = eventfd(0, EFD_CLOEXEC);
	for (size_t i = 0; i < brokers.count; i++) {
		probers[i].broker = i;
		if (pthread_create(&probers[i].thread, NULL, probe, &probers[i]) != 0)
			return 2;
	}
	bool good = run(argv[2], signals, &took_ms);
	if (write(stop, &one, sizeof one) != sizeof one)
		abort();
	struct prober sum = {0};
	for (size_t i = 0; i < brokers.count; i++) {
		pthread_join(probers[i].thread, NULL);
		sum.refused += probers[i].refused;
		sum.unanswered += probers[i].unanswered;
		sum.violations += probers[i].violations;
		sum.under_way += probers[i].under_way;
	}
	printf("%llu %lu %lu %lu %lu\n", (unsigned long long)took_ms, sum.refused, sum.unanswered, sum.violations, sum.under_way);
	return good && sum.violations == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
