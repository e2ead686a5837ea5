// The loop: messages between the edge and the core, what waits, what is due by time; and the end of it.
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "broker/clock.h"
#include "broker/log.h"
#include "broker/process.h"

// How often the register's files are looked at: half of the time in which a revocation must work.
#define REGISTER_CHECK_MS 200u
// And loaded anew even if nothing changed, so that a certificate whose time has come is admitted.
#define REGISTER_RELOAD_MS (60u * 60u * 1000u)
// How often it is looked whether something is due by time.
#define TICK_MS 200u
#define ATTEMPTS_PER_COMMIT 16u

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

static void log_remark(void *unused, const char *sentence)
{
	(void)unused;
	log_event(LOG_LEVEL_WARNING, "enrolled_refused", "%s", sentence);
}

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
	if (!process_read_register(broker, core_policy(broker->core), &fresh, detail)) {
		log_event(LOG_LEVEL_ERROR, "register_reload_failed", "%s; the register before stays in force", detail);
		return;
	}
	core_set_register(broker->core, fresh);
	process_adopt_register(broker);
	register_release(fresh);
	register_remarks(broker->snapshot, log_remark, NULL);
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
	process_adopt_register(broker);
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
	process_adopt_register(broker);
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
		process_adopt_register(broker);
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

void serve(struct broker *broker)
{
	broker->checked_ms = broker->loaded_ms = clock_monotonic_ms();
	register_remarks(broker->snapshot, log_remark, NULL);
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
	report(broker);
}
