// usage: vectors DIRECTORY
#include "tests/interop/vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// OpenSSL 3 has no other way to give a whole program its random bytes, short of a provider.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/rand.h>

#include "certs/authority.h"
#include "certs/sha256.h"
#include "proto/nhs_number.h"

void vectors_fail(const char *what)
{
	fprintf(stderr, "vectors: %s\n", what);
	exit(1);
}

// ------------------------------------------------------------------ the random source

static uint64_t drawn;

static int draw(unsigned char *out, int bytes)
{
	for (int at = 0; at < bytes; at += 32) {
		static const char seed[] = "cpis test vectors: these keys are public";
		uint8_t block[sizeof seed + sizeof drawn], hash[32];
		memcpy(block, seed, sizeof seed);
		for (size_t i = 0; i < sizeof drawn; i++)
			block[sizeof seed + i] = (uint8_t)(drawn >> (8 * i));
		drawn++;
		sha256(block, sizeof block, hash);
		memcpy(out + at, hash, (size_t)(bytes - at < 32 ? bytes - at : 32));
	}
	return 1;
}

static int is_ready(void)
{
	return 1;
}

static void use_counter(void)
{
	static const RAND_METHOD counter = {.bytes = draw, .pseudorand = draw, .status = is_ready};
	vectors_must(RAND_set_rand_method(&counter) == 1, "cannot replace the random source");
}

// ------------------------------------------------------------------ files and texts

const char *vectors_path(const struct vectors *vectors, const char *name)
{
	static char paths[8][256];
	static size_t at;
	char *path = paths[at++ % 8];
	vectors_must((size_t)snprintf(path, sizeof paths[0], "%s/%s", vectors->directory, name) < sizeof paths[0], "the path is too long");
	return path;
}

json_t *vectors_hex(const void *data, size_t bytes)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *from = data;
	char *text = malloc(2 * bytes + 1);
	vectors_must(text != NULL, "memory");
	for (size_t i = 0; i < bytes; i++) {
		text[2 * i] = digits[from[i] >> 4];
		text[2 * i + 1] = digits[from[i] & 15];
	}
	json_t *json = json_stringn(text, 2 * bytes);
	free(text);
	return json;
}

size_t vectors_unhex(const char *text, uint8_t *ret, size_t room)
{
	size_t bytes = strlen(text) / 2;
	vectors_must(bytes <= room, "the hexadecimal is too long");
	for (size_t i = 0; i < bytes; i++) {
		unsigned value = 0;
		vectors_must(sscanf(text + 2 * i, "%2x", &value) == 1, "hexadecimal");
		ret[i] = (uint8_t)value;
	}
	return bytes;
}

json_t *vectors_file_text(const char *path)
{
	char text[16384];
	FILE *file = fopen(path, "re");
	vectors_must(file != NULL, path);
	size_t bytes = fread(text, 1, sizeof text, file);
	vectors_must(bytes < sizeof text && !ferror(file), path);
	fclose(file);
	return json_stringn(text, bytes);
}

json_t *vectors_file_hex_der(const char *certificate)
{
	uint8_t *der = NULL;
	size_t bytes = 0;
	vectors_must(certificate_file_to_der(certificate, &der, &bytes) == CERTS_OK, certificate);
	json_t *json = vectors_hex(der, bytes);
	free(der);
	return json;
}

void vectors_write(const struct vectors *vectors, const char *file, const char *comment, json_t *body)
{
	char path[4096];
	json_t *whole = json_pack("{s:s}", "comment", comment);
	vectors_must(whole != NULL && json_object_update(whole, body) == 0, "memory");
	snprintf(path, sizeof path, "%s/%s", vectors->out, file);
	vectors_must(json_dump_file(whole, path, JSON_INDENT(1)) == 0, path);
	// A text file ends with a newline.
	FILE *text = fopen(path, "ae");
	vectors_must(text != NULL && fputc('\n', text) == '\n' && fclose(text) == 0, path);
	json_decref(whole);
	json_decref(body);
}

// ------------------------------------------------------------------ values

// One text each, as the first field of a SessionStatement.
static void write_texts(struct vectors *vectors)
{
	static const char *const texts[] = {
		"Si\303\242n O'Neill", "\360\237\222\231", "a\nb", "a\tb", "\x7f", "\302\205", "\342\200\216a", "\342\200\217a", "\342\200\250a",
		"\342\200\256a", "\342\201\246a", "\342\201\251a", "\357\273\277a", "\357\267\220a", "\357\277\276a", "\360\237\277\277a",
		"\300\257", "\355\240\200", "\364\220\200\200", "\342\200", "\200",
	};
	json_t *cases = json_array();
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		uint8_t message[32] = {0x0a, (uint8_t)strlen(texts[i])};
		size_t bytes = 2 + strlen(texts[i]);
		struct wire_error error;
		ProtobufCMessage *read = NULL;
		memcpy(message + 2, texts[i], strlen(texts[i]));
		bool good = wire_unpack(&vectors->arena, &cpis__v1__session_statement__descriptor, message, bytes, &read, &error) == WIRE_OK;
		json_array_append_new(cases, json_pack("{s:o,s:b}", "statement", vectors_hex(message, bytes), "good", good));
	}
	vectors_write(vectors, "texts.json", "Texts that a message may have, and may not: each as the uid of a SessionStatement.",
		      json_pack("{s:o}", "cases", cases));
}

void vectors_make_values(struct vectors *vectors)
{
	static const char *const texts[] = {
		"9990000018", "9990000026", "9990000034", "9990000441", "9995000008", "9999999999", "9990000019", "999000001",
		"99900000180", "999 000 0018", "999-000-0018", "999000001X", "", "0000000000", "9990000070", "9990000107", " 9990000018",
	};
	json_t *cases = json_array();
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct nhs_number number;
		bool valid = nhs_number_parse(texts[i], strlen(texts[i]), &number) == NHS_NUMBER_OK;
		json_array_append_new(cases, json_pack("{s:s,s:b}", "text", texts[i], "valid", valid));
	}
	write_texts(vectors);
	vectors_write(vectors, "nhs_numbers.json", "Texts that are an NHS number on the wire, and that are not.",
		      json_pack("{s:o}", "cases", cases));
}

// ------------------------------------------------------------------ the cast

static void must_issue(enum certs_status status, const char *detail)
{
	vectors_must(status == CERTS_OK, detail);
}

static void set_up(struct vectors *vectors)
{
	char detail[CERTS_DETAIL_BYTES] = "the authority";
	struct authority_paths paths;
	const char *ra = vectors_path(vectors, "ra");
	uint64_t made_ms = VECTORS_NOW_MS - 10 * VECTORS_DAY_MS;
	must_issue(authority_init(ra, VECTORS_BROKER, VECTORS_ORIGIN, made_ms, detail), detail);
	must_issue(authority_issue_system(ra, VECTORS_ORGANISATION, VECTORS_SYSTEM, vectors_path(vectors, "systems"), "ed", 365, made_ms,
					  &paths, detail), detail);
	must_issue(authority_issue_staff(ra, "555000000001", "Grace Okafor", vectors_path(vectors, "staff"), "grace", 365, made_ms, &paths,
					 detail), detail);
	struct trust *trust = NULL;
	must_issue(trust_load(vectors_path(vectors, "ra/trust"), &trust, detail), detail);
	must_issue(trust_verify_system_file(trust, vectors_path(vectors, "systems/ed.pem"), VECTORS_NOW_MS, &vectors->system, detail), detail);
	must_issue(trust_verify_staff_file(trust, vectors_path(vectors, "staff/grace.pem"), VECTORS_NOW_MS, &vectors->staff, detail), detail);
	trust_free(trust);
	must_issue(note_verifier_load(vectors_path(vectors, "ra/trust/log.vkey"), &vectors->log), "log.vkey");
	must_issue(signing_key_load(vectors_path(vectors, "ra/broker/log.key"), &vectors->log_key), "log.key");
	must_issue(signing_key_load(vectors_path(vectors, "staff/grace.key"), &vectors->staff_key), "grace.key");
}

int main(int argc, char **argv)
{
	struct vectors vectors = {.directory = "/tmp/cpis-vectors-XXXXXX", .out = argv[1]};
	char remove[96];
	vectors_must(argc == 2, "usage: vectors DIRECTORY");
	vectors_must(mkdtemp(vectors.directory) != NULL && arena_init(&vectors.arena, (size_t)16 << 20), "a directory and memory");
	use_counter();
	set_up(&vectors);
	vectors_make_values(&vectors);
	vectors_make_certificates(&vectors);
	vectors_make_signed(&vectors);
	vectors_make_operations(&vectors);
	vectors_make_receipts(&vectors);
	vectors_make_newer(&vectors);
	vectors_make_trees(&vectors);
	signing_key_free(vectors.log_key);
	signing_key_free(vectors.staff_key);
	arena_done(&vectors.arena);
	snprintf(remove, sizeof remove, "rm -rf '%s'", vectors.directory);
	return system(remove) == 0 ? 0 : 1;
}
