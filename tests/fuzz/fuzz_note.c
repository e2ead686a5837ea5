// Signed notes, checkpoints, cosignatures, verifier keys, witness policies, proofs: any text, and texts that the log and its witnesses
// have really signed. Their keys are fixed and worth nothing, so that an input is the same note in every run.
#include <string.h>

#include "certs/cosignature.h"
#include "certs/tlog_proof.h"
#include "tests/fuzz/edit.h"

#define ORIGIN "cpis.example/audit"
#define WITNESSES 3
#define NOW_S 1792488600u

static struct signing_key *log_key, *witness_keys[WITNESSES];
static struct note_verifier log_verifier, witnesses[WITNESSES];
static struct witness_policy policy;

// PKCS#8 of a seed of 32 bytes that are all the same: the log's is 1, the witnesses' are 2 to 4.
static struct signing_key *fixed_key(int n)
{
	static const char *const texts[] = {
		"MC4CAQAwBQYDK2VwBCIEIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB",
		"MC4CAQAwBQYDK2VwBCIEIAICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC",
		"MC4CAQAwBQYDK2VwBCIEIAMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMD",
		"MC4CAQAwBQYDK2VwBCIEIAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE",
	};
	char pem[200];
	struct signing_key *key = NULL;
	int bytes = snprintf(pem, sizeof pem, "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n", texts[n]);
	FUZZ_MUST(signing_key_load(fuzz_file(pem, (size_t)bytes), &key) == CERTS_OK);
	return key;
}

static const char policy_text[] =
	"log cpis.example/audit+c1aa84ea+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c\n"
	"witness a w0+f9469b40+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU\n"
	"witness b w1+c7316bab+BO1JKMYo0cLG6ukDOJBZlWEpWSc6XGP5NjbBRhSshzfR\n"
	"witness c w2+57ae2353+BMqTrBcFGHBx1nuDx/8O/oEI6OxFMFdddyaHkzPb2r58\n"
	"group two 2 a b c\nquorum two\n";
static const char *const words[] = {"any", "all", "none", "group", "witness", "quorum", "log", "http://w.example a b c d", "2", "3",
				    "w2+57ae2353+BMqTrBcFGHBx1nuDx/8O/oEI6OxFMFdddyaHkzPb2r58", NULL};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char detail[WITNESS_DETAIL_BYTES];
	(void)argc, (void)argv;
	log_key = fixed_key(0);
	strcpy(log_verifier.origin, ORIGIN);
	signing_key_public(log_key, log_verifier.public_key);
	FUZZ_MUST(witness_policy_load(fuzz_file(policy_text, sizeof policy_text - 1), &policy, detail) && policy.count == WITNESSES);
	for (int i = 0; i < WITNESSES; i++) {
		witness_keys[i] = fixed_key(i + 1);
		witnesses[i] = policy.witnesses[i].key;
		uint8_t public_key[KEY_BYTES];
		signing_key_public(witness_keys[i], public_key);
		FUZZ_MUST(memcmp(public_key, witnesses[i].public_key, sizeof public_key) == 0);
	}
	return 0;
}

// ------------------------------------------------------------------ notes

// What is left of a note when others' lines are taken off is still that note; a witness's line goes from one to another.
static void check_note(const char *note, size_t bytes)
{
	struct checkpoint checkpoint, again;
	char out[NOTE_BYTES_MAX + 1], taken[NOTE_BYTES_MAX + 1];
	uint64_t time_s, witnessed_s;
	bool good = checkpoint_verify(note, bytes, &log_verifier, &checkpoint) == CERTS_OK;
	if (strlen(note) != bytes)
		return;
	FUZZ_MUST((checkpoint_strip(note, &log_verifier, out) == CERTS_OK) == good);
	if (good) {
		FUZZ_MUST(checkpoint_verify(out, strlen(out), &log_verifier, &again) == CERTS_OK);
		FUZZ_MUST(again.size == checkpoint.size && memcmp(&again.root, &checkpoint.root, sizeof again.root) == 0);
	}
	if (cosignature_add(note, witnesses[0].origin, witness_keys[0], NOW_S, out) == CERTS_OK)
		FUZZ_MUST(cosignature_check(out, &witnesses[0], &time_s) == CERTS_OK && time_s == NOW_S);
	unsigned held = 0;
	for (int i = 0; i < WITNESSES; i++) {
		bool cosigned = cosignature_check(note, &witnesses[i], &time_s) == CERTS_OK;
		held += cosigned;
		if (cosigned && good && cosignature_take(out, note, &witnesses[i], taken) == CERTS_OK)
			FUZZ_MUST(cosignature_check(taken, &witnesses[i], &time_s) == CERTS_OK);
		// Taking one's own changes nothing of the text; a cosignature of another text is not taken.
		if (cosigned && cosignature_take(note, note, &witnesses[i], taken) == CERTS_OK)
			FUZZ_MUST(cosignature_check(taken, &witnesses[i], &time_s) == CERTS_OK);
		if (cosigned && strstr(note, "another\n\n") == NULL)
			FUZZ_MUST(cosignature_take("another\n\n", note, &witnesses[i], taken) == CERTS_PROOF);
	}
	FUZZ_MUST(witness_policy_count(&policy, note) == held);
	if (witness_policy_holds(&policy, note, NOW_S, &witnessed_s))
		FUZZ_MUST(held >= witness_policy_least(&policy) && witnessed_s <= NOW_S + 60);
}

static void change(struct fuzz_input *input, char *note, size_t bytes)
{
	while (fuzz_left(input) >= 3) {
		size_t at = (size_t)fuzz_number(input, 2) % bytes;
		note[at] = (char)(note[at] ^ fuzz_byte(input));
	}
}

static void signed_note(struct fuzz_input *input)
{
	static char note[NOTE_BYTES_MAX + 1], more[NOTE_BYTES_MAX + 1];
	struct checkpoint checkpoint = {.origin = ORIGIN};
	static char long_name[NOTE_ORIGIN_BYTES_MAX + 2];
	uint8_t how = fuzz_byte(input);
	size_t bytes;
	memset(long_name, 'w', sizeof long_name - 1);
	checkpoint.size = fuzz_number(input, (how & 1) != 0 ? 8 : 1);
	memset(&checkpoint.root, fuzz_byte(input), sizeof checkpoint.root);
	if ((how & 2) != 0)
		snprintf(checkpoint.origin, sizeof checkpoint.origin, "%.*s", fuzz_byte(input) % 8, "cpis.exa+ ");
	if (checkpoint_sign(&checkpoint, log_key, note) != CERTS_OK)
		return;
	for (uint8_t witness; (witness = fuzz_byte(input)) != 0;) {
		uint64_t time_s = (witness & 4) != 0 ? fuzz_number(input, 8) : NOW_S - fuzz_byte(input);
		const char *name = (witness & 16) != 0 ? long_name : (witness & 8) != 0 ? "other" : witnesses[witness % WITNESSES].origin;
		if (cosignature_add(note, name, witness_keys[witness % WITNESSES], time_s, more) == CERTS_OK)
			strcpy(note, more);
	}
	const uint8_t *behind = fuzz_take(input, (how & 4) != 0 ? fuzz_number(input, 2) % 512 : 0, &bytes);
	size_t note_bytes = strlen(note);
	if (note_bytes + bytes > NOTE_BYTES_MAX)
		return;
	memcpy(note + note_bytes, behind, bytes);
	note[note_bytes += bytes] = '\0';
	change(input, note, note_bytes);
	check_note(note, note_bytes);
}

static void raw_note(struct fuzz_input *input)
{
	size_t bytes = fuzz_left(input);
	char *note = malloc(bytes + 1);
	FUZZ_MUST(note != NULL);
	memcpy(note, input->at, bytes);
	note[bytes] = '\0';
	check_note(note, bytes);
	free(note);
}

// ------------------------------------------------------------------ keys and policies

static void check_verifier(struct fuzz_input *input)
{
	struct note_verifier verifier;
	char line[256];
	size_t bytes;
	if (fuzz_byte(input) == 255)
		FUZZ_MUST(note_verifier_load(fuzz_odd_path(fuzz_byte(input)), &verifier) != CERTS_OK);
	bytes = fuzz_left(input);
	if (note_verifier_load(fuzz_file(input->at, bytes), &verifier) != CERTS_OK)
		return;
	// It has one form, with or without its newline.
	FUZZ_MUST(note_verifier_format(&verifier, line, sizeof line) == CERTS_OK && strlen(line) <= bytes);
	FUZZ_MUST(memcmp(line, input->at, strlen(line)) == 0);
}

static void check_policy(struct fuzz_input *input)
{
	struct witness_policy read;
	char detail[WITNESS_DETAIL_BYTES] = "", note[NOTE_BYTES_MAX + 1], more[NOTE_BYTES_MAX + 1];
	struct checkpoint checkpoint = {.origin = ORIGIN, .size = 1};
	uint64_t time_s = 0;
	size_t bytes;
	char *text = edit_text(input, policy_text, sizeof policy_text - 1, words, &bytes);
	bool good = witness_policy_load(fuzz_byte(input) == 255 ? fuzz_odd_path(fuzz_byte(input)) : fuzz_file(text, bytes), &read, detail);
	free(text);
	FUZZ_MUST(good || detail[0] != '\0');
	if (!good)
		return;
	FUZZ_MUST(read.count <= WITNESSES_MAX && read.group_count <= WITNESS_GROUPS_MAX);
	FUZZ_MUST(checkpoint_sign(&checkpoint, log_key, note) == CERTS_OK);
	for (int i = 0; i < WITNESSES; i++) {
		FUZZ_MUST(cosignature_add(note, witnesses[i].origin, witness_keys[i], NOW_S, more) == CERTS_OK);
		strcpy(note, more);
	}
	unsigned held = witness_policy_count(&read, note);
	if (witness_policy_holds(&read, note, NOW_S, &time_s))
		FUZZ_MUST(held >= witness_policy_least(&read));
	FUZZ_MUST(read.required || time_s == 0);
	// A witness's key is written as it was read.
	for (unsigned i = 0; i < read.count; i++)
		FUZZ_MUST(witness_key_format(&read.witnesses[i].key, more, sizeof more) == CERTS_OK);
}

// ------------------------------------------------------------------ proofs

static void check_proofs(struct fuzz_input *input)
{
	struct merkle_hash leaf = {{0}}, root, path[MERKLE_GROWTH_MAX];
	struct tlog_proof proof = {.index = 0};
	struct checkpoint checkpoint = {.origin = ORIGIN};
	uint8_t how = fuzz_byte(input);
	uint64_t index = fuzz_number(input, (how & 1) != 0 ? 8 : 1), size = fuzz_number(input, (how & 1) != 0 ? 8 : 1);
	size_t count = fuzz_byte(input) % (MERKLE_GROWTH_MAX + 1), record_bytes;
	for (size_t i = 0; i < count; i++)
		memset(&path[i], fuzz_byte(input), sizeof path[i]);
	memset(&root, fuzz_byte(input), sizeof root);
	FUZZ_MUST(!merkle_verify(&leaf, index, size, path, count, &root) || index < size);
	FUZZ_MUST(!merkle_verify_growth(index, &leaf, size, &root, path, count) || index <= size);
	const uint8_t *record = fuzz_take(input, fuzz_left(input), &record_bytes);
	// The log of one record: its proof is empty and holds.
	merkle_leaf(proof.salt, record, record_bytes, &checkpoint.root);
	checkpoint.size = 1;
	proof.record = (uint8_t *)(uintptr_t)record;
	proof.record_bytes = record_bytes;
	proof.path.count = count > MERKLE_HEIGHT_MAX ? 0 : count;
	memcpy(proof.path.hashes, path, proof.path.count * sizeof path[0]);
	FUZZ_MUST(checkpoint_sign(&checkpoint, log_key, proof.note) == CERTS_OK);
	FUZZ_MUST((tlog_proof_verify(&proof, &log_verifier, &checkpoint) == CERTS_OK) == (proof.path.count == 0));
	free(tlog_proof_format(&proof));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static void (*const checks[])(struct fuzz_input *) = {signed_note, raw_note, check_verifier, check_policy, check_proofs};
	struct fuzz_input input = fuzz_input(data, bytes);
	checks[fuzz_byte(&input) % (sizeof checks / sizeof checks[0])](&input);
	return 0;
}
