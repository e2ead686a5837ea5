// Sets the stage: authority, register, store, vault, core.
#include "tests/harness/stage.h"

#include "tests/harness/stage_brokers.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/authority_state.h"
#include "certs/authority.h"
#include "proto/date.h"
#include "tests/harness/stage_priv.h"

const struct stage_cast stage_cast[STAGE_PERSONS] = {
	[NURSE] = {"555000000001", "R8001", STAGE_HOSPITAL, "2026-01-01", NULL, ""},
	[RECEPTIONIST] = {"555000000002", "R8009", STAGE_HOSPITAL, "2026-01-01", NULL, ""},
	[PRIVACY_OFFICER] = {"555000000003", "R0001", STAGE_HOSPITAL, "2026-01-01", NULL, ""},
	[OTHER_NURSE] = {"555000000004", "R8001", STAGE_COMMUNITY, "2026-01-01", NULL, ""},
	[SCHOOL_NURSE] = {"555000000005", "R8001", STAGE_COMMUNITY, "2026-01-01", NULL, "B0170"},
	[MIDWIFE] = {"555000000006", "R8016", STAGE_INFIRMARY, "2026-01-01", NULL, "B0170"},
	[LEEDS_WORKER] = {"555000000007", "R9535", STAGE_LEEDS, "2026-01-01", NULL, "L0601"},
	[BRIGHTON_WORKER] = {"555000000008", "R9535", STAGE_BRIGHTON, "2026-01-01", NULL, ""},
	[BRIGHTON_DUTY] = {"555000000009", "R9605", STAGE_BRIGHTON, "2026-01-01", NULL, ""},
	[REVIEWER] = {"555000000010", "R5105", STAGE_NATIONAL, "2026-01-01", NULL, ""},
	[CONSULTANT] = {"555000000017", "R0050", STAGE_HOSPITAL, "2026-01-01", NULL, "L0202"},
	[REGISTRAR] = {"555000000015", "R5090", STAGE_HOSPITAL, "2026-01-01", NULL, ""},
	[NATIONAL_REGISTRAR] = {"555000000016", "R5080", STAGE_NATIONAL, "2026-01-01", NULL, ""},
	[PAST_NURSE] = {"555000000011", "R8001", STAGE_HOSPITAL, "2026-01-01", "2026-10-20", ""},
	[FUTURE_NURSE] = {"555000000012", "R8001", STAGE_HOSPITAL, "2026-10-21", NULL, ""},
	[NOBODY] = {"555000000013", "R8001", STAGE_HOSPITAL, NULL, NULL, ""},
	[LEEDS_REVIEWER] = {"555000000018", "R0001", STAGE_LEEDS, "2026-01-01", NULL, ""},
	[INFIRMARY_GUARDIAN] = {"555000000019", "R5105", STAGE_INFIRMARY, "2026-01-01", NULL, ""},
	[EXPIRED_NURSE] = {"555000000014", "R8001", STAGE_HOSPITAL, "2026-01-01", NULL, ""},
	[NEIGHBOUR] = {"555000000020", "R8015", STAGE_NEIGHBOUR, "2026-01-01", NULL, "L0102"},
	[DEMOGRAPHER] = {"555000000021", "R8015", STAGE_DEMOGRAPHICS, "2026-01-01", NULL, ""},
	[OPERATOR] = {"555000000022", "R8015", STAGE_NATIONAL, "2026-01-01", NULL, "L0501"},
};

const struct stage_props stage_props[STAGE_SYSTEMS] = {
	[STAGE_HOSPITAL] = {"RXH", "hospital", "care_provider", "[emergency_department]", "53.80 -1.55", STAGE_WEB_HOST},
	[STAGE_COMMUNITY] = {"RY7", "community", "care_provider", "[school_nursing]", NULL, NULL},
	[STAGE_INFIRMARY] = {"RXJ", "infirmary", "care_provider", "[emergency_department, maternity, gp_in_hours]", "50.82 -0.14", STAGE_OTHER_WEB_HOST},
	[STAGE_LEEDS] = {"383", "leeds", "local_authority", NULL, NULL, NULL},
	[STAGE_BRIGHTON] = {"846", "brighton", "local_authority", NULL, NULL, NULL},
	[STAGE_NATIONAL] = {"X26", "national", "national_body", NULL, NULL, NULL},
	[STAGE_NEIGHBOUR] = {"W00", "neighbour", "national_body", NULL, NULL, NULL},
	[STAGE_DEMOGRAPHICS] = {"X09", "demographics", "national_body", NULL, NULL, NULL},
	[STAGE_UNREGISTERED] = {"RYX", "unregistered", NULL, NULL, NULL, NULL},
	[STAGE_EXPIRED] = {"RXH", "expired", NULL, NULL, NULL, NULL},
	[STAGE_NEWCOMER] = {"RXH", "newcomer", NULL, NULL, NULL, NULL},
};

void stage_must(bool good, const char *what, const char *detail)
{
	if (good)
		return;
	fprintf(stderr, "stage: %s: %s\n", what, detail);
	abort();
}

const char *stage_uid(enum stage_person person)
{
	return stage_cast[person].uid;
}

enum stage_system stage_system_of(enum stage_person person)
{
	return stage_cast[person].system;
}

// A path in the stage's directory; good until the fourth call after it.
const char *stage_path(const struct stage *stage, const char *format, ...)
{
	static char paths[4][160];
	static unsigned turn;
	char *path = paths[turn++ % 4];
	int used = snprintf(path, sizeof paths[0], "%s/", stage->directory);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(path + used, sizeof paths[0] - (size_t)used, format, arguments);
	va_end(arguments);
	return path;
}

// ------------------------------------------------------------------ authority and register

static void write_profile(const struct stage *stage, FILE *file, enum stage_person person)
{
	const struct stage_cast *cast = &stage_cast[person];
	char until[25] = "";
	if (cast->from == NULL)
		return;
	if (stage->profile_ends_ms[person] != 0)
		instant_format(stage->profile_ends_ms[person], until);
	else if (cast->until != NULL)
		snprintf(until, sizeof until, "%s", cast->until);
	fprintf(file, "  - {uid: \"%s\", role: %s, organisation: \"%s\", from: %s", cast->uid, cast->role,
		stage_props[cast->system].ods, cast->from);
	if (until[0] != '\0')
		fprintf(file, ", until: \"%s\"", until);
	if (cast->additional[0] != '\0')
		fprintf(file, ", activities: [%s]", cast->additional);
	fputs("}\n", file);
}

static void write_register(const struct stage *stage)
{
	const char *path = stage_path(stage, "register.yaml");
	FILE *file = fopen(path, "we");
	stage_must(file != NULL, path, "cannot be written");
	fputs("organisations:\n", file);
	for (int i = 0; i < STAGE_SYSTEMS; i++) {
		const struct stage_props *props = &stage_props[i];
		if (props->type == NULL)
			continue;
		fprintf(file, "  - {ods: \"%s\", name: The %s, type: %s", props->ods, props->name, props->type);
		if (props->care_settings != NULL)
			fprintf(file, ", care_settings: %s", props->care_settings);
		if (i == STAGE_NEIGHBOUR)
			fputs(", answers: {plans: [\"" STAGE_RANGE_FIRST "-" STAGE_RANGE_LAST "\"]}", file);
		if (i == STAGE_DEMOGRAPHICS && stage->asks_demographics)
			fputs(", answers: {demographics: true}", file);
		if (props->place != NULL)
			fprintf(file, ", place: %s", props->place);
		if (stage->inbox[i] != NULL)
			fprintf(file, ", inbox: %s", stage->inbox[i]);
		fputs("}\n", file);
	}
	fputs("role_profiles:\n", file);
	for (int i = 0; i < STAGE_PERSONS; i++)
		write_profile(stage, file, (enum stage_person)i);
	stage_must(fclose(file) == 0, path, "cannot be written");
}

static bool read_register(void *context, const struct policy *policy, struct register_snapshot **ret,
			  char detail[REGISTER_DETAIL_BYTES])
{
	const struct stage *stage = context;
	struct register_paths paths = {
		.trust_directory = stage_path(stage, "ra/trust"),
		.enrolled_directory = stage_path(stage, "ra/enrolled"),
		.register_file = stage_path(stage, "register.yaml"),
	};
	const char *identity = stage_path(stage, "identity");
	if (access(identity, F_OK) == 0)
		paths.identity_directory = identity;
	// Loaded while the short-lived certificates were good: what is past is then the core's to notice.
	uint64_t loaded_ms = stage->core == NULL ? STAGE_MADE_MS + STAGE_HOUR_MS : stage->now_ms;
	return register_load(&paths, policy, loaded_ms, ret, detail);
}

static void load_register(struct stage *stage)
{
	char detail[REGISTER_DETAIL_BYTES] = "";
	write_register(stage);
	register_release(stage->snapshot);
	stage->snapshot = NULL;
	const struct policy *policy = stage->core == NULL ? stage->policy : core_policy(stage->core);
	stage_must(read_register(stage, policy, &stage->snapshot, detail), "register", detail);
	if (stage->core != NULL)
		core_set_register(stage->core, stage->snapshot);
	if (stage->other_core != NULL)
		core_set_register(stage->other_core, stage->snapshot);
}

static void issue_all(struct stage *stage)
{
	char ra[80], detail[CERTS_DETAIL_BYTES] = "";
	struct authority_paths paths;
	snprintf(ra, sizeof ra, "%s/ra", stage->directory);
	for (int i = 0; i < STAGE_STRANGER; i++) {
		const struct stage_props *props = &stage_props[i];
		stage_must(authority_issue_web_system(ra, props->ods, props->name, props->web_host, stage->directory, props->name,
						      i == STAGE_EXPIRED ? 1 : 365, STAGE_MADE_MS, &paths,
						      detail) == CERTS_OK, props->name, detail);
		stage_must(curve_key_load(paths.key, &stage->keys[i]) == CERTS_OK, paths.key, "no key");
		snprintf(stage->system_files[i], sizeof stage->system_files[i], "%.120s", paths.certificate);
	}
	stage_must(curve_key_generate(&stage->keys[STAGE_STRANGER]) == CERTS_OK, "stranger", "no key");
	for (int i = 0; i < STAGE_PERSONS; i++) {
		char name[32];
		snprintf(name, sizeof name, "Person %d", i + 1);
		stage_must(authority_issue_staff(ra, stage_cast[i].uid, name, stage->directory, stage_cast[i].uid,
						 i == EXPIRED_NURSE ? 1 : 365, STAGE_MADE_MS, &paths,
						 detail) == CERTS_OK, stage_cast[i].uid, detail);
		snprintf(stage->person_files[i], sizeof stage->person_files[i], "%.120s", paths.certificate);
	}
}

// Where the enrolled directory has this system's certificate.
static const char *enrolled_path(const struct stage *stage, enum stage_system system)
{
	struct certificate_description description;
	char detail[CERTS_DETAIL_BYTES] = "", serial[2 * SERIAL_BYTES_MAX + 1];
	stage_must(certificate_describe_file(stage->system_files[system], &description, detail) == CERTS_OK,
		   stage->system_files[system], detail);
	certificate_serial_format(&description.serial, serial);
	return stage_path(stage, "ra/enrolled/%s.pem", serial);
}

void stage_enrol_newcomer(struct stage *stage)
{
	const char *from = stage_path(stage, "newcomer.aside"), *to = enrolled_path(stage, STAGE_NEWCOMER);
	stage_must(rename(from, to) == 0, to, "cannot be enrolled");
	load_register(stage);
}

void stage_end_profile(struct stage *stage, enum stage_person person)
{
	stage->profile_ends_ms[person] = stage->now_ms;
	load_register(stage);
}

void stage_ask_demographics(struct stage *stage, bool asks)
{
	stage->asks_demographics = asks;
	load_register(stage);
}

void stage_read_register(struct stage *stage)
{
	load_register(stage);
}

void stage_set_inbox(struct stage *stage, enum stage_system system, const char *inbox)
{
	stage->inbox[system] = inbox;
	load_register(stage);
}

bool stage_tick(struct stage *stage)
{
	uint64_t failed = core_read_counters(stage->core).failed_commits;
	while (core_tick(stage->core, stage->now_ms))
		;
	return core_read_counters(stage->core).failed_commits == failed;
}

static void take_back(struct stage *stage, const char *certificate)
{
	char detail[CERTS_DETAIL_BYTES] = "";
	stage_must(authority_revoke(stage_path(stage, "ra"), certificate, stage->now_ms, detail) == CERTS_OK,
		   "revoke", detail);
	load_register(stage);
}

void stage_revoke_person(struct stage *stage, enum stage_person person)
{
	take_back(stage, stage->person_files[person]);
}

void stage_revoke_system(struct stage *stage, enum stage_system system)
{
	take_back(stage, stage->system_files[system]);
}

// ------------------------------------------------------------------ store and core

static bool try_core(struct stage *stage, struct store *store, struct core **ret, char detail[CORE_DETAIL_BYTES])
{
	struct core_options options = {
		.broker_name = STAGE_BROKER_NAME,
		.log_origin = stage->log.origin,
		.policy = stage->policy,
		.policy_reader = {read_register, stage},
		.store = store,
		.vault = stage->vault,
		.session_keys = stage->session_keys,
		.log_key = stage->log_key,
		.witnesses = &stage->witnesses,
		.witness_required_s = stage->witness_required_s,
		.snapshot = stage->snapshot,
		.batch_max = STAGE_BATCH_MAX,
	};
	return core_new(&options, ret, detail);
}

bool stage_try_core(struct stage *stage, struct core **ret, char detail[CORE_DETAIL_BYTES])
{
	return try_core(stage, &stage->fault.store, ret, detail);
}

void stage_add_broker(struct stage *stage, struct store *store)
{
	char detail[CORE_DETAIL_BYTES] = "";
	stage->other_disk = store;
	stage_must(try_core(stage, store, &stage->other_core, detail), "core", detail);
}

void stage_change_broker(struct stage *stage)
{
	struct core *core = stage->core;
	stage->core = stage->other_core;
	stage->other_core = core;
	stage->is_other = !stage->is_other;
}

void stage_restart(struct stage *stage)
{
	char detail[CORE_DETAIL_BYTES] = "";
	if (stage->is_other)
		stage_change_broker(stage);
	core_free(stage->core);
	core_free(stage->other_core);
	stage->core = stage->other_core = NULL;
	stage_must(stage_try_core(stage, &stage->core, detail), "core", detail);
	if (stage->other_disk != NULL)
		stage_add_broker(stage, stage->other_disk);
}

void stage_set_contacts(struct stage *stage, enum stage_system system, const char *emergency_duty_telephone)
{
	struct arena arena;
	struct authority_state state;
	struct ods_code ods;
	Cpis__V1__Contacts contacts = CPIS__V1__CONTACTS__INIT, *list[] = {&contacts};
	struct store *store = stage->disk;
	struct op_context context = {.store = store, .vault = stage->vault, .arena = &arena, .now_ms = stage->now_ms};
	stage_must(arena_init(&arena, ARENA_BYTES), "contacts", "out of memory");
	stage_must(ods_code_parse(stage_props[system].ods, strlen(stage_props[system].ods), &ods) &&
			   store->ops->begin(store) == STORE_OK &&
			   authority_state_load(&context, &ods, &state) == REASON_NONE,
		   "contacts", "cannot be read");
	contacts.emergency_duty_telephone = (char *)(uintptr_t)emergency_duty_telephone;
	contacts.office_hours_telephone = (char *)(uintptr_t)"01273 290400";
	contacts.from_date = (char *)(uintptr_t)"2026-01-01";
	contacts.last_confirmed_ms = stage->now_ms;
	contacts.confirmed_by = (char *)(uintptr_t)"Person 0";
	state.stored->contacts = list;
	state.stored->n_contacts = emergency_duty_telephone != NULL;
	stage_must(authority_state_save(&context, &state) == REASON_NONE && store->ops->commit(store) == STORE_OK,
		   "contacts", "cannot be written");
	arena_done(&arena);
}

void stage_set_detection(struct stage *stage, const char *rules)
{
	static const char begins[] = "\ndetection:\n", ends[] = "\n# Checked whenever";
	struct policy *before = stage->policy;
	char detail[POLICY_DETAIL_BYTES] = "", *text = NULL;
	size_t bytes = 0;
	const char *old = (const char *)policy_text(before, &bytes);
	const char *from = memmem(old, bytes, begins, sizeof begins - 1), *to = memmem(old, bytes, ends, sizeof ends - 1);
	stage_must(from != NULL && to != NULL && from < to, "policy", "has no detection rules to replace");
	int made = asprintf(&text, "%.*s\ndetection:%s\n%s%.*s", (int)(from - old), old, rules[0] == '\0' ? " []" : "", rules,
			    (int)(old + bytes - to), to);
	stage_must(made > 0, "policy", "out of memory");
	stage_must(policy_read((const uint8_t *)text, (size_t)made, "rules", &stage->policy, detail), "policy", detail);
	free(text);
	stage_restart(stage);
	policy_free(before);
}

struct stage *stage_new(void)
{
	return stage_new_in("/tmp");
}

static struct stage *build(const char *parent, struct store *store)
{
	struct stage *stage = calloc(1, sizeof *stage);
	char detail[POLICY_DETAIL_BYTES] = "";
	stage_must(stage != NULL, "start", "out of memory");
	stage->now_ms = STAGE_NOW_MS;
	snprintf(stage->directory, sizeof stage->directory, "%.40s/cpis-stage-XXXXXX", parent);
	stage_must(mkdtemp(stage->directory) != NULL, stage->directory, "cannot be made");
	stage_must(authority_init(stage_path(stage, "ra"), STAGE_BROKER_NAME, "cpis.example/audit", STAGE_MADE_MS,
				  detail) == CERTS_OK, "authority", detail);
	issue_all(stage);
	stage_must(rename(enrolled_path(stage, STAGE_NEWCOMER), stage_path(stage, "newcomer.aside")) == 0, "newcomer",
		   "cannot be put aside");
	stage_must(policy_load("broker/policy.yaml", &stage->policy, detail), "policy", detail);
	load_register(stage);
	stage_must(vault_create_key(stage_path(stage, "store.key"), detail) &&
			   vault_open_key(stage_path(stage, "store.key"), &stage->vault, detail), "vault", detail);
	stage->session_keys.current = stage->vault;
	stage_must(signing_key_load(stage_path(stage, "ra/broker/log.key"), &stage->log_key) == CERTS_OK &&
			   note_verifier_load(stage_path(stage, "ra/trust/log.vkey"), &stage->log) == CERTS_OK,
		   "log key", "cannot be read");
	stage->disk = store;
	if (store == NULL && stage_brokers_wanted()) {
		stage_brokers_make_database(stage->database);
		stage->disk = store = stage_brokers_open(stage->database);
	}
	stage_must(store != NULL || store_sqlite_open(stage_path(stage, "broker.db"), &stage->disk, detail) == STORE_OK, "store", detail);
	stage_set_contacts(stage, STAGE_LEEDS, "01273 335905");
	stage_set_contacts(stage, STAGE_BRIGHTON, "01273 335905");
	fault_store_init(&stage->fault, stage->disk);
	stage_restart(stage);
	if (stage->database[0] != '\0')
		stage_add_broker(stage, stage_brokers_open(stage->database));
	return stage;
}

struct stage *stage_new_in(const char *parent)
{
	return build(parent, NULL);
}

struct stage *stage_new_over(struct store *store)
{
	return build("/tmp", store);
}

static int remove_one(const char *path, const struct stat *status, int flag, struct FTW *where)
{
	(void)status, (void)flag, (void)where;
	return remove(path);
}

void stage_forget(struct stage *stage)
{
	for (size_t i = 0; i < stage->reply_count; i++) {
		arena_done(&stage->replies[i]->arena);
		free(stage->replies[i]);
	}
	stage->reply_count = 0;
}

void stage_free(struct stage *stage)
{
	if (stage == NULL)
		return;
	core_free(stage->core);
	core_free(stage->other_core);
	if (stage->other_disk != NULL)
		stage->other_disk->ops->close(stage->other_disk);
	stage->disk->ops->close(stage->disk);
	if (stage->database[0] != '\0')
		stage_brokers_remove_database(stage->database);
	vault_free(stage->vault);
	signing_key_free(stage->log_key);
	register_release(stage->snapshot);
	policy_free(stage->policy);
	for (size_t i = 0; i < stage->asked_count; i++)
		free(stage->asked[i].data);
	stage_forget(stage);
	free(stage->replies);
	nftw(stage->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	explicit_bzero(stage, sizeof *stage);
	free(stage);
}

// ------------------------------------------------------------------ the log

uint64_t stage_log_size(struct stage *stage)
{
	uint64_t size = 0;
	stage_must(stage->disk->ops->audit_size(stage->disk, &size) == STORE_OK, "log", "cannot be read");
	return size;
}

bool stage_log_verifies(struct stage *stage)
{
	struct arena arena;
	struct merkle_tree tree = {0};
	struct merkle_hash root;
	struct checkpoint checkpoint;
	const char *note = NULL;
	bool good = true;
	uint64_t size = stage_log_size(stage);
	stage_must(arena_init(&arena, 4 * ARENA_BYTES), "log", "out of memory");
	for (uint64_t i = 0; i < size && good; i++) {
		struct store_audit row;
		struct merkle_hash leaf, nodes[MERKLE_HEIGHT_MAX + 1];
		size_t count;
		good = stage->disk->ops->audit_get(stage->disk, i, &arena, &row) == STORE_OK && row.index == i;
		if (!good)
			break;
		merkle_leaf(row.salt, row.record.data, row.record.bytes, &leaf);
		merkle_append(&tree, &leaf, nodes, &count);
		good = count == row.node_count && memcmp(nodes, row.nodes, count * sizeof nodes[0]) == 0;
	}
	merkle_root(&tree, &root);
	enum store_status status = stage->disk->ops->checkpoint_get(stage->disk, &arena, &note);
	if (status == STORE_OK)
		good = good && checkpoint_verify(note, strlen(note), &stage->log, &checkpoint) == CERTS_OK &&
		       checkpoint.size == size && memcmp(&checkpoint.root, &root, sizeof root) == 0;
	else
		good = good && status == STORE_NOT_FOUND && size == 0;
	arena_done(&arena);
	return good;
}
