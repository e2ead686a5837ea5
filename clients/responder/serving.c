// The loop of a responder.
#include "clients/responder/serving.h"

#include <errno.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clients/cli/commands.h"
#include "proto/text.h"
#include "proto/wire.h"

#define CALL_MS 10000u
#define GOSSIP_MS 3000u // whoever asks waits meanwhile
#define TAKE_WAIT_MS 40000u
#define COME_BACK_MS 1000

// What comes next.
enum step { STEP_GO_ON, STEP_REGISTER, STEP_SIGN_IN, STEP_CONNECT, STEP_STOP };

struct serving {
	const struct serving_job *job;
	size_t broker;               // profile_broker
	int key_lock;                // cpis_options.key_lock
	struct cpis_client *client;
	int signals, files, both;    // both: an epoll of the two
	bool stopping;
	bool turn_due;
	bool said_lost;
	int exit_code;
};

static void say(const struct serving *serving, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(const struct serving *serving, const char *format, ...)
{
	va_list arguments;
	char text[1024];
	const struct profile *profile = serving->job->profile;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	// In one piece: several processes may write here.
	if (profile_brokers_count(profile) == 1)
		dprintf(STDERR_FILENO, "%s: %s\n", serving->job->program, text);
	else
		dprintf(STDERR_FILENO, "%s: at %s: %s\n", serving->job->program, profile_broker(profile, serving->broker).endpoint, text);
}

// ------------------------------------------------------------------ what interrupts

bool serving_block_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	signal(SIGPIPE, SIG_IGN);
	return sigprocmask(SIG_BLOCK, &set, NULL) == 0;
}

// The directory, because a file is best replaced by renaming another one.
static bool watch(struct serving *serving)
{
	char path[4096];
	if (serving->job->watched == NULL)
		return true;
	snprintf(path, sizeof path, "%s", serving->job->watched);
	serving->files = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	return serving->files >= 0 &&
	       inotify_add_watch(serving->files, dirname(path), IN_CLOSE_WRITE | IN_MOVED_TO) >= 0;
}

static bool open_interrupts(struct serving *serving)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	serving->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	serving->both = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = {.events = EPOLLIN};
	if (serving->signals < 0 || serving->both < 0 || !watch(serving) ||
	    epoll_ctl(serving->both, EPOLL_CTL_ADD, serving->signals, &event) != 0)
		return false;
	return serving->files < 0 || epoll_ctl(serving->both, EPOLL_CTL_ADD, serving->files, &event) == 0;
}

static void read_interrupts(struct serving *serving)
{
	struct signalfd_siginfo info;
	char events[4096];
	bool changed = false;
	if (read(serving->signals, &info, sizeof info) == (ssize_t)sizeof info)
		serving->stopping = true;
	while (serving->files >= 0 && read(serving->files, events, sizeof events) > 0)
		changed = true;
	if (changed && serving->job->changed != NULL) {
		serving->job->changed(serving->job->context);
		serving->turn_due = true;
	}
}

static void wait_before_coming_back(struct serving *serving)
{
	struct pollfd item = {.fd = serving->both, .events = POLLIN};
	if (poll(&item, 1, COME_BACK_MS) > 0)
		read_interrupts(serving);
}

// ------------------------------------------------------------------ what becomes of a call

static enum step give_up(struct serving *serving, int code)
{
	serving->exit_code = code;
	return STEP_STOP;
}

static enum step lost(struct serving *serving, enum cpis_status status)
{
	if (status == CPIS_INTERRUPTED) {
		read_interrupts(serving);
		return serving->stopping ? STEP_STOP : STEP_GO_ON;
	}
	if (!serving->said_lost)
		say(serving, "%s: %s; it is tried again", cpis_status_text(status),
		    serving->client == NULL ? "" : cpis_detail(serving->client));
	serving->said_lost = true;
	// A log that was shortened or is another one, or a proof that does not hold, is not a thing to go on with.
	bool two = status == CPIS_RECEIPT || status == CPIS_LOG_SHORTENED || status == CPIS_LOG_FORKED ||
		   status == CPIS_LOG_UNWITNESSED;
	return two ? give_up(serving, EXIT_PROOF) : STEP_CONNECT;
}

static enum step judge(struct serving *serving, const Cpis__V1__Reply *reply)
{
	switch (reply->outcome) {
	case CPIS__V1__OUTCOME__OK:
		return STEP_GO_ON;
	case CPIS__V1__OUTCOME__INVALID_REQUEST_STATE:
		return STEP_REGISTER;
	case CPIS__V1__OUTCOME__SESSION_EXPIRED:
		return STEP_SIGN_IN;
	case CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE:
	case CPIS__V1__OUTCOME__DEADLINE_EXPIRED:
	case CPIS__V1__OUTCOME__TOO_MANY_REQUESTS:
		return STEP_CONNECT;
	default:
		say(serving, "%s %s (%s)", wire_outcome_name(reply->outcome), reply->reason, reply->reason_code);
		return give_up(serving, EXIT_REFUSED);
	}
}

// ------------------------------------------------------------------ steps

static enum step connect_to_broker(struct serving *serving)
{
	char detail[CPIS_DETAIL_BYTES] = "";
	struct cpis_options options;
	profile_connect_options(serving->job->profile, serving->broker, &options);
	options.key_lock = serving->key_lock;
	cpis_close(serving->client);
	serving->client = NULL;
	enum cpis_status status = cpis_connect(&options, &serving->client, detail);
	if (status != CPIS_OK) {
		say(serving, "%s: %s", cpis_status_text(status), detail);
		return give_up(serving, EXIT_REFUSED);
	}
	cpis_set_interrupt(serving->client, serving->both);
	return STEP_SIGN_IN;
}

static enum cpis_status gossip(const struct serving *serving)
{
	bool compared;
	if (!cpis_exchange_is_due(serving->client))
		return CPIS_OK;
	enum cpis_status status = cpis_exchange_checkpoints(serving->client, NULL, GOSSIP_MS, &compared);
	if (status != CPIS_OK && status != CPIS_TIMEOUT)
		return status;
	if (!compared)
		say(serving, "WARNING: the audit log was not compared with what others were shown of it: %s",
		    status == CPIS_OK ? cpis_detail(serving->client) : cpis_status_text(status));
	return CPIS_OK;
}

// As `cpis` does before its first question.
static enum cpis_status ask_about_log(const struct serving *serving)
{
	const struct profile *profile = serving->job->profile;
	enum cpis_status status = gossip(serving);
	if (status != CPIS_OK || profile->witness == NULL)
		return status;
	status = cpis_require_witnessed(serving->client, profile->witness_age_max_s, CALL_MS);
	if ((status != CPIS_LOG_UNWITNESSED && status != CPIS_TIMEOUT) || strcmp(profile->witness, "warn") != 0)
		return status;
	say(serving, "WARNING: %s: %s", cpis_status_text(status), cpis_detail(serving->client));
	return CPIS_OK;
}

static enum step sign_in(struct serving *serving)
{
	const struct profile *profile = serving->job->profile;
	const Cpis__V1__Reply *reply = NULL;
	enum cpis_status status = ask_about_log(serving);
	if (status == CPIS_OK)
		status = cpis_session_open(serving->client, profile->staff_certificate, profile->staff_key,
						    profile->role, CALL_MS, &reply);
	if (status == CPIS_CREDENTIALS) {
		say(serving, "%s", cpis_detail(serving->client));
		return give_up(serving, EXIT_REFUSED);
	}
	if (status != CPIS_OK) {
		enum step step = lost(serving, status);
		return step == STEP_GO_ON ? STEP_SIGN_IN : step;
	}
	enum step step = judge(serving, reply);
	cpis_reply_free(reply);
	return step == STEP_GO_ON ? STEP_REGISTER : step;
}

static enum step register_one(struct serving *serving, const struct serving_range *range)
{
	const Cpis__V1__Reply *reply = NULL;
	enum cpis_status status = cpis_responder_register(serving->client, serving->job->profile->staff_key,
							  serving->job->kind, range == NULL ? NULL : range->first,
							  range == NULL ? NULL : range->last, CALL_MS, &reply);
	if (status != CPIS_OK) {
		enum step step = lost(serving, status);
		return step == STEP_GO_ON ? STEP_REGISTER : step;
	}
	enum step step = judge(serving, reply);
	cpis_reply_free(reply);
	return step;
}

static enum step register_all(struct serving *serving)
{
	const struct serving_job *job = serving->job;
	if (job->kind == CPIS__V1__RESPONDER_KIND__DEMOGRAPHICS) {
		enum step step = register_one(serving, NULL);
		if (step != STEP_GO_ON)
			return step;
	}
	for (unsigned i = 0; i < job->range_count; i++) {
		enum step step = register_one(serving, &job->ranges[i]);
		if (step != STEP_GO_ON)
			return step;
	}
	say(serving, "ready: answers %s", job->kind == CPIS__V1__RESPONDER_KIND__DEMOGRAPHICS ? "demographics" : "plans");
	serving->said_lost = false;
	serving->turn_due = true;
	return STEP_GO_ON;
}

static enum step answer(struct serving *serving, const Cpis__V1__ResponderWork *work)
{
	Cpis__V1__ResponderAnswer answer = CPIS__V1__RESPONDER_ANSWER__INIT;
	const Cpis__V1__Reply *reply = NULL;
	if (!serving->job->answer(serving->job->context, work, &answer))
		return STEP_GO_ON;
	// Whoever asked waits: this one goes out whatever else happens.
	cpis_set_interrupt(serving->client, -1);
	enum cpis_status status = cpis_responder_answer(serving->client, work, &answer, CALL_MS, &reply);
	cpis_set_interrupt(serving->client, serving->both);
	if (status != CPIS_OK)
		return lost(serving, status);
	// One answer that is not believed is told of, and is no reason to go: the next question has another.
	enum step step = STEP_GO_ON;
	if (reply->outcome == CPIS__V1__OUTCOME__INVALID_VALUE)
		say(serving, "an answer was refused: %s (%s)", reply->reason, reply->reason_code);
	else
		step = judge(serving, reply);
	cpis_reply_free(reply);
	return step;
}

static enum step take_and_answer(struct serving *serving)
{
	const Cpis__V1__Reply *reply = NULL;
	if (serving->turn_due && serving->job->turn != NULL) {
		enum cpis_status status = serving->job->turn(serving->job->context, serving->client);
		if (status != CPIS_OK)
			return lost(serving, status);
	}
	serving->turn_due = false;
	enum cpis_status status = gossip(serving);
	if (status != CPIS_OK)
		return lost(serving, status);
	status = cpis_responder_take(serving->client, TAKE_WAIT_MS, TAKE_WAIT_MS + CALL_MS, &reply);
	if (status != CPIS_OK)
		return lost(serving, status);
	// A broker whose keys have changed does not know the token: whether the person still counts, signing in will tell.
	enum step step = reply->outcome == CPIS__V1__OUTCOME__AUTHOR_CREDENTIALS_ERROR ? STEP_SIGN_IN : judge(serving, reply);
	if (step == STEP_GO_ON && reply->responder_take->work != NULL)
		step = answer(serving, reply->responder_take->work);
	cpis_reply_free(reply);
	return step;
}

static enum step next(struct serving *serving, enum step step)
{
	switch (step) {
	case STEP_CONNECT:
		if (serving->client != NULL)
			wait_before_coming_back(serving);
		return serving->stopping ? STEP_STOP : connect_to_broker(serving);
	case STEP_SIGN_IN:
		return sign_in(serving);
	case STEP_REGISTER:
		return register_all(serving);
	case STEP_GO_ON:
		return take_and_answer(serving);
	case STEP_STOP:
		break;
	}
	return STEP_STOP;
}

int serving_run_at(const struct serving_job *job, size_t broker, int key_lock)
{
	struct serving serving = {
		.job = job, .broker = broker, .key_lock = key_lock, .signals = -1, .files = -1, .both = -1};
	if (open_interrupts(&serving)) {
		for (enum step step = STEP_CONNECT; step != STEP_STOP && !serving.stopping;)
			step = next(&serving, step);
	} else {
		say(&serving, "cannot wait for signals and files: %s", strerror(errno));
		serving.exit_code = EXIT_FAILED;
	}
	cpis_close(serving.client);
	close(serving.both);
	if (serving.files >= 0)
		close(serving.files);
	if (serving.signals >= 0)
		close(serving.signals);
	if (serving.exit_code == EXIT_DONE)
		say(&serving, "stopped");
	return serving.exit_code;
}

bool serving_range_parse(const char *text, struct serving_range *ret)
{
	if (strlen(text) != 21 || text[10] != '-' || !text_is_digits(text, 10, 10) || !text_is_digits(text + 11, 10, 10))
		return false;
	memcpy(ret->first, text, 10);
	ret->first[10] = '\0';
	memcpy(ret->last, text + 11, 11);
	return strcmp(ret->first, ret->last) <= 0;
}
