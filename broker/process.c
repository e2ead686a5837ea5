// Starting and ending the parts of a broker.
#include "broker/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "broker/clock.h"
#include "broker/front_keeper.h"
#include "broker/handover.h"
#include "broker/log.h"
#include "broker/store_postgres.h"
#include "certs/key_memory.h"

void process_harden(void)
{
	struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
#ifndef CPIS_SANITIZED
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
	// What is not locked is told when everything is (process_sandbox.c).
	(void)!key_memory_init();
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max < 65536 ? files.rlim_max : 65536;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

static bool open_signals(struct broker *broker, char detail[PROCESS_DETAIL_BYTES])
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	signal(SIGPIPE, SIG_IGN);
	// A file that grew too large is a failed write, not the end of the process.
	signal(SIGXFSZ, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		broker->signals = -1;
	else
		broker->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (broker->signals < 0)
		snprintf(detail, PROCESS_DETAIL_BYTES, "signals: %s", strerror(errno));
	return broker->signals >= 0;
}

bool process_split(struct broker *broker, char detail[PROCESS_DETAIL_BYTES])
{
	char why[SERVICE_MANAGER_DETAIL_BYTES];
	if (!service_manager_open(&broker->manager, why)) {
		snprintf(detail, PROCESS_DETAIL_BYTES, "%s", why);
		return false;
	}
	if (broker->takes_over)
		service_manager_take_over(&broker->manager);
	if (!open_signals(broker, detail))
		return false;
	broker->keeper = front_keeper_start();
	if (broker->keeper < 0)
		snprintf(detail, PROCESS_DETAIL_BYTES, "the front's keeper cannot be started: %s", strerror(errno));
	return broker->keeper >= 0;
}

static bool load_files(struct broker *broker, const char *config_path, char detail[PROCESS_DETAIL_BYTES])
{
	broker->config_path = config_path;
	if (!config_load(config_path, &broker->config, detail) ||
	    !policy_load(broker->config->policy_file, &broker->policy, detail))
		return false;
	broker->paths = (struct register_paths){
		.trust_directory = broker->config->trust_directory,
		.enrolled_directory = broker->config->enrolled_directory,
		.register_file = broker->config->register_file,
		.identity_directory = broker->config->identity_directory,
	};
	broker->fingerprint = register_fingerprint(&broker->paths);
	log_set_format(broker->config->log_format);
	if (broker->keeper >= 0)
		front_keeper_log_as(broker->keeper, broker->config->log_format);
	return register_load(&broker->paths, broker->policy, clock_now_ms(), &broker->snapshot, detail);
}

bool process_read_certificate(const struct broker *broker, const struct register_snapshot *snapshot, const char *path,
			      struct broker_identity *ret, char detail[PROCESS_DETAIL_BYTES])
{
	char why[CERTS_DETAIL_BYTES];
	if (trust_verify_broker_file(register_trust(snapshot), path, broker->config->broker_name, clock_now_ms(), ret, why) == CERTS_OK)
		return true;
	snprintf(detail, PROCESS_DETAIL_BYTES, "%.300s: %s", path, why);
	return false;
}

// A certificate that clients will check us by, and the key behind it.
static bool load_pair(const struct broker *broker, const char *certificate, const char *key_path,
		      struct curve_key_pair *ret, uint64_t *ret_until_ms, char detail[PROCESS_DETAIL_BYTES])
{
	struct broker_identity identity;
	if (!process_read_certificate(broker, broker->snapshot, certificate, &identity, detail))
		return false;
	enum certs_status status = curve_key_load(key_path, ret);
	if (status == CERTS_OK && memcmp(identity.curve_public, ret->public_key, KEY_BYTES) != 0)
		status = CERTS_KEY_MISMATCH;
	if (status != CERTS_OK)
		snprintf(detail, PROCESS_DETAIL_BYTES, "%s: %s", key_path, certs_status_text(status));
	*ret_until_ms = identity.not_after_ms;
	return status == CERTS_OK;
}

static bool load_broker_keys(struct broker *broker, char detail[PROCESS_DETAIL_BYTES])
{
	const struct config *config = broker->config;
	uint64_t next_until_ms;
	if (!load_pair(broker, config->certificate, config->key, &broker->key, &broker->certificate_until_ms, detail))
		return false;
	return config->next_endpoint == NULL ||
	       load_pair(broker, config->next_certificate, config->next_key, &broker->next_key, &next_until_ms, detail);
}

static bool load_log_verifier(struct broker *broker, char detail[PROCESS_DETAIL_BYTES])
{
	char path[4200];
	snprintf(path, sizeof path, "%s/log.vkey", broker->config->trust_directory);
	enum certs_status status = note_verifier_load(path, &broker->log_verifier);
	if (status != CERTS_OK)
		snprintf(detail, PROCESS_DETAIL_BYTES, "%.300s: %s", path, certs_status_text(status));
	return status == CERTS_OK;
}

static bool load_log_key(struct broker *broker, char detail[PROCESS_DETAIL_BYTES])
{
	const struct config *config = broker->config;
	uint8_t public_key[KEY_BYTES];
	enum certs_status status = signing_key_load(config->log_key, &broker->log_key);
	if (status == CERTS_OK) {
		signing_key_public(broker->log_key, public_key);
		if (memcmp(public_key, broker->log_verifier.public_key, KEY_BYTES) != 0)
			status = CERTS_KEY_MISMATCH;
	}
	if (status != CERTS_OK)
		snprintf(detail, PROCESS_DETAIL_BYTES, "%.300s: %s", config->log_key, certs_status_text(status));
	return status == CERTS_OK;
}

bool process_read_witnesses(const struct config *config, struct witness_policy *ret, char detail[PROCESS_DETAIL_BYTES])
{
	char path[4200];
	snprintf(path, sizeof path, "%s/log.policy", config->trust_directory);
	if (!witness_policy_load(path, ret, detail))
		return false;
	if (config->witness_required_s != 0 && !ret->required) {
		snprintf(detail, PROCESS_DETAIL_BYTES, "%.300s: asks for no witnesses, and the configuration has witness_required_s", path);
		return false;
	}
	return true;
}

static bool open_vaults(struct broker *broker, char detail[PROCESS_DETAIL_BYTES])
{
	const char *paths[] = {broker->config->session_key, broker->config->session_key_previous};
	if (!vault_open_key(broker->config->store_key, &broker->vault, detail))
		return false;
	for (unsigned i = 0; i < 2; i++)
		if (paths[i] != NULL && !vault_open_key(paths[i], &broker->session_keys[i], detail))
			return false;
	return true;
}

// The core's register is the one in force: another policy brings another one with it.
void process_adopt_register(struct broker *broker)
{
	struct register_snapshot *snapshot = core_register(broker->core);
	if (snapshot == broker->snapshot)
		return;
	register_release(broker->snapshot);
	broker->snapshot = register_retain(snapshot);
	if (broker->front == NULL)
		return;
	struct admission *admission = admission_of_register(snapshot);
	// Those who were let in before still are; each of their requests is judged by the new register.
	if (admission == NULL)
		log_event(LOG_EVENT_ADMISSION_NOT_CHANGED, "out of memory: the front goes by the list of before");
	else
		front_set_admission(broker->front, admission);
	admission_release(admission);
}

bool process_read_register(struct broker *broker, const struct policy *policy, struct register_snapshot **ret,
			   char detail[REGISTER_DETAIL_BYTES])
{
	return register_load(&broker->paths, policy, clock_now_ms(), ret, detail);
}

// As the core wants it.
static bool read_register(void *context, const struct policy *policy, struct register_snapshot **ret,
			  char detail[REGISTER_DETAIL_BYTES])
{
	return process_read_register(context, policy, ret, detail);
}

static bool open_store(struct broker *broker, char detail[PROCESS_DETAIL_BYTES])
{
	const struct config *config = broker->config;
	if (config->store_file != NULL)
		return store_sqlite_open(config->store_file, &broker->store, detail) == STORE_OK;
	const struct store_postgres_options options = {
		.conninfo = config->store_postgres, .lone_server = config->store_lone_server};
	return store_postgres_open(&options, &broker->store, detail) == STORE_OK;
}

static bool make_tables(struct broker *broker, char detail[PROCESS_DETAIL_BYTES])
{
	broker->peers = calloc(broker->config->batch_max, sizeof *broker->peers);
	broker->arrived_us = calloc(broker->config->batch_max, sizeof *broker->arrived_us);
	if (broker->peers != NULL && broker->arrived_us != NULL && parked_new(&broker->parked))
		return true;
	snprintf(detail, PROCESS_DETAIL_BYTES, "out of memory");
	return false;
}

static bool open_core(struct broker *broker, char detail[PROCESS_DETAIL_BYTES])
{
	const struct config *config = broker->config;
	if (!open_store(broker, detail))
		return false;
	struct core_options options = {
		.broker_name = config->broker_name,
		.certificate_until_ms = broker->certificate_until_ms,
		.log_origin = broker->log_verifier.origin,
		.policy = broker->policy,
		.policy_reader = {read_register, broker},
		.store = broker->store,
		.vault = broker->vault,
		.session_keys = {.current = broker->session_keys[0] != NULL ? broker->session_keys[0] : broker->vault,
				 .previous = broker->session_keys[1]},
		.log_key = broker->log_key,
		.witnesses = &broker->witnesses,
		.witness_required_s = config->witness_required_s,
		.snapshot = broker->snapshot,
		.batch_max = config->batch_max,
	};
	if (!core_new(&options, &broker->core, detail))
		return false;
	process_adopt_register(broker);
	return true;
}

static struct front_limits front_limits_of(const struct config *config)
{
	return (struct front_limits){
		.zap = {.connections_max = config->connections_max,
			.connections_per_system_max = config->connections_per_system_max,
			.enrolling_connections_max = config->enrolment_endpoint != NULL ? LISTENERS_ENROLLING_MAX : 0},
		.intake = {.queued_max = config->waiting_max,
			   .per_system_max = config->waiting_per_system_max,
			   .busy_after_ms = config->busy_after_ms},
		.memory_bytes_max = (uint64_t)config->front_memory_mb << 20,
	};
}

void process_set_front_limits(struct broker *broker)
{
	const struct front_limits limits = front_limits_of(broker->config);
	front_set_limits(broker->front, &limits);
}

// The sockets are the front's from here on, or closed.
static bool open_front(struct broker *broker, struct front_sockets *sockets, char detail[PROCESS_DETAIL_BYTES])
{
	const struct config *config = broker->config;
	struct admission *admission = admission_of_register(broker->snapshot);
	broker->attempts = attempts_new();
	if (broker->attempts == NULL || admission == NULL) {
		snprintf(detail, PROCESS_DETAIL_BYTES, "out of memory");
		admission_release(admission);
		front_sockets_close(sockets);
		return false;
	}
	struct front_options options = {
		.keeper = broker->keeper,
		.endpoints = {config->endpoint, config->next_endpoint, config->enrolment_endpoint},
		.keys = {&broker->key, &broker->next_key, &broker->key},
		.files = {config->endpoint_file, config->next_endpoint_file, config->enrolment_endpoint_file},
		.admission = admission,
		.attempts = broker->attempts,
		.limits = front_limits_of(config),
		.sockets = *sockets,
		.batch_max = config->batch_max,
		.log_format = config->log_format,
		.sandbox = config->sandbox,
	};
	broker->keeper = -1;
	bool opened = front_open(&options, &broker->front, detail);
	admission_release(admission);
	return opened;
}

bool process_load_own(struct broker *broker, const char *config_path, char detail[PROCESS_DETAIL_BYTES])
{
	return load_files(broker, config_path, detail) && load_broker_keys(broker, detail) && load_log_verifier(broker, detail);
}

bool process_load(struct broker *broker, const char *config_path, char detail[PROCESS_DETAIL_BYTES])
{
	return process_load_own(broker, config_path, detail) && load_log_key(broker, detail) &&
	       process_read_witnesses(broker->config, &broker->witnesses, detail);
}

bool process_open_store(struct broker *broker, char detail[PROCESS_DETAIL_BYTES])
{
	return open_vaults(broker, detail) && make_tables(broker, detail) && open_core(broker, detail);
}

bool process_open(struct broker *broker, char detail[PROCESS_DETAIL_BYTES])
{
	struct front_sockets sockets = {{0}};
	// Files that only root can read are read by now; what is made from here on belongs to whom the process has become.
	if (!open_vaults(broker, detail) || !process_open_metrics(broker, detail) || !process_confine_files(broker, detail) || !make_tables(broker, detail) ||
	    !handover_take(broker, &sockets, detail))
		return false;
	if (!open_core(broker, detail)) {
		front_sockets_close(&sockets);
		return false;
	}
	handover_listen(broker);
	if (!process_start_metrics(broker, detail)) {
		front_sockets_close(&sockets);
		return false;
	}
	return open_front(broker, &sockets, detail) && process_confine_calls(broker, detail) && handover_serve(broker, detail);
}

void process_close_store(struct broker *broker)
{
	core_free(broker->core);
	broker->core = NULL;
	if (broker->store != NULL)
		broker->store->ops->close(broker->store);
	broker->store = NULL;
}

bool process_take_back(struct broker *broker, char detail[PROCESS_DETAIL_BYTES])
{
	// Whoever was to take over may have written the files anew, or removed them.
	return open_core(broker, detail) && front_start_again(broker->front, detail) && process_tell_metrics(broker, detail);
}

void process_close(struct broker *broker)
{
	process_close_metrics(broker);
	front_close(broker->front);
	if (broker->keeper >= 0)
		close(broker->keeper);
	attempts_free(broker->attempts);
	process_close_store(broker);
	free(broker->peers);
	free(broker->arrived_us);
	parked_free(broker->parked);
	// After the store: who takes everything back finds it closed.
	handover_close(broker);
	vault_free(broker->session_keys[0]);
	vault_free(broker->session_keys[1]);
	vault_free(broker->vault);
	signing_key_free(broker->log_key);
	curve_key_wipe(&broker->key);
	curve_key_wipe(&broker->next_key);
	register_release(broker->snapshot);
	policy_free(broker->policy);
	config_free(broker->config);
	service_manager_close(&broker->manager);
	if (broker->signals >= 0)
		close(broker->signals);
}
