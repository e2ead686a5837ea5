// The town: who is there, its register, its sessions, and what goes over the wire to and fro.
#include "tests/bench/town.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <openssl/rand.h>

#include "proto/wire.h"
#include "tests/bench/ending.h"
#include "tests/bench/plan_maker.h"
#include "tests/bench/town_people.h"

#define DEADLINE_MS DEADLINE_MS_MAX // an overloaded broker is slow, and does not refuse

// ------------------------------------------------------------------ who is there

static void take_seat(struct town *town, struct town_registry *registry, const char *ods, const char *role)
{
	char name[32];
	unsigned seat = town->seats_count++;
	struct town_seat *taken = &town->seats[seat];
	snprintf(taken->ods, sizeof taken->ods, "%s", ods);
	snprintf(taken->uid, sizeof taken->uid, "5557%08u", seat % 100000000u);
	taken->role = role;
	snprintf(name, sizeof name, "bench-system-%u", seat);
	town_enrol(registry, ods, name, &town->keys[seat]);
	town->people[seat] = town_person_new(registry, taken->uid);
}

static void authority_code(unsigned number, char out[4])
{
	snprintf(out, 4, "%03u", (100 + number) % 1000u);
}

static void find_people(struct town *town, const struct town_options *options)
{
	struct town_registry *registry = town_registry_open(town->world);
	char code[4], uid[UID_DIGITS + 1];
	town->authorities = options->authorities;
	town->staff = options->staff;
	town->people = calloc(TOWN_SEATS_MAX + options->staff, sizeof *town->people);
	link_must(town->people != NULL, "memory");
	for (unsigned i = 0; i < TOWN_NURSES; i++)
		take_seat(town, registry, "RXH", "R8001");
	for (unsigned i = 0; i < options->authorities; i++) {
		authority_code(i, code);
		take_seat(town, registry, code, "R9535");
	}
	take_seat(town, registry, "X26", "R5105");
	for (unsigned i = 0; i < options->staff; i++) {
		snprintf(uid, sizeof uid, "5558%08u", i % 100000000u);
		town->people[TOWN_SEATS_MAX + i] = town_person_new(registry, uid);
	}
	town_registry_close(registry);
}

// The world's register with our organisations and role profiles added.
static void write_register(struct town *town)
{
	static const char profiles[] = "role_profiles:\n";
	char code[4];
	const char *path = world_path(town->world, "register.yaml");
	char *before = world_read_file(path, NULL), *at = strstr(before, profiles);
	FILE *file = fopen(path, "we");
	link_must(file != NULL && at != NULL, path);
	fprintf(file, "%.*s", (int)(at - before), before);
	for (unsigned i = 0; i < town->authorities; i++) {
		authority_code(i, code);
		fprintf(file, "  - {ods: \"%s\", name: Authority %u, type: local_authority, care_settings: [social_care]}\n", code, i);
	}
	fputs(at, file);
	for (unsigned i = 0; i < town->seats_count; i++)
		fprintf(file, "  - {uid: \"%s\", role: %s, organisation: \"%s\", from: 2020-01-01}\n", town->seats[i].uid,
			town->seats[i].role, town->seats[i].ods);
	for (unsigned i = 0; i < town->staff; i++)
		fprintf(file, "  - {uid: \"%s\", role: R8001, organisation: \"RXH\", from: 2020-01-01}\n",
			town->people[TOWN_SEATS_MAX + i]->uid);
	link_must(fclose(file) == 0, path);
	free(before);
}

static void fill_store(struct town *town, const struct town_options *options)
{
	struct ods_code authorities[TOWN_AUTHORITIES_MAX];
	unsigned stem = 0, plans = options->plans, count = town->authorities == 0 ? 1 : town->authorities;
	char code[4] = "383";
	for (unsigned i = 0; i < count; i++) {
		if (town->authorities > 0)
			authority_code(i, code);
		link_must(ods_code_parse(code, 3, &authorities[i]), "ODS code");
	}
	town->plans = plans;
	town->numbers = calloc(plans + TOWN_MISSES, sizeof *town->numbers);
	link_must(town->numbers != NULL, "memory");
	for (unsigned i = 0; i < plans + TOWN_MISSES; i++)
		plan_maker_number(&stem, town->numbers[i]);
	struct store *store = options->store == NULL ? plan_maker_open(world_path(town->world, "store.db"))
						     : options->store(town->world, options->store_context);
	plan_maker_fill(store, world_path(town->world, "store.key"), authorities, count, plans);
}

// ------------------------------------------------------------------ sessions

size_t town_pack_sign_in(struct town *town, const struct town_person *person, const struct curve_key_pair *system, const char *ods,
			 const char *role, uint8_t out[LOAD_REQUEST_BYTES_MAX])
{
	static const char domain[] = "cpis-session-v1\n";
	const size_t domain_bytes = sizeof domain - 1;
	uint8_t said[sizeof domain + STATEMENT_BYTES_MAX], signature[ED25519_SIGNATURE_BYTES], nonce[NONCE_BYTES];
	uint8_t id[REQUEST_ID_BYTES] = "sign";
	Cpis__V1__SessionStatement statement = CPIS__V1__SESSION_STATEMENT__INIT;
	Cpis__V1__SessionOpenRequest open = CPIS__V1__SESSION_OPEN_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	link_must(RAND_bytes(nonce, sizeof nonce) == 1, "random nonce");
	memcpy(said, domain, domain_bytes);
	statement.uid = (char *)(uintptr_t)person->uid;
	statement.role_code = (char *)(uintptr_t)role;
	statement.organisation = (char *)(uintptr_t)ods;
	statement.broker_name = (char *)(uintptr_t)town->broker_name;
	statement.channel_key = (ProtobufCBinaryData){KEY_BYTES, (uint8_t *)(uintptr_t)system->public_key};
	statement.time_ms = world_now_ms();
	statement.nonce = (ProtobufCBinaryData){sizeof nonce, nonce};
	size_t bytes = protobuf_c_message_pack(&statement.base, said + domain_bytes);
	link_must(signing_key_sign(person->key, said, domain_bytes + bytes, signature) == CERTS_OK, "a statement");
	open.statement = (ProtobufCBinaryData){bytes, said + domain_bytes};
	open.signature = (ProtobufCBinaryData){sizeof signature, signature};
	open.staff_certificate = (ProtobufCBinaryData){person->certificate_bytes, person->certificate};
	request.protocol_version = PROTOCOL_VERSION;
	request.deadline_ms = DEADLINE_MS;
	memcpy(id + 4, &town->next_request, sizeof town->next_request);
	town->next_request++;
	request.request_id = (ProtobufCBinaryData){sizeof id, id};
	request.body_case = CPIS__V1__REQUEST__BODY_SESSION_OPEN;
	request.session_open = &open;
	return protobuf_c_message_pack(&request.base, out);
}

struct sign_in {
	struct town *town;
	const char *const *names;
	unsigned count;
};

static size_t make_sign_in(void *context, unsigned connection, uint8_t out[LOAD_REQUEST_BYTES_MAX])
{
	const struct sign_in *all = context;
	struct town *town = all->town;
	town->broker_name = all->names[connection % all->count];
	const struct town_seat *seat = &town->seats[connection];
	return town_pack_sign_in(town, town->people[connection], &town->keys[connection], seat->ods, seat->role, out);
}

static void take_token(void *context, unsigned connection, const uint8_t *reply, size_t bytes)
{
	struct town *town = ((const struct sign_in *)context)->town;
	struct town_seat *seat = &town->seats[connection];
	struct arena arena;
	struct wire_error error;
	Cpis__V1__Reply *opened = NULL;
	town_check(town, reply, bytes);
	link_must(arena_init(&arena, ARENA_BYTES) && wire_reply_decode(&arena, reply, bytes, &opened, &error) == WIRE_OK,
		  "a session's reply");
	const ProtobufCBinaryData *token = &opened->session_open->session_token;
	memcpy(seat->token, token->data, token->len);
	seat->token_bytes = token->len;
	arena_done(&arena);
}

void town_sign_in(struct town *town, const struct link_ops *ops, const void *target, const char *const *names, unsigned count)
{
	struct sign_in all = {town, names, count};
	const struct load_options options = {ops, target, town->seats_count, make_sign_in, take_token, &all};
	const struct load_run run = {.window = 1, .duration_ms = LOAD_WAIT_MS, .requests_max = town->seats_count};
	struct load_result result;
	struct load *load = load_open(&options);
	load_run(load, &run, &result);
	load_close(load);
	for (unsigned i = 0; i < town->seats_count; i++)
		link_must(town->seats[i].token_bytes > 0, "somebody has no session");
	town->broker_name = WORLD_BROKER_NAME;
}

// ------------------------------------------------------------------ requests and replies

void town_request_id(uint64_t number, uint8_t out[REQUEST_ID_BYTES])
{
	memset(out, 0, REQUEST_ID_BYTES);
	memcpy(out, "bench", 5);
	memcpy(out + 5, &number, sizeof number);
}

size_t town_pack(struct town *town, unsigned seat, Cpis__V1__Request *request, uint8_t out[LOAD_REQUEST_BYTES_MAX])
{
	uint8_t id[REQUEST_ID_BYTES];
	town->seats[seat].last_request = town->next_request++;
	town_request_id(town->seats[seat].last_request, id);
	request->protocol_version = PROTOCOL_VERSION;
	request->deadline_ms = DEADLINE_MS;
	request->request_id = (ProtobufCBinaryData){sizeof id, id};
	request->session_token = (ProtobufCBinaryData){town->seats[seat].token_bytes, town->seats[seat].token};
	return protobuf_c_message_pack(&request->base, out);
}

static void verify(const struct town *town, const uint8_t *data, size_t bytes)
{
	struct merkle_hash path[MERKLE_HEIGHT_MAX];
	struct checkpoint checkpoint;
	struct wire_error error;
	struct arena arena;
	Cpis__V1__Reply *reply = NULL;
	link_must(arena_init(&arena, 2 * ARENA_BYTES) && wire_reply_decode(&arena, data, bytes, &reply, &error) == WIRE_OK,
		  "a reply is not well-formed");
	const Cpis__V1__Receipt *receipt = reply->receipt;
	if (reply->outcome != CPIS__V1__OUTCOME__OK)
		fprintf(stderr, "bench: refused: %s: %s\n", reply->reason_code, reply->reason);
	link_must(reply->outcome == CPIS__V1__OUTCOME__OK && receipt != NULL, "a request was refused");
	for (size_t i = 0; i < receipt->n_path; i++)
		memcpy(path[i].bytes, receipt->path[i].data, MERKLE_HASH_BYTES);
	link_must(receipt_verify(&town->log, receipt->index, receipt->salt.data, receipt->record.data, receipt->record.len, path,
				 receipt->n_path, receipt->checkpoint, strlen(receipt->checkpoint), &checkpoint) == CERTS_OK,
		  "a receipt does not hold");
	arena_done(&arena);
}

// Refusals would be fast and prove nothing. Field 3, the outcome, is OK: tag 0x18, value 1.
void town_check(struct town *town, const uint8_t *reply, size_t bytes)
{
	static const uint8_t start[] = {0x08, 0x01, 0x12, REQUEST_ID_BYTES};
	size_t at = sizeof start + REQUEST_ID_BYTES;
	bool is_ok = bytes >= at + 2 && memcmp(reply, start, sizeof start) == 0 && reply[at] == 0x18 && reply[at + 1] == 1;
	if (!is_ok || town->replies++ % TOWN_VERIFIED == 0)
		verify(town, reply, bytes);
}

const struct town_person *town_staff(const struct town *town, unsigned number)
{
	return town->people[TOWN_SEATS_MAX + number];
}

unsigned town_first_worker(void)
{
	return TOWN_NURSES;
}

unsigned town_reviewer_seat(const struct town *town)
{
	return TOWN_NURSES + town->authorities;
}

static struct link_curve_target target_from(const struct town *town, unsigned first, unsigned count)
{
	return (struct link_curve_target){world_endpoint(town->world), town->broker.public_key, town->keys + first, count};
}

struct link_curve_target town_nurses(const struct town *town)
{
	return target_from(town, 0, TOWN_NURSES);
}

struct link_curve_target town_workers(const struct town *town)
{
	return target_from(town, town_first_worker(), town->authorities);
}

struct link_curve_target town_reviewer(const struct town *town)
{
	return target_from(town, town_reviewer_seat(town), 1);
}

// ------------------------------------------------------------------ beginning and end

// Thousands of connections, here and in the broker, which inherits it.
static void raise_files(void)
{
	struct rlimit files;
	link_must(getrlimit(RLIMIT_NOFILE, &files) == 0, "RLIMIT_NOFILE");
	files.rlim_cur = files.rlim_max;
	link_must(setrlimit(RLIMIT_NOFILE, &files) == 0, "RLIMIT_NOFILE");
}

struct town *town_new(const struct town_options *options)
{
	struct town *town = calloc(1, sizeof *town);
	link_must(town != NULL && options->authorities <= TOWN_AUTHORITIES_MAX, "town");
	raise_files();
	town->world = world_new();
	ending_frees(town->world);
	link_must(curve_key_load(world_path(town->world, "authority/broker/broker.key"), &town->broker) == CERTS_OK &&
			  note_verifier_load(world_path(town->world, "authority/trust/log.vkey"), &town->log) == CERTS_OK, "keys");
	find_people(town, options);
	write_register(town);
	if (options->fill != NULL)
		options->fill(town->world, options->filler);
	fill_store(town, options);
	if (options->configuration != NULL)
		world_configure(town->world, "%s", options->configuration);
	// What is measured here is how much is carried out; that too much is refused is measured by bench_overload.
	if (!options->turns_away)
		world_configure(town->world, "busy_after_ms: 10000\nwaiting_max: 65536\nwaiting_per_system_max: 65536\n");
	world_start(town->world);
	const char *const name = WORLD_BROKER_NAME;
	const struct link_curve_target all = {world_endpoint(town->world), town->broker.public_key, town->keys, town->seats_count};
	town_sign_in(town, &link_curve, &all, &name, 1);
	return town;
}

int town_free(struct town *town)
{
	int status = world_stop(town->world);
	town_free_stopped(town);
	return status;
}

void town_free_stopped(struct town *town)
{
	for (unsigned i = 0; i < TOWN_SEATS_MAX + town->staff; i++)
		if (town->people[i] != NULL)
			town_person_free(town->people[i]);
	free(town->people);
	free(town->numbers);
	ending_takes_back(town->world);
	world_free(town->world);
	free(town);
}
