// Verifying an audit log from a database: what is right for one row, and for all of them.
#include "clients/cli/log_file.h"

#include <string.h>

#include "proto/limits.h"

_Static_assert(LOG_DATABASE_DETAIL_BYTES == LOG_DETAIL_BYTES, "one detail is the other's");

// ------------------------------------------------------------------ one row

static const char *check_nodes(const struct log_row *row, const struct merkle_hash *nodes, size_t count, struct log_span *span)
{
	size_t wanted = (size_t)__builtin_ctzll(row->index + 1) + 1;
	if (row->nodes.bytes != wanted * sizeof nodes[0])
		return "its hashes are missing or too many";
	if (memcmp(row->nodes.data, nodes, sizeof nodes[0]) != 0)
		return "record or salt does not match its hash: it has been changed";
	if (memcmp(row->nodes.data, nodes, count * sizeof nodes[0]) != 0)
		return "its inner hashes do not follow from the records before it";
	span->upper_count = wanted - count;
	if (wanted > count)
		memcpy(span->upper, row->nodes.data + count * sizeof nodes[0], span->upper_count * sizeof nodes[0]);
	return NULL;
}

const char *log_file_check_row(const struct log_row *row, struct log_span *span)
{
	struct merkle_hash leaf, nodes[MERKLE_HEIGHT_MAX + 1];
	size_t count = 0;
	struct audit_record_keys keys;
	if (row->index != span->begin + span->tree.size)
		return "it is missing";
	if (row->salt.bytes != SALT_BYTES || row->record.bytes == 0)
		return "salt or record is missing";
	merkle_leaf(row->salt.data, row->record.data, row->record.bytes, &leaf);
	merkle_append(&span->tree, &leaf, nodes, &count);
	const char *wrong = check_nodes(row, nodes, count, span);
	if (wrong == NULL)
		wrong = log_row_read(row, &keys);
	if (wrong == NULL)
		wrong = log_row_compare(row, &keys);
	if (wrong == NULL)
		log_span_accept(span);
	else
		span->tree.size--;
	return wrong;
}

// ------------------------------------------------------------------ the rows

static void *open_reader(void *context, char detail[LOG_DETAIL_BYTES])
{
	return log_database_again(context, detail);
}

static void close_reader(void *database)
{
	log_database_close(database);
}

static void check_span(void *context, struct log_span *span)
{
	struct log_database *database = context;
	struct log_row row;
	bool found = true;
	span->unreadable = !log_database_seek(database, span->begin, span->end);
	while (!span->unreadable && found && span->wrong == NULL) {
		span->unreadable = !log_database_next(database, &row, &found);
		if (!span->unreadable && found)
			span->wrong = log_file_check_row(&row, span);
	}
	if (span->unreadable)
		log_database_detail(database, span->detail);
	else if (span->wrong == NULL && span->begin + span->tree.size < span->end)
		span->wrong = "it is missing";
}

// ------------------------------------------------------------------ the whole

enum log_status log_database_verify(struct log_database *database, const struct note_verifier *verifier, const struct log_kept *kept,
				    unsigned kept_count, log_progress *progress, struct log_result *ret)
{
	struct log_source source = {.context = database, .open = open_reader, .check = check_span,
				    .close = close_reader};
	char note[NOTE_BYTES_MAX + 2];
	size_t note_bytes = 0;
	bool negative = false;
	struct merkle_tree tree;
	*ret = (struct log_result){0};
	if (!log_database_size(database, &source.size, &negative) || !log_database_note(database, note, &note_bytes)) {
		log_database_detail(database, ret->detail);
		return LOG_UNREADABLE;
	}
	if (negative)
		return log_bad_record(ret, 0, "there is a row with a number below 0");
	enum log_status status = log_walk(&source, 0, kept, kept_count, progress, &tree, ret);
	if (status == LOG_HOLDS)
		status = log_check_length(&tree, kept, kept_count, ret);
	if (status == LOG_HOLDS)
		status = log_check_note(&tree, note, note_bytes, verifier, ret);
	return status;
}

enum log_status log_file_verify(const char *path, const struct note_verifier *verifier, const struct log_kept *kept,
				unsigned kept_count, log_progress *progress, struct log_result *ret)
{
	*ret = (struct log_result){0};
	struct log_database *database = log_database_open(path, ret->detail);
	if (database == NULL)
		return LOG_UNREADABLE;
	enum log_status status = log_database_verify(database, verifier, kept, kept_count, progress, ret);
	log_database_close(database);
	return status;
}
