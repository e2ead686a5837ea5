// SIGHUP: configuration, policy, certificates and revocation lists are read again.
#include "broker/reload.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "broker/clock.h"
#include "broker/config_change.h"
#include "broker/log.h"
#include "proto/date.h"

#define SUMMARY_BYTES 1024

// What was read and is good, and does not count yet.
struct fresh {
	struct config *config;
	struct policy *policy;            // of the file, where that is another text and the file's is what decides; else NULL
	bool overruled;                   // it is another text, and does not decide
	struct register_snapshot *snapshot; // by the policy that will decide
	struct witness_policy witnesses;
	uint64_t certificate_until_ms;
	uint64_t fingerprint;             // of the register's files, from before they were read
};

static void fresh_done(struct fresh *fresh)
{
	config_free(fresh->config);
	policy_free(fresh->policy);
	register_release(fresh->snapshot);
}

// ------------------------------------------------------------------ read

static bool read_config(const struct broker *broker, struct fresh *fresh, char detail[PROCESS_DETAIL_BYTES])
{
	char names[CONFIG_CHANGE_BYTES];
	if (!config_load(broker->config_path, &fresh->config, detail))
		return false;
	if (!config_change_needs_restart(broker->config, fresh->config, names))
		return true;
	snprintf(detail, PROCESS_DETAIL_BYTES,
		 "%.200s: a running broker cannot change %.180s: undo that, or start a broker with it that takes over (cpis-broker --take-over)",
		 broker->config_path, names);
	return false;
}

static bool is_same_text(const struct policy *a, const struct policy *b)
{
	size_t a_bytes, b_bytes;
	const uint8_t *a_text = policy_text(a, &a_bytes), *b_text = policy_text(b, &b_bytes);
	return a_bytes == b_bytes && memcmp(a_text, b_text, a_bytes) == 0;
}

// Where the file's is not what decides it is checked all the same, examples and all: it is next after a new store.
static bool read_policy(const struct broker *broker, struct fresh *fresh, char detail[PROCESS_DETAIL_BYTES])
{
	struct policy *policy = NULL;
	if (!policy_load(fresh->config->policy_file, &policy, detail))
		return false;
	bool decides = core_policy_is_file(broker->core);
	if (is_same_text(policy, core_policy(broker->core))) {
		policy_free(policy);
		return true;
	}
	fresh->overruled = !decides;
	if (decides)
		fresh->policy = policy;
	else
		policy_free(policy);
	return true;
}

static bool read_register(struct broker *broker, struct fresh *fresh, char detail[PROCESS_DETAIL_BYTES])
{
	fresh->fingerprint = register_fingerprint(&broker->paths);
	return process_read_register(broker, fresh->policy != NULL ? fresh->policy : core_policy(broker->core), &fresh->snapshot, detail);
}

static bool read_certificate(const struct broker *broker, const struct fresh *fresh, const char *path, const char *key_setting,
			     const struct curve_key_pair *key, uint64_t *ret_until_ms, char detail[PROCESS_DETAIL_BYTES])
{
	struct broker_identity identity;
	if (!process_read_certificate(broker, fresh->snapshot, path, &identity, detail))
		return false;
	*ret_until_ms = identity.not_after_ms;
	if (memcmp(identity.curve_public, key->public_key, KEY_BYTES) == 0)
		return true;
	snprintf(detail, PROCESS_DETAIL_BYTES,
		 "%.300s: is for another key than the broker has, which reads `%s` at its start alone: start one that takes over", path,
		 key_setting);
	return false;
}

static bool read_certificates(const struct broker *broker, struct fresh *fresh, char detail[PROCESS_DETAIL_BYTES])
{
	uint64_t next_until_ms;
	return read_certificate(broker, fresh, fresh->config->certificate, "key", &broker->key, &fresh->certificate_until_ms, detail) &&
	       (fresh->config->next_certificate == NULL ||
		read_certificate(broker, fresh, fresh->config->next_certificate, "next_key", &broker->next_key, &next_until_ms, detail));
}

static bool read_all(struct broker *broker, struct fresh *fresh, char detail[PROCESS_DETAIL_BYTES])
{
	return read_config(broker, fresh, detail) && read_policy(broker, fresh, detail) && read_register(broker, fresh, detail) &&
	       read_certificates(broker, fresh, detail) && process_read_witnesses(fresh->config, &fresh->witnesses, detail);
}

// ------------------------------------------------------------------ put in force

// The one step that can fail, and therefore the first.
static bool put_policy(struct broker *broker, struct fresh *fresh, char detail[PROCESS_DETAIL_BYTES])
{
	if (fresh->policy == NULL)
		return true;
	bool done = core_put_policy_file(broker->core, fresh->policy, fresh->snapshot, clock_now_ms());
	// A failed commit may have left another policy in force.
	process_adopt_register(broker);
	if (done) {
		struct policy *before = broker->policy;
		broker->policy = fresh->policy;
		fresh->policy = before;
	} else {
		snprintf(detail, PROCESS_DETAIL_BYTES, "the policy could not be put in force, because its record could not be written");
	}
	return done;
}

static void put_rest(struct broker *broker, struct fresh *fresh)
{
	core_set_register(broker->core, fresh->snapshot);
	process_adopt_register(broker);
	broker->fingerprint = fresh->fingerprint;
	broker->loaded_ms = clock_monotonic_ms();
	broker->witnesses = fresh->witnesses;
	broker->certificate_until_ms = fresh->certificate_until_ms;
	core_set_terms(broker->core, fresh->certificate_until_ms, fresh->config->witness_required_s);
	config_change_adopt(broker->config, fresh->config);
	process_set_front_limits(broker);
}

// ------------------------------------------------------------------ tell

__attribute__((format(printf, 2, 3))) static void say(char summary[SUMMARY_BYTES], const char *format, ...)
{
	size_t used = strlen(summary);
	va_list arguments;
	if (used > 0)
		used += (size_t)snprintf(summary + used, SUMMARY_BYTES - used, "; ");
	va_start(arguments, format);
	if (used < SUMMARY_BYTES)
		vsnprintf(summary + used, SUMMARY_BYTES - used, format, arguments);
	va_end(arguments);
}

// Before the change.
static void describe_change(const struct broker *broker, const struct fresh *fresh, char summary[SUMMARY_BYTES])
{
	char names[CONFIG_CHANGE_BYTES], until[25];
	summary[0] = '\0';
	if (fresh->policy != NULL)
		say(summary, "policy %s is in force in place of %s, and the audit log has a record of it", policy_version(fresh->policy),
		    policy_version(core_policy(broker->core)));
	if (fresh->overruled)
		say(summary, "the policy file is good and does not decide: %s was put in force over the broker, and only that "
			     "(cpis policy load) puts another there", policy_version(core_policy(broker->core)));
	if (fresh->certificate_until_ms != broker->certificate_until_ms) {
		instant_format(fresh->certificate_until_ms, until);
		say(summary, "the broker's certificate is good until %s", until);
	}
	if (memcmp(&fresh->witnesses, &broker->witnesses, sizeof fresh->witnesses) != 0)
		say(summary, "log.policy is another");
	if (config_change_is_there(broker->config, fresh->config, names))
		say(summary, "changed: %s", names);
	if (summary[0] == '\0')
		say(summary, "nothing has changed in the configuration, the policy and the broker's certificate");
	say(summary, "%zu systems are enrolled and valid, by the revocation lists as they are now", register_systems_count(fresh->snapshot));
}

static void log_remark(void *unused, const char *sentence)
{
	(void)unused;
	log_event(LOG_EVENT_ENROLLED_REFUSED, "%s", sentence);
}

void reload(struct broker *broker)
{
	struct fresh fresh = {0};
	char detail[PROCESS_DETAIL_BYTES] = "", summary[SUMMARY_BYTES];
	bool good = read_all(broker, &fresh, detail);
	if (good)
		describe_change(broker, &fresh, summary);
	good = good && put_policy(broker, &fresh, detail);
	if (good) {
		put_rest(broker, &fresh);
		register_remarks(broker->snapshot, log_remark, NULL);
		log_event(LOG_EVENT_RELOADED, "%s", summary);
	} else {
		log_event(LOG_EVENT_RELOAD_REFUSED, "%s; nothing has changed, what was in force before still is", detail);
	}
	fresh_done(&fresh);
}
