// What a client is given or finds beside itself: replies with receipts, made along their descriptor and then proven by a log whose key
// the harness has; the checkpoint that it remembers, and what is remembered of exchanges; several notes that are compared.
#include <string.h>
#include <unistd.h>

#include "clients/cli/audit_compare.h"
#include "clients/libcpis/client_priv.h"
#include "tests/fuzz/log_base.h"
#include "tests/fuzz/maker.h"

static struct arena made;
static char state[96], trust[96];
static struct log_base base;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	FUZZ_MUST(arena_init(&made, 4 * ARENA_BYTES));
	snprintf(state, sizeof state, "%.64s/state/checkpoint", fuzz_directory());
	log_base_make(&base, "log.db", 5);
	char key[256], path[128];
	snprintf(trust, sizeof trust, "%.64s/state", fuzz_directory());
	snprintf(path, sizeof path, "%s/log.vkey", trust);
	FUZZ_MUST(note_verifier_format(log_base_verifier(), key, sizeof key) == CERTS_OK);
	fuzz_write(path, key, strlen(key));
	return 0;
}

static void begin(struct cpis_client *client)
{
	static const char policy[] = "witness a w0+f9469b40+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU\nquorum a\n";
	char detail[WITNESS_DETAIL_BYTES];
	*client = (struct cpis_client){.log = *log_base_verifier()};
	strcpy(client->links[0].broker.name, "test-broker");
	strcpy(client->system.organisation, "RXH");
	strcpy(client->system.name, "hospital");
	strcpy(client->checkpoint_file, state);
	FUZZ_MUST(witness_policy_load(fuzz_file(policy, sizeof policy - 1), &client->witnesses, detail));
}

// The note of a log of `size` records; the one that bytes choose or a raw text.
static size_t make_note(struct fuzz_input *input, char out[NOTE_BYTES_MAX + 1])
{
	uint8_t how = fuzz_byte(input);
	size_t bytes;
	if (how % 4 == 3) {
		const uint8_t *raw = fuzz_take(input, (size_t)fuzz_number(input, 2) % NOTE_BYTES_MAX, &bytes);
		memcpy(out, raw, bytes);
		out[bytes] = '\0';
		return bytes;
	}
	if (how == 128) { // the database's own
		log_base_note(&base, out);
		return strlen(out);
	}
	struct merkle_hash root;
	memset(&root, how % 4, sizeof root);
	log_base_sign(how / 4 % 8, &root, out);
	return strlen(out);
}

static void check_remembered(struct fuzz_input *input)
{
	struct cpis_client client;
	char path[128], note[NOTE_BYTES_MAX + 1];
	size_t bytes = make_note(input, note);
	begin(&client);
	fuzz_write(state, note, bytes);
	enum cpis_status status = client_load_checkpoint(&client);
	FUZZ_MUST(status == CPIS_OK ? client.newest.size == 0 || strcmp(cpis_checkpoint(&client), note) == 0 : cpis_detail(&client)[0] != '\0');
	bytes = make_note(input, note);
	snprintf(path, sizeof path, "%s.witnessed", state);
	fuzz_write(path, note, bytes);
	snprintf(path, sizeof path, "%s.exchange", state);
	fuzz_write(path, input->at, fuzz_left(input));
	client_load_exchange(&client);
	cpis_exchange_is_due(&client);
	FUZZ_MUST(strlen(cpis_witnessed_checkpoint(&client)) <= NOTE_BYTES_MAX);
}

// ------------------------------------------------------------------ receipts

static ProtobufCBinaryData bytes_of(const void *data, size_t bytes)
{
	uint8_t *copy = arena_copy(&made, data, bytes);
	return (ProtobufCBinaryData){copy == NULL ? 0 : bytes, copy};
}

// The record of what was asked, as the broker would have written it, in a log of two that begins with one of one.
static bool make_receipt(const Cpis__V1__Request *request, Cpis__V1__Reply *reply, uint8_t how, struct checkpoint *ret_before)
{
	Cpis__V1__AuditRecord record = CPIS__V1__AUDIT_RECORD__INIT;
	Cpis__V1__Receipt *receipt = reply->receipt;
	static const struct merkle_hash first = {{7}};
	struct merkle_tree tree = {0};
	struct merkle_hash leaf, root, nodes[MERKLE_HEIGHT_MAX + 1];
	uint8_t salt[SALT_BYTES] = {1};
	char note[NOTE_BYTES_MAX + 1];
	size_t bytes = 0, count;
	record.version = 1;
	record.index = receipt->index = 1;
	record.request_id = request->request_id;
	record.operation = (how & 1) != 0 ? CPIS__V1__OPERATION__OPERATION_UNSPECIFIED : wire_operation(request);
	record.outcome = reply->outcome;
	record.reason_code = reply->reason_code;
	record.organisation = (char *)(uintptr_t)((how & 2) != 0 ? "" : "RXH");
	record.system_name = (char *)(uintptr_t)((how & 2) != 0 ? "" : "hospital");
	record.broker_name = (char *)(uintptr_t)((how & 4) != 0 ? "another" : "test-broker");
	const uint8_t *packed = wire_pack(&made, &record.base, &bytes);
	if (packed == NULL)
		return false;
	merkle_leaf(salt, packed, bytes, &leaf);
	merkle_append(&tree, &first, nodes, &count);
	merkle_root(&tree, &ret_before->root);
	ret_before->size = 1;
	merkle_append(&tree, &leaf, nodes, &count);
	merkle_root(&tree, &root);
	log_base_sign(2, &root, note);
	receipt->salt = bytes_of(salt, sizeof salt);
	receipt->record = bytes_of(packed, bytes);
	receipt->checkpoint = arena_copy_text(&made, note, strlen(note));
	receipt->n_path = receipt->n_growth = 1;
	receipt->path = arena_alloc(&made, sizeof *receipt->path);
	receipt->growth = arena_alloc(&made, sizeof *receipt->growth);
	if (receipt->path == NULL || receipt->growth == NULL)
		return false;
	receipt->path[0] = bytes_of(&first, sizeof first);
	receipt->growth[0] = bytes_of(&leaf, sizeof leaf);
	return true;
}

static void check_receipt(struct fuzz_input *input)
{
	struct cpis_client client;
	struct checkpoint before = {.origin = LOG_BASE_ORIGIN};
	uint8_t how = fuzz_byte(input), held = fuzz_byte(input);
	char note[NOTE_BYTES_MAX + 1];
	size_t bytes = 0, note_bytes = (held & 32) != 0 ? make_note(input, note) : 0;
	Cpis__V1__Reply *decoded = NULL;
	struct wire_error error;
	arena_reset(&made);
	begin(&client);
	struct maker maker = {.input = input, .arena = &made, .now_ms = LOG_BASE_NOW_MS};
	Cpis__V1__Request *request = (Cpis__V1__Request *)maker_message(&maker, &cpis__v1__request__descriptor);
	Cpis__V1__Reply *reply = (Cpis__V1__Reply *)maker_message(&maker, &cpis__v1__reply__descriptor);
	if (request == NULL || reply == NULL)
		return;
	if (reply->receipt != NULL && (how & 8) == 0 && !make_receipt(request, reply, how, &before))
		return;
	const uint8_t *packed = wire_pack(&made, &reply->base, &bytes);
	if (packed == NULL || wire_reply_decode(fuzz_arena(), packed, bytes, &decoded, &error) != WIRE_OK || decoded->receipt == NULL)
		return;
	// What the client has seen before: nothing, the log of one record, a longer one, another.
	client.newest = before;
	client.newest.size = held % 4;
	if ((held & 8) != 0)
		memset(&client.newest.root, held, sizeof client.newest.root);
	if ((held & 16) != 0)
		client.checkpoint_file[0] = '\0';
	fuzz_write(state, "", 0); // for its folder
	unlink(state);
	// Or what another process of this system was shown meanwhile.
	if ((held & 32) != 0)
		fuzz_write(state, note, note_bytes);
	enum cpis_status status = client_check_receipt(&client, fuzz_arena_besides(), request, decoded);
	FUZZ_MUST(status == CPIS_OK || cpis_detail(&client)[0] != '\0');
	// Nobody's log becomes shorter in a client's memory.
	FUZZ_MUST(status != CPIS_OK || client.newest.size >= held % 4);
	// By the trust bundle alone it is as by a client.
	char detail[CPIS_DETAIL_BYTES] = "";
	status = cpis_check_proof(&client, decoded->receipt);
	FUZZ_MUST(cpis_verify_proof((how & 16) != 0 ? NULL : trust, decoded->receipt, detail) == ((how & 16) != 0 ? CPIS_USAGE : status));
}

// ------------------------------------------------------------------ files of notes

static void check_compare(struct fuzz_input *input)
{
	static const char key[] = "cpis.example/audit+c1aa84ea+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c\n";
	char text[4 * NOTE_BYTES_MAX], *operands[2];
	struct command_line line = {.command = &(const struct command){.name = "audit compare"}, .operands = operands};
	line.values[line.value_count].option = "log-key";
	line.values[line.value_count++].value = fuzz_file(key, sizeof key - 1);
	uint8_t how = fuzz_byte(input);
	line.json = (how & 1) != 0;
	if ((how & 2) != 0) {
		line.values[line.value_count].option = "database";
		line.values[line.value_count++].value = (how & 4) != 0 ? fuzz_odd_path(how / 8) : base.path;
	}
	for (int i = 0; i < 2; i++) {
		size_t bytes = 0;
		for (uint8_t more = fuzz_byte(input) % 3 + 1; more > 0; more--)
			bytes += make_note(input, text + bytes);
		operands[line.operand_count++] = (char *)(uintptr_t)fuzz_file(text, bytes);
	}
	audit_compare(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct fuzz_input input = fuzz_input(data, bytes);
	switch (fuzz_byte(&input) % 4) {
	case 0:
	case 1:
		check_receipt(&input);
		break;
	case 2:
		check_remembered(&input);
		break;
	default:
		check_compare(&input);
		break;
	}
	return 0;
}
