// The loop: messages between the edge and the core, what waits, what is due by time; and the end of it.
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "broker/clock.h"
#include "broker/handover.h"
#include "broker/log.h"
#include "broker/process.h"
#include "broker/refusal.h"
#include "broker/reload.h"
#include "broker/traffic.h"

// How often the register's files are looked at: half of the time in which a revocation must work.
#define REGISTER_CHECK_MS 200u
// And loaded anew even if nothing changed, so that a certificate whose time has come is admitted.
#define REGISTER_RELOAD_MS (60u * 60u * 1000u)
// What front_wait finds within this lay there before.
#define AT_ONCE_US 50u
// How often it is looked whether something is due by time.
#define TICK_MS 200u
#define ATTEMPTS_PER_COMMIT 16u
// How long the front may take to send what it has sent.
#define DRAIN_MS 5000u

static void report(const struct broker *broker, enum log_event event)
{
	struct core_counters core = core_read_counters(broker->core);
	struct front_counters front = front_read_counters(broker->front);
	log_event(event,
		  "requests %llu allowed %llu refused %llu malformed %llu commits %llu failed_commits %llu "
		  "inbox_escalated %llu inbox_expired %llu "
		  "handshakes_admitted %llu handshakes_refused %llu handshakes_enrolling %llu busy %llu front_restarts %u",
		  (unsigned long long)core.requests, (unsigned long long)core.allowed, (unsigned long long)core.refused,
		  (unsigned long long)core.malformed, (unsigned long long)core.commits,
		  (unsigned long long)core.failed_commits, (unsigned long long)core.escalated,
		  (unsigned long long)core.expired, (unsigned long long)front.zap.admitted,
		  (unsigned long long)(front.zap.refused_unknown + front.zap.refused_invalid),
		  (unsigned long long)front.zap.enrolling_admitted, (unsigned long long)front.refused_busy,
		  front_restarts(broker->front));
}

static const char *status_line(const struct broker *broker, char ret[SERVICE_MANAGER_STATUS_BYTES])
{
	snprintf(ret, SERVICE_MANAGER_STATUS_BYTES, "serves on %.100s with %zu systems, policy %.60s", front_endpoint(broker->front, LISTENER_CURRENT),
		 register_systems_count(broker->snapshot), policy_version(core_policy(broker->core)));
	return ret;
}

static void log_remark(void *unused, const char *sentence)
{
	(void)unused;
	log_event(LOG_EVENT_ENROLLED_REFUSED, "%s", sentence);
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
	char detail[REGISTER_DETAIL_BYTES], status[SERVICE_MANAGER_STATUS_BYTES];
	broker->fingerprint = fingerprint;
	broker->loaded_ms = now;
	if (!process_read_register(broker, core_policy(broker->core), &fresh, detail)) {
		log_event(LOG_EVENT_REGISTER_RELOAD_FAILED, "%s; the register before stays in force", detail);
		return;
	}
	core_set_register(broker->core, fresh);
	process_adopt_register(broker);
	register_release(fresh);
	register_remarks(broker->snapshot, log_remark, NULL);
	log_event(LOG_EVENT_REGISTER_LOADED, "%zu systems are enrolled and valid", register_systems_count(broker->snapshot));
	service_manager_status(&broker->manager, status_line(broker, status));
}

// Of what was given to the front just now.
static void count_latencies(struct broker *broker, uint64_t now_ms)
{
	uint64_t now_us = clock_monotonic_us();
	for (size_t i = 0; i < core_pending(broker->core); i++)
		if (broker->arrived_us[i] != 0)
			traffic_latency(core_traffic(broker->core), now_us - broker->arrived_us[i], now_ms);
}

static void answer_batch(struct broker *broker)
{
	uint64_t now_ms = clock_now_ms(), begun_us = clock_monotonic_us(), done_us;
	struct traffic *traffic = core_traffic(broker->core);
	size_t count = core_pending(broker->core);
	core_flush(broker->core, now_ms);
	done_us = clock_monotonic_us();
	for (size_t i = 0; i < core_pending(broker->core); i++) {
		const uint8_t *data;
		size_t bytes;
		core_reply(broker->core, i, &data, &bytes);
		front_send(broker->front, &broker->peers[i], data, bytes);
	}
	front_flush(broker->front);
	count_latencies(broker, now_ms);
	if (count > 0) {
		traffic_stage(traffic, TRAFFIC_COMMIT, done_us - begun_us);
		traffic_stage(traffic, TRAFFIC_REPLY, clock_monotonic_us() - done_us);
	}
	core_clear(broker->core);
	process_adopt_register(broker);
	parked_wake(broker->parked, core_wakes(broker->core));
}

// `ret_begun_us`: when it was begun with, after what had to be flushed before.
static enum core_submitted submit_or_flush(struct broker *broker, const struct core_arrival *arrival, uint64_t *ret_begun_us)
{
	*ret_begun_us = clock_monotonic_us();
	enum core_submitted submitted = core_submit(broker->core, arrival, clock_now_ms());
	if (submitted != CORE_FULL)
		return submitted;
	answer_batch(broker);
	*ret_begun_us = clock_monotonic_us();
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
static void submit(struct broker *broker, struct core_arrival *arrival, const struct front_peer *peer,
		   uint64_t arrived_ms, uint64_t until_ms)
{
	// As far as the front and the link are known to have held it.
	uint64_t waited_us = broker->since_ms >= arrived_ms ? (broker->since_ms - arrived_ms) * 1000 : 0;
	uint64_t arrived_us = broker->since_us > waited_us ? broker->since_us - waited_us : 1;
	uint64_t begun_us;
	enum core_submitted submitted = submit_or_flush(broker, arrival, &begun_us);
	if (submitted == CORE_PARKED) {
		uint64_t now_ms = clock_monotonic_ms();
		struct wait wait = wait_until(broker->core, until_ms, now_ms);
		if (parked_put(broker->parked, peer, arrival->channel_key, &wait, arrived_ms, now_ms, arrival->data,
			       arrival->bytes))
			return;
		arrival->may_wait = false;
		submitted = submit_or_flush(broker, arrival, &begun_us);
	}
	if (submitted == CORE_TAKEN) {
		broker->peers[core_pending(broker->core) - 1] = *peer;
		broker->arrived_us[core_pending(broker->core) - 1] = arrival->resumed ? 0 : arrived_us;
		traffic_stage(core_traffic(broker->core), TRAFFIC_DECIDE, clock_monotonic_us() - begun_us);
		if (!arrival->resumed)
			traffic_stage(core_traffic(broker->core), TRAFFIC_QUEUE, begun_us > arrived_us ? begun_us - arrived_us : 0);
	}
}

static void submit_request(struct broker *broker, const struct front_request *request)
{
	// By the socket that it came in on, never by what it says.
	bool enrolling = request->peer.from == LISTENER_ENROLMENT;
	uint64_t arrived_ms = broker->since_ms > request->waited_ms ? broker->since_ms - request->waited_ms : 0;
	struct core_arrival arrival = {.channel_key = request->has_key ? request->channel_key : NULL,
				       .data = request->data,
				       .bytes = request->bytes,
				       .enrolling = enrolling,
				       .may_wait = !enrolling,
				       .waited_ms = clock_monotonic_ms() - arrived_ms};
	submit(broker, &arrival, &request->peer, arrived_ms, UINT64_MAX);
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

// Takes what has arrived, one commit for all of it. False: there may be more.
static bool serve_once(struct broker *broker)
{
	struct front_request request;
	unsigned taken = 0;
	bool emptied = false;
	while (taken < broker->config->batch_max && !(emptied = !front_receive(broker->front, &request))) {
		submit_request(broker, &request);
		taken++;
	}
	answer_batch(broker);
	return emptied;
}

static void serve_due(struct broker *broker)
{
	uint64_t now_ms = clock_monotonic_ms();
	if (!broker->more_due && now_ms - broker->ticked_ms < TICK_MS)
		return;
	broker->ticked_ms = now_ms;
	struct front_counters front = front_read_counters(broker->front);
	const struct traffic_edge edge = {.admitted = front.zap.admitted,
					  .refused = front.zap.refused_unknown + front.zap.refused_invalid,
					  .turned_away = front.refused_busy,
					  .restarts = front_restarts(broker->front)};
	traffic_tell_edge(core_traffic(broker->core), &edge);
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

// Handshakes that failed, requests that were turned away: what is due, or at the end all there is.
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
			log_event(LOG_EVENT_ATTEMPTS_NOT_RECORDED,
				  "%zu kinds of failed handshakes or refusals could not be recorded; it is tried again while the broker runs", count);
			attempts_give_back(broker->attempts, taken, count, clock_monotonic_ms());
			return;
		}
		for (size_t i = 0; i < count; i++)
			log_event(taken[i].reason == REASON_BUSY ? LOG_EVENT_TURNED_AWAY : LOG_EVENT_HANDSHAKES_FAILED,
				  "%s %llu times, %s", reason_word(taken[i].reason),
				  (unsigned long long)taken[i].count, taken[i].examples);
	}
}

// Reloads when told to. True: it was told to stop.
static bool take_signals(struct broker *broker)
{
	struct signalfd_siginfo info;
	while (read(broker->signals, &info, sizeof info) == (ssize_t)sizeof info) {
		char status[SERVICE_MANAGER_STATUS_BYTES];
		if (info.ssi_signo != SIGHUP)
			return true;
		service_manager_reloading(&broker->manager, clock_monotonic_us());
		reload(broker);
		service_manager_ready(&broker->manager, status_line(broker, status));
	}
	return false;
}

static void refuse_draining(struct broker *broker, struct arena *arena, uint32_t retry_after_ms, const struct front_peer *peer,
			    const uint8_t *data, size_t bytes)
{
	size_t refusal_bytes;
	const uint8_t *refusal = refusal_make(arena, REASON_DRAINING, retry_after_ms, data, bytes, &refusal_bytes);
	front_send(broker->front, peer, refusal, refusal_bytes);
	arena_reset(arena);
}

// What waits here is told to go elsewhere, and by the front what waits there. Nothing new is carried out.
static void drain(struct broker *broker, uint32_t retry_after_ms)
{
	struct parked_request *waiting;
	struct front_request request;
	struct arena arena;
	uint64_t until_ms = clock_monotonic_ms() + DRAIN_MS;
	unsigned refused = 0;
	if (!arena_init(&arena, REFUSAL_ARENA_BYTES))
		return;
	for (; (waiting = parked_take_any(broker->parked)) != NULL; refused++) {
		refuse_draining(broker, &arena, retry_after_ms, &waiting->peer, waiting->data, waiting->bytes);
		parked_request_free(waiting);
	}
	front_pause(broker->front, retry_after_ms);
	for (;;) {
		for (; front_receive(broker->front, &request); refused++)
			refuse_draining(broker, &arena, retry_after_ms, &request.peer, request.data, request.bytes);
		front_flush(broker->front);
		uint64_t now_ms = clock_monotonic_ms();
		if (front_is_paused(broker->front) || now_ms >= until_ms)
			break;
		front_wait(broker->front, -1, (int)(until_ms - now_ms));
	}
	arena_done(&arena);
	log_event(LOG_EVENT_DRAINING, "%u requests that were in hand or waited were told to go elsewhere", refused);
}

// Whoever asked over a front that is gone does not hear the answer, and asks again over the next one.
static void tend_front(struct broker *broker)
{
	struct parked_request *waiting;
	front_tend(broker->front, clock_monotonic_ms());
	if (front_restarts(broker->front) == broker->front_restarts)
		return;
	broker->front_restarts = front_restarts(broker->front);
	while ((waiting = parked_take_any(broker->parked)) != NULL)
		parked_request_free(waiting);
}

static void announce(const struct broker *broker)
{
	char status[SERVICE_MANAGER_STATUS_BYTES];
	log_event(LOG_EVENT_READY, "%s serves on %s with %zu systems, policy %s", broker->config->broker_name,
		  front_endpoint(broker->front, LISTENER_CURRENT), register_systems_count(broker->snapshot),
		  policy_version(core_policy(broker->core)));
	if (broker->config->next_endpoint != NULL)
		log_event(LOG_EVENT_NEXT_ENDPOINT, "it also serves on %s, with its next key",
			  front_endpoint(broker->front, LISTENER_NEXT));
	if (broker->config->enrolment_endpoint != NULL)
		log_event(LOG_EVENT_ENROLMENT_ENDPOINT, "new systems enrol on %s",
			  front_endpoint(broker->front, LISTENER_ENROLMENT));
	service_manager_ready(&broker->manager, status_line(broker, status));
}

// What came, when, and what is due: one turn. `emptied`: the front has given out all that it had.
static bool serve_turn(struct broker *broker, bool emptied)
{
	uint64_t before_us = clock_monotonic_us(), before_ms = before_us / 1000;
	// Requests are borrowed from the front until it is waited for again: not before all are taken.
	if (emptied)
		front_wait(broker->front, broker->wake >= 0 ? broker->wake : broker->signals, patience_ms(broker, before_ms));
	uint64_t after_us = clock_monotonic_us(), after_ms = after_us / 1000;
	// What was there at once may have come at any time since the front was last looked at: a commit that took long makes all
	// of it old.
	if (emptied) {
		broker->since_ms = after_ms > before_ms ? after_ms : broker->looked_ms;
		broker->looked_ms = after_ms;
		broker->since_us = after_us - before_us > AT_ONCE_US ? after_us : broker->looked_us;
		broker->looked_us = after_us;
	}
	// Before anything is answered: a revocation must count from the next message on.
	refresh_register(broker);
	emptied = serve_once(broker);
	serve_parked(broker);
	serve_due(broker);
	tend_front(broker);
	record_attempts(broker, false);
	process_show_metrics(broker, clock_monotonic_ms(), clock_now_ms());
	// A turn that hangs, in the store or anywhere, is not told, and the manager starts another broker.
	service_manager_alive(&broker->manager, clock_monotonic_us());
	return emptied;
}

enum ending { ENDING_TOLD, ENDING_ASKED, ENDING_LOST };

// Until it is told to stop, asked to hand over, or cannot go on.
static enum ending serve_on(struct broker *broker)
{
	broker->looked_us = clock_monotonic_us();
	broker->looked_ms = broker->looked_us / 1000;
	for (bool emptied = true; !front_is_lost(broker->front);) {
		if (take_signals(broker))
			return ENDING_TOLD;
		if (handover_asked(broker))
			return ENDING_ASKED;
		emptied = serve_turn(broker, emptied);
	}
	log_event(LOG_EVENT_FRONT_LOST, "the keeper of the network front is gone: start the broker again");
	return ENDING_LOST;
}

bool serve(struct broker *broker)
{
	broker->checked_ms = broker->loaded_ms = clock_monotonic_ms();
	register_remarks(broker->snapshot, log_remark, NULL);
	announce(broker);
	for (;;) {
		enum ending ending = serve_on(broker);
		if (ending != ENDING_ASKED)
			service_manager_stopping(&broker->manager, "telling those who wait to go elsewhere");
		broker->draining = true;
		process_show_metrics(broker, clock_monotonic_ms(), clock_now_ms());
		drain(broker, ending == ENDING_ASKED ? HANDOVER_RETRY_AFTER_MS : DRAINING_RETRY_AFTER_MS);
		// Whoever tries until the doors are shut is counted.
		front_stop(broker->front);
		record_attempts(broker, true);
		report(broker, ending == ENDING_ASKED ? LOG_EVENT_DRAINED_FOR_ANOTHER : LOG_EVENT_STOPPED);
		if (ending != ENDING_ASKED)
			return ending == ENDING_TOLD;
		enum handover_end end = handover_give(broker);
		if (end != HANDOVER_TAKEN_BACK)
			return end == HANDOVER_GIVEN;
		broker->draining = false;
	}
}
