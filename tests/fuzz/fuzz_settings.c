// Files that an operator writes: the broker's configuration and register, a client's profile, the store's key, a witness's state,
// and what people type or are read over the telephone.
#include <errno.h>
#include <string.h>

#include "broker/config.h"
#include "broker/policy.h"
#include "broker/register_priv.h"
#include "broker/vault.h"
#include "certs/public_key.h"
#include "clients/cli/enrolment_code.h"
#include "clients/cli/profile.h"
#include "clients/cli/witness_state.h"
#include "proto/date.h"
#include "proto/text.h"
#include "tests/fuzz/edit.h"

static struct policy *policy;

static const char config_text[] =
	"broker_name: broker-1\nendpoint: tcp://0.0.0.0:4420\nendpoint_file: run/endpoint\n"
	"enrolment_endpoint: tcp://10.0.0.1:4421\nenrolment_endpoint_file: run/enrolment_endpoint\n"
	"next_endpoint: tcp://0.0.0.0:4430\nnext_certificate: pki/next.pem\nnext_key: pki/next.key\nnext_endpoint_file: run/next\n"
	"certificate: pki/broker.pem\nkey: pki/broker.key\nlog_key: pki/log.key\ntrust_directory: pki/trust\n"
	"enrolled_directory: /pki/enrolled\nregister_file: register.yaml\npolicy_file: policy.yaml\nstore_file: store/cpis.db\n"
	"store_key: store/store.key\nsession_key: store/session.key\nconnections_max: 4096\nconnections_per_system_max: 1024\n"
	"batch_max: 256\nwitness_required_s: 86400\nuser: cpis\nsandbox: best-effort\nwaiting_max: 8192\n"
	"waiting_per_system_max: 1024\nbusy_after_ms: 25\nfront_memory_mb: 512\n";
static const char *const config_words[] = {"tcp://*:*", "tcp://:1", "tcp://h:65536", "udp://h:1", "tcp://h:1", "required", "off", NULL};

static const char register_text[] =
	"publishing:\n  vanished_percent_max: 10\n  contacts_stale_days: 90\n"
	"organisations:\n"
	"  - {ods: RXH, name: Hospitals, type: care_provider, care_settings: [emergency_department, maternity], place: 53.80 -1.55}\n"
	"  - {ods: RY7, name: Health, type: care_provider, care_settings: [school_nursing]}\n"
	"  - {ods: \"383\", name: Council, type: local_authority, inbox: {escalate_after_minutes: 120, expire_after_days: 30}}\n"
	"  - {ods: \"846\", name: Other, type: local_authority, inbox: {same_look_minutes: 10, digest: hourly, nothing_to_report: daily}}\n"
	"  - {ods: X26, name: National, type: national_body, answers: {demographics: true}}\n"
	"  - {ods: W00, name: Next, type: national_body, answers: {plans: [9995000000-9995999999, 9996000000-9996999999]}}\n"
	"role_profiles:\n"
	"  - {uid: \"555000000001\", role: R8001, organisation: RXH, from: 2026-01-01}\n"
	"  - {uid: \"555000000003\", role: R8001, organisation: RY7, from: 2026-01-01, until: 2026-07-01T12:00:00Z}\n"
	"  - {uid: \"555000000003\", role: R8001, organisation: RY7, from: 2026-07-01T12:00:00Z, activities: [B0170]}\n"
	"  - {uid: \"555000000006\", role: R9535, organisation: \"383\", from: 2026-01-01}\n";
static const char *const register_words[] = {"care_provider", "local_authority", "national_body", "ambulance", "B0107", "R0001", "RYX",
					     "hourly", "daily", "never", "91", "-91", "181.0", "demographics", "plans",
					     "9995000000-9995000000", "9995999999-9995000000", "1441", "43201", "366", "101", "3651", NULL};

static const char profile_text[] =
	"endpoint: tcp://broker.example:4420\nbroker_name: broker-1\nbroker_certificate: broker.pem\ntrust_directory: trust\n"
	"system_certificate: ed.pem\nsystem_key: ed.key\nstaff_certificate: grace.pem\nstaff_key: pkcs11:token=ward\nrole: R8001\n"
	"care_setting: emergency_department\ncheckpoint_file: /var/lib/checkpoint\nwitness: warn\nwitness_age_max: \"86400\"\n"
	"brokers:\n"
	"  - {endpoint: tcp://second.example:4420, broker_name: broker-2, broker_certificate: b2.pem}\n"
	"  - {endpoint: tcp://third.example:4420, broker_name: broker-3, broker_certificate: b3.pem, trust_directory: t3}\n"
	"share_log: \"no\"\n";
static const char *const profile_words[] = {"refuse", "tcp://second.example:4420", "2678401", "ambulance", "yes", NULL};

// The good one with changes, or anything.
static const char *as_file(struct fuzz_input *input, const char *text, size_t bytes, const char *const words[])
{
	uint8_t how = fuzz_byte(input);
	if (how % 8 == 6)
		return fuzz_odd_path(how / 8);
	if (how % 8 == 7)
		return fuzz_file(input->at, fuzz_left(input));
	char *edited = edit_text(input, text, bytes, words, &bytes);
	const char *path = fuzz_file(edited, bytes);
	free(edited);
	return path;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char detail[POLICY_DETAIL_BYTES];
	(void)argc, (void)argv;
	FUZZ_MUST(policy_load("broker/policy.yaml", &policy, detail));
	return 0;
}

// A refusal says something, on one clean line.
static void check_detail(bool good, const char *detail)
{
	FUZZ_MUST(good || (detail[0] != '\0' && text_is_clean(detail, strlen(detail))));
}

static void check_missing(void *unused, const char *sentence)
{
	(void)unused;
	FUZZ_MUST(text_is_clean(sentence, strlen(sentence)));
}

static void check_config(struct fuzz_input *input)
{
	struct config *config = NULL;
	char detail[CONFIG_DETAIL_BYTES] = "";
	bool good = config_load(as_file(input, config_text, sizeof config_text - 1, config_words), &config, detail);
	check_detail(good, detail);
	if (good)
		FUZZ_MUST(config->connections_max > 0 && config->batch_max > 0 && config->batch_max <= 1024 &&
			  config->connections_per_system_max <= config->connections_max &&
			  (config->store_file == NULL) != (config->store_postgres == NULL) &&
			  config_has_store_file(config, "this", detail) == (config->store_file != NULL));
	if (good)
		config_missing(config, check_missing, NULL);
	config_free(config);
}

static void check_profile(struct fuzz_input *input)
{
	struct profile *profile = NULL;
	char detail[PROFILE_DETAIL_BYTES] = "";
	bool good = profile_load(as_file(input, profile_text, sizeof profile_text - 1, profile_words), &profile, detail);
	check_detail(good, detail);
	for (size_t i = 0; good && i < profile_brokers_count(profile); i++)
		FUZZ_MUST(profile_broker(profile, i).endpoint != NULL && profile_broker(profile, i).trust_directory != NULL);
	struct cpis_broker further[PROFILE_BROKERS_MAX];
	struct cpis_options options;
	for (size_t i = 0; good && i < profile_further(profile, further); i++)
		FUZZ_MUST(further[i].endpoint != NULL && further[i].broker_name != NULL && further[i].broker_certificate != NULL);
	if (good) {
		profile_connect_options(profile, 0, &options);
		FUZZ_MUST(options.endpoint != NULL && options.trust_directory != NULL);
	}
	profile_free(profile);
}

// The file alone: trust and certificates are tests/fuzz/fuzz_certificate.c's.
static void check_register(struct fuzz_input *input)
{
	struct register_snapshot *snapshot = calloc(1, sizeof *snapshot);
	struct nhs_number number;
	struct ods_code ods;
	char detail[REGISTER_DETAIL_BYTES] = "";
	FUZZ_MUST(snapshot != NULL && nhs_number_parse("9990000018", 10, &number) == NHS_NUMBER_OK);
	atomic_store(&snapshot->references, 1);
	bool good = register_read_file(as_file(input, register_text, sizeof register_text - 1, register_words), policy, snapshot,
				       detail);
	check_detail(good, detail);
	if (good && ods_code_parse("RXH", 3, &ods)) {
		const struct organisation *found = register_organisation(snapshot, &ods);
		FUZZ_MUST(found == NULL || text_is_clean(found->name, strlen(found->name)));
		register_profile(snapshot, "555000000001", "R8001", &ods, 1792488600000u);
	}
	register_release(snapshot);
}

static void check_key(struct fuzz_input *input)
{
	struct vault *vault = NULL;
	char detail[VAULT_DETAIL_BYTES] = "";
	uint8_t how = fuzz_byte(input);
	const char *path = how < 8 ? fuzz_odd_path(how) : fuzz_file(input->at, fuzz_left(input));
	check_detail(vault_open_key(path, &vault, detail), detail);
	vault_free(vault);
}

static void check_witness_state(struct fuzz_input *input)
{
	struct witness_state state;
	char path[128];
	snprintf(path, sizeof path, "%.64s/checkpoint.cosigned", fuzz_directory());
	fuzz_write(path, input->at, fuzz_left(input));
	*strrchr(path, '.') = '\0';
	if (witness_state_load(path, &state)) {
		witness_state_hold(&state, 7, 1792488600u);
		FUZZ_MUST(witness_state_floor(&state) >= state.signed_size);
	} else {
		FUZZ_MUST(errno == EINVAL);
	}
}

static void check_words(struct fuzz_input *input)
{
	uint8_t code[ENROLMENT_CODE_BYTES];
	char text[ENROLMENT_CODE_TEXT_BYTES], fingerprint[PUBLIC_KEY_FINGERPRINT_BYTES], day[11], instant[25], month_text[MONTH_BYTES];
	static const uint8_t key[KEY_BYTES];
	struct date date;
	uint64_t ms;
	uint32_t month;
	size_t bytes = fuzz_left(input);
	char *words = malloc(bytes + 1);
	FUZZ_MUST(words != NULL);
	memcpy(words, input->at, bytes);
	words[bytes] = '\0';
	if (enrolment_code_parse(words, code) == 0)
		enrolment_code_format(code, text);
	FUZZ_MUST(public_key_fingerprint(key, fingerprint));
	public_key_fingerprint_is(fingerprint, words);
	if (date_parse(words, bytes, &date)) {
		date_format(date, day);
		FUZZ_MUST(strlen(day) == bytes && memcmp(day, words, bytes) == 0);
		english_midnight_ms(date);
		date_format(date_add_months(date, (int)bytes - 7), day);
	}
	if (instant_parse(words, bytes, &ms)) {
		instant_format(ms, instant);
		english_time_of(ms);
	}
	if (month_parse(words, bytes, &month)) {
		month_format(month, month_text);
		FUZZ_MUST(strcmp(month_text, words) == 0 && instant_month(month_start_ms(month)) == month);
	}
	free(words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static void (*const checks[])(struct fuzz_input *) = {check_config, check_register, check_profile, check_key, check_witness_state,
							      check_words};
	struct fuzz_input input = fuzz_input(data, bytes);
	checks[fuzz_byte(&input) % (sizeof checks / sizeof checks[0])](&input);
	return 0;
}
