// Sealing and tagging with keys that are all derived from one file.
#include "broker/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/random.h"
#include "certs/key_memory.h"
#include "certs/secret_file.h"
#include "proto/invariant.h"

#define MASTER_KEY_BYTES 32
#define KEY_FILE_BYTES (2 * MASTER_KEY_BYTES + 1) // hexadecimal digits and a newline
_Static_assert(MASTER_KEY_BYTES == SEAL_SECRET_BYTES, "keys are derived from it");

// Labels of the derived keys are part of what is stored: changing one makes every database unreadable.
static const char *const purpose_labels[VAULT_PURPOSES] = {
	[VAULT_PLAN] = "cpis/1/seal/plan",
	[VAULT_INBOX] = "cpis/1/seal/inbox",         [VAULT_AUTHORITY] = "cpis/1/seal/authority",
	[VAULT_REQUEST] = "cpis/1/seal/request",     [VAULT_AUDIT_KEY] = "cpis/1/seal/audit-key",
	[VAULT_TOKEN] = "cpis/1/seal/session-token", [VAULT_QUARANTINE] = "cpis/1/seal/quarantine",
	[VAULT_ROLE] = "cpis/1/seal/role",
	[VAULT_ALERT] = "cpis/1/seal/alert",
	[VAULT_POLICY] = "cpis/1/seal/policy",
	[VAULT_ENROLMENT] = "cpis/1/seal/enrolment",
	[VAULT_INACTIVE] = "cpis/1/seal/inactive",
	[VAULT_REJECTION] = "cpis/1/seal/rejection",
	[VAULT_HOLD] = "cpis/1/seal/hold",
};
static const char tag_label[] = "cpis/1/tag";

// First byte of what is tagged, so that tags of two kinds are never of the same input.
enum tag_kind {
	TAG_SUBJECT = 1,
	TAG_PERSON = 2,
	TAG_SLOT = 3,
	TAG_REQUEST = 4,
	TAG_QUARANTINE = 5,
	TAG_REQUEST_CONTENT = 6,
	TAG_ROLE = 7,
	TAG_ENROLMENT = 8,
	TAG_ENROLMENT_CODE = 9,
	TAG_RECORD = 10,
	TAG_HOLD = 11,
};

struct vault {
	struct seal_key *keys[VAULT_PURPOSES];
	struct tag_key *tag;
};

// ------------------------------------------------------------------ the key file

static bool refuse(char detail[VAULT_DETAIL_BYTES], const char *path, const char *what)
{
	snprintf(detail, VAULT_DETAIL_BYTES, "%.80s: %s", path, what);
	return false;
}

static bool write_all(int file, const char *text, size_t bytes)
{
	while (bytes > 0) {
		ssize_t written = write(file, text, bytes);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		text += written;
		bytes -= (size_t)written;
	}
	return true;
}

// A master key and how its file spells it, in memory for keys.
struct master_key {
	uint8_t bytes[MASTER_KEY_BYTES], derived[MASTER_KEY_BYTES];
	char text[KEY_FILE_BYTES + 1]; // one more, to see a longer file
};

static struct master_key *master_key_new(char detail[VAULT_DETAIL_BYTES], const char *path)
{
	struct master_key *key = key_memory_new(sizeof *key);
	if (key == NULL)
		refuse(detail, path, "out of memory");
	return key;
}

static void master_key_free(struct master_key *key)
{
	key_memory_free(key, sizeof *key);
}

// Takes the file, which is closed in any case.
static bool fill_key_file(int file, const char *path, char detail[VAULT_DETAIL_BYTES])
{
	struct master_key *key = master_key_new(detail, path);
	if (key == NULL) {
		close(file);
		return false;
	}
	random_bytes(key->bytes, sizeof key->bytes);
	for (size_t i = 0; i < sizeof key->bytes; i++)
		snprintf(key->text + 2 * i, 3, "%02x", key->bytes[i]);
	key->text[KEY_FILE_BYTES - 1] = '\n';
	bool written = write_all(file, key->text, KEY_FILE_BYTES) && fsync(file) == 0;
	int error = errno;
	master_key_free(key);
	if (close(file) != 0 && written) {
		written = false;
		error = errno;
	}
	return written || refuse(detail, path, strerror(error));
}

bool vault_create_key(const char *path, char detail[VAULT_DETAIL_BYTES])
{
	int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file < 0)
		return refuse(detail, path, errno == EEXIST ? "is there already and is not overwritten" : strerror(errno));
	bool filled = fill_key_file(file, path, detail);
	if (!filled)
		unlink(path);
	return filled;
}

static bool hex_digit(char c, uint8_t *ret)
{
	if (c >= '0' && c <= '9')
		*ret = (uint8_t)(c - '0');
	else if (c >= 'a' && c <= 'f')
		*ret = (uint8_t)(c - 'a' + 10);
	else
		return false;
	return true;
}

static bool parse_key(const char *text, size_t bytes, uint8_t out[MASTER_KEY_BYTES])
{
	if (bytes != KEY_FILE_BYTES || text[KEY_FILE_BYTES - 1] != '\n')
		return false;
	for (size_t i = 0; i < MASTER_KEY_BYTES; i++) {
		uint8_t high, low;
		if (!hex_digit(text[2 * i], &high) || !hex_digit(text[2 * i + 1], &low))
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool read_key(const char *path, struct master_key *key, char detail[VAULT_DETAIL_BYTES])
{
	struct stat status;
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (file < 0)
		return refuse(detail, path, strerror(errno));
	bool good = false;
	if (fstat(file, &status) != 0) {
		refuse(detail, path, strerror(errno));
	} else if (!S_ISREG(status.st_mode)) {
		refuse(detail, path, "is not a file");
	} else if (!secret_file_is_closed(path, &status)) {
		refuse(detail, path, "can be read or written by others: chmod 600");
	} else {
		ssize_t got = read(file, key->text, sizeof key->text);
		good = got > 0 && parse_key(key->text, (size_t)got, key->bytes);
		if (!good)
			refuse(detail, path, "is not a store key: 64 lower-case hexadecimal digits and a newline");
	}
	close(file);
	return good;
}

// ------------------------------------------------------------------ the derived keys

static bool make_keys(struct vault *vault, struct master_key *key)
{
	bool made = true;
	for (int purpose = 0; purpose < VAULT_PURPOSES && made; purpose++)
		made = seal_derive(key->bytes, purpose_labels[purpose], key->derived) &&
		       seal_key_new(key->derived, &vault->keys[purpose]);
	return made && seal_derive(key->bytes, tag_label, key->derived) && tag_key_new(key->derived, &vault->tag);
}

bool vault_open_key(const char *path, struct vault **ret, char detail[VAULT_DETAIL_BYTES])
{
	struct master_key *key = master_key_new(detail, path);
	if (key == NULL || !read_key(path, key, detail)) {
		master_key_free(key);
		return false;
	}
	struct vault *vault = calloc(1, sizeof *vault);
	bool made = vault != NULL && make_keys(vault, key);
	master_key_free(key);
	if (!made) {
		vault_free(vault);
		return refuse(detail, path, "the cryptographic library failed");
	}
	*ret = vault;
	return true;
}

void vault_free(struct vault *vault)
{
	if (vault == NULL)
		return;
	for (int purpose = 0; purpose < VAULT_PURPOSES; purpose++)
		seal_key_free(vault->keys[purpose]);
	tag_key_free(vault->tag);
	free(vault);
}

// ------------------------------------------------------------------ tags

static void make_tag(struct vault *vault, enum tag_kind kind, const struct tag_field *fields, size_t field_count,
		     struct store_tag *ret)
{
	tag_make(vault->tag, (uint8_t)kind, fields, field_count, ret);
}

void vault_tag_subject(struct vault *vault, const struct nhs_number *number, struct store_tag *ret)
{
	struct tag_field fields[] = {{number->digits, NHS_NUMBER_DIGITS}};
	make_tag(vault, TAG_SUBJECT, fields, 1, ret);
}

void vault_tag_person(struct vault *vault, const char *uid, struct store_tag *ret)
{
	struct tag_field fields[] = {{uid, strnlen(uid, UID_DIGITS)}};
	make_tag(vault, TAG_PERSON, fields, 1, ret);
}

void vault_tag_slot(struct vault *vault, const struct nhs_number *number, const struct ods_code *authority,
		    unsigned plan_type, struct store_tag *ret)
{
	uint8_t type = (uint8_t)plan_type;
	struct tag_field fields[] = {
		{number->digits, NHS_NUMBER_DIGITS}, {authority->text, strlen(authority->text)}, {&type, 1}};
	make_tag(vault, TAG_SLOT, fields, 3, ret);
}

void vault_tag_record(struct vault *vault, const char *nhs_number, unsigned plan_type, struct store_tag *ret)
{
	uint8_t type = (uint8_t)plan_type;
	struct tag_field fields[] = {{nhs_number, strnlen(nhs_number, TEXT_BYTES_MAX)}, {&type, 1}};
	make_tag(vault, TAG_RECORD, fields, 2, ret);
}

void vault_tag_request(struct vault *vault, const char *uid, const uint8_t channel_key[32],
		       const uint8_t request_id[REQUEST_ID_BYTES], struct store_tag *ret)
{
	struct tag_field fields[] = {
		{uid, strnlen(uid, UID_DIGITS)}, {channel_key, CHANNEL_KEY_BYTES}, {request_id, REQUEST_ID_BYTES}};
	make_tag(vault, TAG_REQUEST, fields, 3, ret);
}

void vault_tag_role(struct vault *vault, const char *uid, const char *role_code, const struct ods_code *organisation,
		    struct store_tag *ret)
{
	struct tag_field fields[] = {{uid, strnlen(uid, UID_DIGITS)},
				     {role_code, strnlen(role_code, ROLE_CODE_BYTES_MAX)},
				     {organisation->text, strlen(organisation->text)}};
	make_tag(vault, TAG_ROLE, fields, 3, ret);
}

void vault_tag_enrolment(struct vault *vault, const struct ods_code *organisation, const char *system_name,
			 struct store_tag *ret)
{
	struct tag_field fields[] = {{organisation->text, strlen(organisation->text)},
				     {system_name, strnlen(system_name, SYSTEM_NAME_BYTES_MAX)}};
	make_tag(vault, TAG_ENROLMENT, fields, 2, ret);
}

void vault_tag_enrolment_code(struct vault *vault, const uint8_t code_sha256[HASH_BYTES], struct store_tag *ret)
{
	struct tag_field fields[] = {{code_sha256, HASH_BYTES}};
	make_tag(vault, TAG_ENROLMENT_CODE, fields, 1, ret);
}

void vault_tag_quarantine(struct vault *vault, unsigned kind, const char *target, struct store_tag *ret)
{
	uint8_t kind_byte = (uint8_t)kind;
	struct tag_field fields[] = {{&kind_byte, 1}, {target, strnlen(target, QUARANTINE_TARGET_BYTES_MAX)}};
	make_tag(vault, TAG_QUARANTINE, fields, 2, ret);
}

void vault_tag_hold(struct vault *vault, const char *name, struct store_tag *ret)
{
	struct tag_field fields[] = {{name, strnlen(name, HOLD_NAME_BYTES_MAX)}};
	make_tag(vault, TAG_HOLD, fields, 1, ret);
}

void vault_digest_request(struct vault *vault, const uint8_t *request, size_t request_bytes, uint8_t ret[HASH_BYTES])
{
	tag_digest(vault->tag, TAG_REQUEST_CONTENT, request, request_bytes, ret);
}

struct seal_key *vault_key(struct vault *vault, enum vault_purpose purpose)
{
	INVARIANT(purpose < VAULT_PURPOSES);
	return vault->keys[purpose];
}
