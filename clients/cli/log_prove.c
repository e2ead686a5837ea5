// Proving a record from the log's file.
#include "clients/cli/log_prove.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool read_record(struct log_database *database, uint64_t index, struct tlog_proof *proof, bool *ret_found)
{
	struct log_row row;
	if (!log_database_seek(database, index, index + 1) || !log_database_next(database, &row, ret_found))
		return false;
	if (!*ret_found)
		return true;
	*ret_found = row.salt.bytes == sizeof proof->salt && row.record.bytes > 0;
	if (*ret_found) {
		memcpy(proof->salt, row.salt.data, sizeof proof->salt);
		proof->record = malloc(row.record.bytes);
		proof->record_bytes = row.record.bytes;
		if (proof->record != NULL)
			memcpy(proof->record, row.record.data, row.record.bytes);
	}
	bool more;
	return log_database_next(database, &row, &more); // which ends the reading
}

static enum log_status broken(char detail[LOG_DETAIL_BYTES], const char *what)
{
	snprintf(detail, LOG_DETAIL_BYTES, "%s: audit verify says where the log is broken", what);
	return LOG_BROKEN;
}

static enum log_status fill(struct log_database *database, const struct note_verifier *verifier, uint64_t index,
			    struct tlog_proof *proof, bool *ret_found, char detail[LOG_DETAIL_BYTES])
{
	struct checkpoint checkpoint;
	char note[NOTE_BYTES_MAX + 2];
	size_t note_bytes;
	if (!log_database_note(database, note, &note_bytes)) {
		log_database_detail(database, detail);
		return LOG_UNREADABLE;
	}
	*ret_found = note_bytes > 0;
	if (!*ret_found)
		return LOG_HOLDS;
	if (checkpoint_verify(note, note_bytes, verifier, &checkpoint) != CERTS_OK)
		return broken(detail, "the stored checkpoint was not signed with this log's key");
	*ret_found = index < checkpoint.size;
	if (!*ret_found)
		return LOG_HOLDS;
	memcpy(proof->note, note, note_bytes + 1);
	if (!read_record(database, index, proof, ret_found)) {
		log_database_detail(database, detail);
		return LOG_UNREADABLE;
	}
	if (!*ret_found)
		return broken(detail, "the record is missing");
	if (proof->record == NULL) {
		snprintf(detail, LOG_DETAIL_BYTES, "out of memory");
		return LOG_UNREADABLE;
	}
	if (!merkle_prove(index, checkpoint.size, log_database_node, database, &proof->path))
		return broken(detail, "a hash on the record's way to the root is missing");
	if (tlog_proof_verify(proof, verifier, &checkpoint) != CERTS_OK)
		return broken(detail, "the record, or a hash on its way to the root, is not what was signed for");
	return LOG_HOLDS;
}

enum log_status log_prove(struct log_database *database, const struct note_verifier *verifier, uint64_t index,
			  struct tlog_proof *ret, bool *ret_found, char detail[LOG_DETAIL_BYTES])
{
	struct tlog_proof proof = {.index = index};
	enum log_status status = fill(database, verifier, index, &proof, ret_found, detail);
	if (status != LOG_HOLDS || !*ret_found)
		free(proof.record);
	else
		*ret = proof;
	return status;
}
