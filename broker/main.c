// cpis-broker: reads the configuration, starts the parts in the order that fails closed, serves until told to stop.
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "broker/attempts.h"
#include "broker/clock.h"
#include "broker/config.h"
#include "broker/core.h"
#include "broker/listeners.h"
#include "broker/log.h"
#include "broker/parked.h"
#include "broker/zap.h"
#include "certs/note.h"

// How often the register's files are looked at: half of the time in which a revocation must work.
#define REGISTER_CHECK_MS 200u
// And loaded anew even if nothing changed, so that a certificate whose time has come is admitted.
#define REGISTER_RELOAD_MS (60u * 60u * 1000u)
// How often it is looked whether something is due by time.
#define TICK_MS 200u
#define DETAIL_BYTES 512
#define ATTEMPTS_PER_COMMIT 16u

enum { EXIT_USAGE_ERROR = 1, EXIT_CANNOT_START = 2 };

struct broker {
	struct config *config;
	struct policy *policy;
	struct register_paths paths;
	struct register_snapshot *snapshot;
	uint64_t fingerprint;
	uint64_t checked_ms, loaded_ms;  // monotonic
	struct curve_key_pair key;
	struct curve_key_pair next_key;  // zeroed when there is none
	struct signing_key *log_key;
	struct note_verifier log_verifier;
	struct vault *vault;
	struct vault *session_keys[2];   // current and previous, where the configuration names them
	struct store *store;
	struct core *core;
	void *context;
	struct zap *zap;
	struct attempts *attempts;       // of handshakes that failed and are not recorded yet
	struct listeners *listeners;
	struct listeners_peer *peers;    // of the batch under way
	struct parked *parked;           // requests that wait
	uint64_t ticked_ms;              // monotonic: when what is due by time was last looked at
	bool more_due;                   // and more of it was
	uint64_t looked_ms;              // monotonic: when the queue was last looked at to its end
	uint64_t since_ms;               // what is received now has been waiting since then at the longest
	int signals;
};

// ------------------------------------------------------------------ start

// Keys are in memory from here on: no core dump and no debugger.
static void harden_process(void)
{
	struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
#if !defined(__SANITIZE_ADDRESS__) && !defined(CPIS_SANITIZED)
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max < 65536 ? files.rlim_max : 65536;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

static bool open_signals(struct broker *broker)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	signal(SIGPIPE, SIG_IGN);
	// A file that grew too large is a failed write, not the end of the process.
	signal(SIGXFSZ, SIG_IGN);
	// Before any thread is made, so that all inherit it.
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return false;
	broker->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return broker->signals >= 0;
}

static bool load_files(struct broker *broker, const char *config_path, char detail[DETAIL_BYTES])
{
	if (!config_load(config_path, &broker->config, detail) ||
	    !policy_load(broker->config->policy_file, &broker->policy, detail))
		return false;
	broker->paths = (struct register_paths){
		.trust_directory = broker->config->trust_directory,
		.enrolled_directory = broker->config->enrolled_directory,
		.register_file = broker->config->register_file,
	};
	broker->fingerprint = register_fingerprint(&broker->paths);
	return register_load(&broker->paths, broker->policy, clock_now_ms(), &broker->snapshot, detail);
}

// A certificate that clients will check us by, and the key behind it.
static bool load_pair(const struct broker *broker, const char *certificate, const char *key_path,
		      struct curve_key_pair *ret, char detail[DETAIL_BYTES])
{
	struct broker_identity identity;
	char why[CERTS_DETAIL_BYTES];
	if (trust_verify_broker_file(register_trust(broker->snapshot), certificate, broker->config->broker_name,
				     clock_now_ms(), &identity, why) != CERTS_OK) {
		snprintf(detail, DETAIL_BYTES, "%s: %s", certificate, why);
		return false;
	}
	enum certs_status status = curve_key_load(key_path, ret);
	if (status == CERTS_OK && memcmp(identity.curve_public, ret->public_key, KEY_BYTES) != 0)
		status = CERTS_KEY_MISMATCH;
	if (status != CERTS_OK)
		snprintf(detail, DETAIL_BYTES, "%s: %s", key_path, certs_status_text(status));
	return status == CERTS_OK;
}

static bool load_broker_keys(struct broker *broker, char detail[DETAIL_BYTES])
{
	const struct config *config = broker->config;
	if (!load_pair(broker, config->certificate, config->key, &broker->key, detail))
		return false;
	return config->next_endpoint == NULL ||
	       load_pair(broker, config->next_certificate, config->next_key, &broker->next_key, detail);
}

static bool load_log_key(struct broker *broker, char detail[DETAIL_BYTES])
{
	const struct config *config = broker->config;
	char path[4200];
	uint8_t public_key[KEY_BYTES];
	snprintf(path, sizeof path, "%s/log.vkey", config->trust_directory);
	enum certs_status status = note_verifier_load(path, &broker->log_verifier);
	if (status != CERTS_OK) {
		snprintf(detail, DETAIL_BYTES, "%.300s: %s", path, certs_status_text(status));
		return false;
	}
	status = signing_key_load(config->log_key, &broker->log_key);
	if (status == CERTS_OK) {
		signing_key_public(broker->log_key, public_key);
		if (memcmp(public_key, broker->log_verifier.public_key, KEY_BYTES) != 0)
			status = CERTS_KEY_MISMATCH;
	}
	if (status != CERTS_OK)
		snprintf(detail, DETAIL_BYTES, "%.300s: %s", config->log_key, certs_status_text(status));
	return status == CERTS_OK;
}

static bool open_session_keys(struct broker *broker, char detail[DETAIL_BYTES])
{
	const char *paths[] = {broker->config->session_key, broker->config->session_key_previous};
	for (unsigned i = 0; i < 2; i++)
		if (paths[i] != NULL && !vault_open_key(paths[i], &broker->session_keys[i], detail))
			return false;
	return true;
}

// The core's register is the one in force: another policy brings another one with it.
static void adopt_register(struct broker *broker)
{
	struct register_snapshot *snapshot = core_register(broker->core);
	if (snapshot == broker->snapshot)
		return;
	register_release(broker->snapshot);
	broker->snapshot = register_retain(snapshot);
	if (broker->zap != NULL)
		zap_set_register(broker->zap, snapshot);
}

static bool read_register(void *context, const struct policy *policy, struct register_snapshot **ret,
			  char detail[REGISTER_DETAIL_BYTES])
{
	const struct broker *broker = context;
	return register_load(&broker->paths, policy, clock_now_ms(), ret, detail);
}

static bool open_core(struct broker *broker, char detail[DETAIL_BYTES])
{
	const struct config *config = broker->config;
	if (!vault_open_key(config->store_key, &broker->vault, detail) || !open_session_keys(broker, detail) ||
	    store_sqlite_open(config->store_file, &broker->store, detail) != STORE_OK)
		return false;
	struct core_options options = {
		.broker_name = config->broker_name,
		.log_origin = broker->log_verifier.origin,
		.policy = broker->policy,
		.policy_reader = {read_register, broker},
		.store = broker->store,
		.vault = broker->vault,
		.session_keys = {broker->session_keys[0] != NULL ? broker->session_keys[0] : broker->vault,
				 broker->session_keys[1]},
		.log_key = broker->log_key,
		.snapshot = broker->snapshot,
		.batch_max = config->batch_max,
	};
	broker->peers = calloc(config->batch_max, sizeof *broker->peers);
	if (broker->peers == NULL || !parked_new(&broker->parked)) {
		snprintf(detail, DETAIL_BYTES, "out of memory");
		return false;
	}
	if (!core_new(&options, &broker->core, detail))
		return false;
	adopt_register(broker);
	return true;
}

// ZAP before any server socket, the self-test before the real one: CURVE without a handler lets everybody in.
static bool open_network(struct broker *broker, char detail[DETAIL_BYTES])
{
	const struct config *config = broker->config;
	bool enrols = config->enrolment_endpoint != NULL;
	struct zap_limits limits = {
		.connections_max = config->connections_max,
		.connections_per_system_max = config->connections_per_system_max,
		.enrolling_connections_max = enrols ? LISTENERS_ENROLLING_MAX : 0,
	};
	broker->context = transport_context_new(detail);
	if (broker->context == NULL)
		return false;
	broker->attempts = attempts_new();
	if (broker->attempts == NULL) {
		snprintf(detail, DETAIL_BYTES, "out of memory");
		return false;
	}
	if (!zap_start(broker->context, broker->snapshot, &limits, &broker->zap)) {
		snprintf(detail, DETAIL_BYTES, "the admission handler cannot be started");
		return false;
	}
	struct listeners_options options = {
		.context = broker->context,
		.zap = broker->zap,
		.attempts = broker->attempts,
		.endpoints = {config->endpoint, config->next_endpoint, config->enrolment_endpoint},
		.keys = {&broker->key, &broker->next_key, &broker->key},
		.files = {config->endpoint_file, config->next_endpoint_file, config->enrolment_endpoint_file},
	};
	if (!transport_self_test(broker->context, broker->zap, enrols, detail))
		return false;
	// Our own stranger is not counted.
	zap_set_attempts(broker->zap, broker->attempts);
	return listeners_open(&options, &broker->listeners, detail);
}

// ------------------------------------------------------------------ serve

// A broken file leaves the old register in force, and says so each time the files change.
static void refresh_register(struct broker *broker)
{
	uint64_t now = clock_monotonic_ms();
	if (now - broker->checked_ms < REGISTER_CHECK_MS)
		return;
	broker->checked_ms = now;
	uint64_t fingerprint = register_fingerprint(&broker->paths);
	if (fingerprint == broker->fingerprint && now - broker->loaded_ms < REGISTER_RELOAD_MS)
		return;
	struct register_snapshot *fresh = NULL;
	char detail[REGISTER_DETAIL_BYTES];
	broker->fingerprint = fingerprint;
	broker->loaded_ms = now;
	if (!read_register(broker, core_policy(broker->core), &fresh, detail)) {
		log_event(LOG_LEVEL_ERROR, "register_reload_failed", "%s; the register before stays in force", detail);
		return;
	}
	core_set_register(broker->core, fresh);
	adopt_register(broker);
	register_release(fresh);
	log_event(LOG_LEVEL_INFO, "register_loaded", "%zu systems are enrolled and valid", register_systems_count(broker->snapshot));
}

static void answer_batch(struct broker *broker)
{
	core_flush(broker->core, clock_now_ms());
	for (size_t i = 0; i < core_pending(broker->core); i++) {
		const uint8_t *data;
		size_t bytes;
		core_reply(broker->core, i, &data, &bytes);
		listeners_send(broker->listeners, &broker->peers[i], data, bytes);
	}
	core_clear(broker->core);
	adopt_register(broker);
	parked_wake(broker->parked, core_wakes(broker->core));
}

static enum core_submitted submit_or_flush(struct broker *broker, const struct core_arrival *arrival)
{
	enum core_submitted submitted = core_submit(broker->core, arrival, clock_now_ms());
	if (submitted != CORE_FULL)
		return submitted;
	answer_batch(broker);
	// An empty batch always has room for one.
	return core_submit(broker->core, arrival, clock_now_ms());
}

// When a request that was woken for nothing began to wait is not what its handler knows: it waits on until its first end.
static struct wait wait_until(const struct core *core, uint64_t until_ms, uint64_t now_ms)
{
	struct wait wait = core_wait(core);
	if (until_ms < now_ms + wait.wait_ms)
		wait.wait_ms = until_ms > now_ms ? (uint32_t)(until_ms - now_ms) : 0;
	return wait;
}

// A request, new or resumed, and who sent it; it waits no longer than `until_ms`. What may not wait for want of room is
// answered as if its time were over.
static void submit(struct broker *broker, struct core_arrival *arrival, const struct listeners_peer *peer,
		   uint64_t arrived_ms, uint64_t until_ms)
{
	enum core_submitted submitted = submit_or_flush(broker, arrival);
	if (submitted == CORE_PARKED) {
		uint64_t now_ms = clock_monotonic_ms();
		struct wait wait = wait_until(broker->core, until_ms, now_ms);
		if (parked_put(broker->parked, peer, arrival->channel_key, &wait, arrived_ms, now_ms, arrival->data,
			       arrival->bytes))
			return;
		arrival->may_wait = false;
		submitted = submit_or_flush(broker, arrival);
	}
	if (submitted == CORE_TAKEN)
		broker->peers[core_pending(broker->core) - 1] = *peer;
}

static void submit_message(struct broker *broker, const struct listeners_message *from)
{
	const struct transport_message *message = &from->message;
	struct listeners_peer peer = listeners_peer_of(from);
	uint8_t channel_key[KEY_BYTES];
	// By the socket that it came in on, never by what it says.
	bool enrolling = from->from == LISTENER_ENROLMENT;
	struct core_arrival arrival = {.data = message->data,
				       .bytes = message->bytes,
				       .enrolling = enrolling,
				       .may_wait = !enrolling,
				       .waited_ms = clock_monotonic_ms() - broker->since_ms};
	if (zap_lookup(broker->zap, enrolling ? ZAP_ENROLLING : ZAP_SYSTEMS, message->peer.handle, channel_key))
		arrival.channel_key = channel_key;
	submit(broker, &arrival, &peer, broker->since_ms, UINT64_MAX);
}

// Those that were woken or whose time is over. One that waits again does so after this look.
static void serve_parked(struct broker *broker)
{
	struct parked_request *request;
	uint64_t now_ms = clock_monotonic_ms();
	parked_wake(broker->parked, core_wakes(broker->core));
	for (unsigned taken = 0; taken < PARKED_MAX && (request = parked_take(broker->parked, now_ms)) != NULL; taken++) {
		struct core_arrival arrival = {.data = request->data,
					       .bytes = request->bytes,
					       .channel_key = request->channel_key,
					       .waited_ms = now_ms - request->arrived_ms,
					       .resumed = true,
					       .may_wait = now_ms < request->until_ms,
					       .ticket = request->wait.ticket};
		submit(broker, &arrival, &request->peer, request->arrived_ms, request->until_ms);
		parked_request_free(request);
	}
	answer_batch(broker);
}

// Takes what has arrived, one commit for all of it.
static void serve_once(struct broker *broker)
{
	struct listeners_message message;
	unsigned taken = 0;
	while (taken < broker->config->batch_max && listeners_receive(broker->listeners, &message)) {
		submit_message(broker, &message);
		transport_message_done(&message.message);
		taken++;
	}
	broker->looked_ms = clock_monotonic_ms();
	answer_batch(broker);
}

// Strangers come after everybody who is known, and in a batch of their own.
static void serve_enrolling(struct broker *broker)
{
	struct listeners_message message;
	uint64_t now_ms = clock_monotonic_ms();
	while (listeners_receive_enrolling(broker->listeners, now_ms, &message)) {
		submit_message(broker, &message);
		transport_message_done(&message.message);
	}
	answer_batch(broker);
	listeners_tend(broker->listeners, now_ms);
}

static void serve_due(struct broker *broker)
{
	uint64_t now_ms = clock_monotonic_ms();
	if (!broker->more_due && now_ms - broker->ticked_ms < TICK_MS)
		return;
	broker->ticked_ms = now_ms;
	broker->more_due = core_tick(broker->core, clock_now_ms());
	// A failed commit may have left another policy in force.
	adopt_register(broker);
	parked_wake(broker->parked, core_wakes(broker->core));
}

// Until a request whose time is over, work that is due, or the next look at the register's files.
static int patience_ms(const struct broker *broker, uint64_t now_ms)
{
	uint64_t next_ms = parked_next_ms(broker->parked);
	if (broker->more_due || next_ms <= now_ms)
		return 0;
	return next_ms - now_ms < REGISTER_CHECK_MS ? (int)(next_ms - now_ms) : (int)REGISTER_CHECK_MS;
}

// Handshakes that failed: what is due, or at the end all there is.
static void record_attempts(struct broker *broker, bool all)
{
	struct attempt taken[ATTEMPTS_PER_COMMIT];
	size_t room = broker->config->batch_max < ATTEMPTS_PER_COMMIT ? broker->config->batch_max : ATTEMPTS_PER_COMMIT;
	size_t count;
	while ((count = attempts_take(broker->attempts, clock_monotonic_ms(), all, room, taken)) > 0) {
		bool done = core_record_attempts(broker->core, taken, count, clock_now_ms());
		// A failed commit before this one may have left another policy in force.
		adopt_register(broker);
		if (!done) {
			log_event(LOG_LEVEL_ERROR, "attempts_not_recorded",
				  "%zu kinds of failed handshakes could not be recorded; it is tried again while the broker runs", count);
			attempts_give_back(broker->attempts, taken, count, clock_monotonic_ms());
			return;
		}
		for (size_t i = 0; i < count; i++)
			log_event(LOG_LEVEL_WARNING, "handshakes_failed", "%s %llu times, %s", reason_word(taken[i].reason),
				  (unsigned long long)taken[i].count, taken[i].examples);
	}
}

static bool told_to_stop(const struct broker *broker)
{
	struct signalfd_siginfo info;
	return read(broker->signals, &info, sizeof info) == (ssize_t)sizeof info;
}

static void refuse_draining(struct broker *broker, const struct listeners_peer *peer, const uint8_t *data, size_t bytes)
{
	const uint8_t *refusal;
	size_t refusal_bytes;
	core_refuse_draining(broker->core, data, bytes, &refusal, &refusal_bytes);
	if (refusal_bytes > 0)
		listeners_send(broker->listeners, peer, refusal, refusal_bytes);
	core_clear(broker->core);
}

// What is already in hand has been answered; what still queues or waits is told to go elsewhere. Nothing new is carried out.
static void drain(struct broker *broker)
{
	struct listeners_message message;
	struct parked_request *waiting;
	unsigned refused = 0;
	while ((waiting = parked_take_any(broker->parked)) != NULL) {
		refuse_draining(broker, &waiting->peer, waiting->data, waiting->bytes);
		parked_request_free(waiting);
		refused++;
	}
	while (refused < 65536 && listeners_receive(broker->listeners, &message)) {
		struct listeners_peer peer = listeners_peer_of(&message);
		refuse_draining(broker, &peer, message.message.data, message.message.bytes);
		transport_message_done(&message.message);
		refused++;
	}
	log_event(LOG_LEVEL_INFO, "drained", "%u waiting requests were told to go elsewhere", refused);
}

static void serve(struct broker *broker)
{
	broker->checked_ms = broker->loaded_ms = clock_monotonic_ms();
	log_event(LOG_LEVEL_INFO, "ready", "%s serves on %s with %zu systems, policy %s", broker->config->broker_name,
		  listeners_endpoint(broker->listeners, LISTENER_CURRENT), register_systems_count(broker->snapshot),
		  policy_version(core_policy(broker->core)));
	if (broker->config->next_endpoint != NULL)
		log_event(LOG_LEVEL_INFO, "next_endpoint", "it also serves on %s, with its next key",
			  listeners_endpoint(broker->listeners, LISTENER_NEXT));
	if (broker->config->enrolment_endpoint != NULL)
		log_event(LOG_LEVEL_INFO, "enrolment_endpoint", "new systems enrol on %s",
			  listeners_endpoint(broker->listeners, LISTENER_ENROLMENT));
	broker->looked_ms = clock_monotonic_ms();
	while (!told_to_stop(broker)) {
		uint64_t before_ms = clock_monotonic_ms();
		listeners_wait(broker->listeners, broker->signals, before_ms, patience_ms(broker, before_ms));
		uint64_t after_ms = clock_monotonic_ms();
		// ZeroMQ does not say when a message came. If nothing had to be waited for, it was during the last batch; a
		// commit that took long makes all of those old.
		broker->since_ms = after_ms > before_ms ? after_ms : broker->looked_ms;
		// Before anything is answered: a revocation must count from the next message on.
		refresh_register(broker);
		serve_once(broker);
		serve_parked(broker);
		serve_enrolling(broker);
		serve_due(broker);
		record_attempts(broker, false);
	}
	drain(broker);
	// Whoever tries until the doors are shut is counted.
	listeners_close(broker->listeners);
	broker->listeners = NULL;
	record_attempts(broker, true);
}

// ------------------------------------------------------------------ stop

static void report(const struct broker *broker)
{
	struct core_counters core = core_read_counters(broker->core);
	struct zap_counters zap = zap_read_counters(broker->zap);
	log_event(LOG_LEVEL_INFO, "stopped",
		  "requests %llu allowed %llu refused %llu malformed %llu commits %llu failed_commits %llu "
		  "inbox_escalated %llu inbox_expired %llu "
		  "handshakes_admitted %llu handshakes_refused %llu handshakes_enrolling %llu",
		  (unsigned long long)core.requests, (unsigned long long)core.allowed, (unsigned long long)core.refused,
		  (unsigned long long)core.malformed, (unsigned long long)core.commits,
		  (unsigned long long)core.failed_commits, (unsigned long long)core.escalated,
		  (unsigned long long)core.expired, (unsigned long long)zap.admitted,
		  (unsigned long long)(zap.refused_unknown + zap.refused_invalid),
		  (unsigned long long)zap.enrolling_admitted);
}

static void close_all(struct broker *broker)
{
	listeners_close(broker->listeners);
	zap_stop(broker->zap);
	transport_context_free(broker->context);
	attempts_free(broker->attempts);
	core_free(broker->core);
	free(broker->peers);
	parked_free(broker->parked);
	if (broker->store != NULL)
		broker->store->ops->close(broker->store);
	vault_free(broker->session_keys[0]);
	vault_free(broker->session_keys[1]);
	vault_free(broker->vault);
	signing_key_free(broker->log_key);
	curve_key_wipe(&broker->key);
	curve_key_wipe(&broker->next_key);
	register_release(broker->snapshot);
	policy_free(broker->policy);
	config_free(broker->config);
	if (broker->signals >= 0)
		close(broker->signals);
}

static void print_remark(void *context, const char *sentence)
{
	printf("%s%s\n", (const char *)context, sentence);
}

static int run(const char *config_path, bool check_only)
{
	struct broker broker = {.signals = -1};
	char detail[DETAIL_BYTES] = "", prefix[] = "note: ";
	int code = EXIT_CANNOT_START;
	harden_process();
	if (!open_signals(&broker)) {
		snprintf(detail, sizeof detail, "signals: %s", strerror(errno));
	} else if (!load_files(&broker, config_path, detail) || !load_broker_keys(&broker, detail) ||
		   !load_log_key(&broker, detail)) {
		;
	} else if (check_only) {
		printf("%s: good; policy %s, %zu systems enrolled and valid\n", config_path,
		       policy_version(broker.policy), register_systems_count(broker.snapshot));
		policy_review(broker.policy, print_remark, prefix);
		code = 0;
	} else if (open_core(&broker, detail) && open_network(&broker, detail)) {
		serve(&broker);
		report(&broker);
		code = 0;
	}
	if (code != 0)
		log_event(LOG_LEVEL_ERROR, "cannot_start", "%s", detail);
	close_all(&broker);
	return code;
}

// Old and new policy: what would be decided otherwise.
static int compare_policies(const char *before_path, const char *after_path)
{
	struct policy *before = NULL, *after = NULL;
	char detail[POLICY_DETAIL_BYTES] = "", nothing[] = "";
	int code = EXIT_CANNOT_START;
	if (!policy_load(before_path, &before, detail) || !policy_load(after_path, &after, detail)) {
		fprintf(stderr, "cpis-broker: %s\n", detail);
	} else {
		size_t differences = policy_compare(before, after, print_remark, nothing);
		printf("%zu decisions differ between %s and %s\n", differences, policy_version(before),
		       policy_version(after));
		code = 0;
	}
	policy_free(before);
	policy_free(after);
	return code;
}

static int make_store_key(const char *path)
{
	char detail[VAULT_DETAIL_BYTES];
	if (vault_create_key(path, detail))
		return 0;
	fprintf(stderr, "cpis-broker: %s\n", detail);
	return EXIT_CANNOT_START;
}

static void print_help(FILE *out)
{
	fprintf(out, "usage: cpis-broker CONFIG                 serve until SIGTERM, then drain and exit 0\n"
		     "       cpis-broker --check CONFIG         read and check all files, start nothing\n"
		     "       cpis-broker --policy-diff OLD NEW  every decision that changes between two policies\n"
		     "       cpis-broker --make-store-key FILE  make the master key of a new store\n"
		     "       cpis-broker --version | --help\n"
		     "exit: 0 done, 1 wrong command line, 2 cannot start (the log line says why)\n");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"check", required_argument, NULL, 'c'},   {"make-store-key", required_argument, NULL, 'k'},
		{"policy-diff", required_argument, NULL, 'd'},
		{"version", no_argument, NULL, 'v'},       {"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option = getopt_long(argc, argv, "", options, NULL);
	if (option == 'h') {
		print_help(stdout);
		return 0;
	}
	if (option == 'v') {
		printf("cpis-broker %s\n", CPIS_VERSION);
		return 0;
	}
	if ((option == 'c' || option == 'k') && optind == argc)
		return option == 'c' ? run(optarg, true) : make_store_key(optarg);
	if (option == 'd' && optind == argc - 1)
		return compare_policies(optarg, argv[optind]);
	if (option == -1 && optind == argc - 1)
		return run(argv[optind], false);
	print_help(stderr);
	return EXIT_USAGE_ERROR;
}
