// What makes a client's trust in the audit log: each reply proven to be in it, and the log proven to begin with what it
// was when this client last looked.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "clients/libcpis/client_priv.h"
#include "proto/audit_record.h"

// ------------------------------------------------------------------ the remembered checkpoint

// ENOENT is "none yet".
static enum cpis_status read_note(struct cpis_client *client, char out[NOTE_BYTES_MAX + 1], size_t *ret_bytes)
{
	*ret_bytes = 0;
	FILE *file = fopen(client->checkpoint_file, "re");
	if (file == NULL && errno == ENOENT)
		return CPIS_OK;
	if (file == NULL)
		return client_fail(client, CPIS_STATE, "%.200s: %s", client->checkpoint_file, strerror(errno));
	*ret_bytes = fread(out, 1, NOTE_BYTES_MAX, file);
	bool whole = !ferror(file) && fgetc(file) == EOF && *ret_bytes > 0;
	fclose(file);
	if (!whole)
		return client_fail(client, CPIS_STATE, "%.200s: cannot be read as a checkpoint", client->checkpoint_file);
	out[*ret_bytes] = '\0';
	return CPIS_OK;
}

enum cpis_status client_load_checkpoint(struct cpis_client *client)
{
	char note[NOTE_BYTES_MAX + 1];
	size_t bytes = 0;
	if (client->checkpoint_file[0] == '\0')
		return CPIS_OK;
	enum cpis_status status = read_note(client, note, &bytes);
	if (status != CPIS_OK || bytes == 0)
		return status;
	enum certs_status signature = checkpoint_verify(note, bytes, &client->log, &client->newest);
	if (signature != CERTS_OK && client_is_of_previous(client, note, bytes, &client->newest)) {
		// What the successor does not begin with is lost, and proves nothing of it.
		if (client->newest.size > client->succeeded.size)
			client->newest = (struct checkpoint){0};
		else
			memcpy(client->newest_note, note, bytes + 1);
		return CPIS_OK;
	}
	if (signature != CERTS_OK)
		return client_fail(client, CPIS_STATE,
				   "%.180s: the remembered checkpoint was not signed by this audit log: %s",
				   client->checkpoint_file, certs_status_text(signature));
	memcpy(client->newest_note, note, bytes + 1);
	return CPIS_OK;
}

// Beside and then into place: a checkpoint cut short would look like tampering.
enum cpis_status client_replace_file(struct cpis_client *client, const char *path, const char *text)
{
	char beside[CLIENT_PATH_BYTES + 64];
	snprintf(beside, sizeof beside, "%s.%ld.new", path, (long)getpid());
	if (client_write_file(beside, text, O_TRUNC) && rename(beside, path) == 0)
		return CPIS_OK;
	int error = errno;
	unlink(beside);
	return client_fail(client, CPIS_STATE, "%.200s: %s", path, strerror(error));
}

// ------------------------------------------------------------------ the proof

bool client_growth_holds(const struct checkpoint *old, const struct checkpoint *checkpoint, size_t count,
			 const ProtobufCBinaryData *hashes)
{
	struct merkle_hash proof[GROWTH_PATH_MAX];
	for (size_t i = 0; i < count; i++) // their number and length are wire_reply_decode's to check
		memcpy(proof[i].bytes, hashes[i].data, HASH_BYTES);
	return merkle_verify_growth(old->size, &old->root, checkpoint->size, &checkpoint->root, proof, count);
}

static enum cpis_status is_replaced(struct cpis_client *client, enum cpis_status status, const char *what, const char *note)
{
	struct client_fork fork = {.what = what, .who = "this system then", .theirs = note};
	return client_found_fork(client, status, &fork);
}

static void take_over(struct cpis_client *client, const struct checkpoint *checkpoint, const char *note)
{
	client->newest = *checkpoint;
	snprintf(client->newest_note, sizeof client->newest_note, "%s", note);
}

// While nobody else writes the file. Another process of this system may have been shown another log meanwhile.
static enum cpis_status remember_in_file(struct cpis_client *client, const struct checkpoint *checkpoint, const char *note)
{
	char held[NOTE_BYTES_MAX + 1], what[128];
	struct checkpoint stored = {0};
	size_t bytes = 0;
	enum cpis_status status = read_note(client, held, &bytes);
	if (status != CPIS_OK)
		return status;
	// Byte for byte what was believed last: checking its signature again would be half of what a reply costs.
	const bool is_newest = bytes > 0 && bytes == strlen(client->newest_note) && memcmp(held, client->newest_note, bytes) == 0 &&
			       !client_remembers_previous(client);
	if (is_newest)
		stored = client->newest;
	// What it held has been proven to be the beginning of this log, or is lost.
	if (bytes > 0 && !is_newest && client_is_of_previous(client, held, bytes, &stored)) {
		status = client_keep_previous(client, stored.size);
		if (status != CPIS_OK)
			return status;
		bytes = 0;
		stored = (struct checkpoint){0};
	}
	if (bytes > 0 && !is_newest && checkpoint_verify(held, bytes, &client->log, &stored) != CERTS_OK)
		return client_fail(client, CPIS_STATE, "%.180s: the remembered checkpoint was not signed by this audit log",
				   client->checkpoint_file);
	if (stored.size == checkpoint->size && memcmp(&stored.root, &checkpoint->root, sizeof stored.root) != 0) {
		take_over(client, &stored, held); // the evidence has both
		snprintf(what, sizeof what, "The log of %llu records is not the one that another process here was shown",
			 (unsigned long long)stored.size);
		return is_replaced(client, CPIS_LOG_FORKED, what, note);
	}
	take_over(client, checkpoint, note);
	// A larger one stays: whoever comes next has to prove that the log continues that.
	return stored.size >= checkpoint->size ? CPIS_OK : client_replace_file(client, client->checkpoint_file, note);
}

static enum cpis_status remember(struct cpis_client *client, const struct checkpoint *checkpoint, const char *note)
{
	char path[CLIENT_PATH_BYTES + 16];
	if (client->checkpoint_file[0] == '\0') {
		take_over(client, checkpoint, note);
		return CPIS_OK;
	}
	snprintf(path, sizeof path, "%s.writing", client->checkpoint_file);
	int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file < 0 || flock(file, LOCK_EX) != 0) {
		int error = errno;
		if (file >= 0)
			close(file);
		return client_fail(client, CPIS_STATE, "%.200s: %s", path, strerror(error));
	}
	enum cpis_status status = remember_in_file(client, checkpoint, note);
	close(file);
	return status;
}

static enum cpis_status check_growth(struct cpis_client *client, const struct checkpoint *checkpoint,
				     const Cpis__V1__Receipt *receipt)
{
	const struct checkpoint *newest = &client->newest;
	unsigned long long size = checkpoint->size, had = newest->size;
	char what[128];
	if (size > had) {
		if (had == 0 || client_growth_holds(newest, checkpoint, receipt->n_growth, receipt->growth))
			return remember(client, checkpoint, receipt->checkpoint);
		snprintf(what, sizeof what, "The log of %llu records does not begin with the %llu records that it had", size, had);
		return is_replaced(client, CPIS_LOG_FORKED, what, receipt->checkpoint);
	}
	// Checkpoints may come out of order from a broker only if it is not the one that made the newest.
	if (size < had) {
		snprintf(what, sizeof what, "The log has %llu records and had %llu", size, had);
		return is_replaced(client, CPIS_LOG_SHORTENED, what, receipt->checkpoint);
	}
	if (memcmp(&checkpoint->root, &newest->root, sizeof newest->root) != 0) {
		snprintf(what, sizeof what, "The log of %llu records is not the one it was", had);
		return is_replaced(client, CPIS_LOG_FORKED, what, receipt->checkpoint);
	}
	return CPIS_OK;
}

static enum cpis_status prove(struct cpis_client *client, const Cpis__V1__Receipt *receipt,
			      struct checkpoint *ret_checkpoint)
{
	struct merkle_hash path[INCLUSION_PATH_MAX];
	if (receipt->n_path > INCLUSION_PATH_MAX || receipt->salt.len != SALT_BYTES)
		return client_fail(client, CPIS_RECEIPT, "the proof is not well-formed");
	for (size_t i = 0; i < receipt->n_path; i++) {
		if (receipt->path[i].len != HASH_BYTES)
			return client_fail(client, CPIS_RECEIPT, "the proof is not well-formed");
		memcpy(path[i].bytes, receipt->path[i].data, HASH_BYTES);
	}
	enum certs_status status =
		receipt_verify(&client->log, receipt->index, receipt->salt.data, receipt->record.data,
			       receipt->record.len, path, receipt->n_path, receipt->checkpoint,
			       strlen(receipt->checkpoint), ret_checkpoint);
	if (status != CERTS_OK)
		return client_fail(client, CPIS_RECEIPT, "%s", certs_status_text(status));
	return CPIS_OK;
}

enum cpis_status cpis_check_proof(struct cpis_client *client, const Cpis__V1__Receipt *receipt)
{
	struct checkpoint checkpoint;
	return prove(client, receipt, &checkpoint);
}

enum cpis_status cpis_verify_proof(const char *trust_directory, const Cpis__V1__Receipt *proof, char detail[CPIS_DETAIL_BYTES])
{
	struct checkpoint checkpoint;
	struct cpis_client *client = calloc(1, sizeof *client);
	if (client == NULL) {
		snprintf(detail, CPIS_DETAIL_BYTES, "out of memory");
		return CPIS_NO_MEMORY;
	}
	enum cpis_status status = trust_directory == NULL || proof == NULL ? client_fail(client, CPIS_USAGE, "an argument is missing")
									   : client_load_log(client, trust_directory);
	if (status == CPIS_OK)
		status = prove(client, proof, &checkpoint);
	if (status != CPIS_OK)
		memcpy(detail, client->detail, CPIS_DETAIL_BYTES);
	free(client);
	return status;
}

// Whether the record stands under this system's name. A broker that does not know the connection can name nobody, and
// refuses; a system that has no certificate yet has no name to stand under.
static bool is_under_own_name(const struct cpis_client *client, const Cpis__V1__AuditRecord *record)
{
	if (record->organisation[0] == '\0' && record->system_name[0] == '\0')
		return record->outcome == CPIS__V1__OUTCOME__ASID_CHECK_FAILED || client->system.organisation[0] == '\0';
	return client->system.organisation[0] == '\0' ||
	       (strcmp(record->organisation, client->system.organisation) == 0 &&
		strcmp(record->system_name, client->system.name) == 0);
}

enum cpis_status client_check_receipt(struct cpis_client *client, struct arena *arena,
				      const Cpis__V1__Request *request, const Cpis__V1__Reply *reply)
{
	const Cpis__V1__Receipt *receipt = reply->receipt;
	struct checkpoint checkpoint;
	enum cpis_status status = prove(client, receipt, &checkpoint);
	if (status != CPIS_OK)
		return status;
	struct wire_error error;
	Cpis__V1__AuditRecord *record = NULL;
	if (audit_record_decode(arena, receipt->record.data, receipt->record.len, &record, &error) != WIRE_OK)
		return client_fail(client, CPIS_RECEIPT, "the audit record cannot be read");
	if (!audit_record_matches(record, request, reply) || !is_under_own_name(client, record) ||
	    strcmp(record->broker_name, client_link(client)->broker.name) != 0)
		return client_fail(client, CPIS_RECEIPT, "the audit record speaks of something else");
	// Of a request that could not be read the broker does not know what its asker holds. The refusal stands; its checkpoint is
	// not taken over, and the next reply has to prove growth from the one before.
	if (record->operation == CPIS__V1__OPERATION__OPERATION_UNSPECIFIED && checkpoint.size > client->newest.size)
		return CPIS_OK;
	return check_growth(client, &checkpoint, receipt);
}
