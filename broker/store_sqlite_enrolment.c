// SQLite backend: invitations to enrol.
#include "broker/store_sqlite_priv.h"

enum store_status sqlite_enrolment_put(struct store *base, const struct store_enrolment *enrolment)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_ENROLMENT_PUT];
	int bound = sqlite_bind_tag(statement, 1, &enrolment->system) | sqlite_bind_tag(statement, 2, &enrolment->code) |
		    sqlite_bind_bytes(statement, 3, enrolment->sealed.data, enrolment->sealed.bytes);
	return sqlite_run(store, statement, bound, "enrolment_put");
}

enum store_status sqlite_enrolment_delete(struct store *base, const struct store_tag *system)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_ENROLMENT_DELETE];
	enum store_status status =
		sqlite_run(store, statement, sqlite_bind_tag(statement, 1, system), "enrolment_delete");
	if (status == STORE_OK && sqlite3_changes(store->database) == 0)
		return STORE_NOT_FOUND;
	return status;
}

static bool read_enrolment(sqlite3_stmt *statement, struct arena *arena, void *row)
{
	struct store_enrolment *enrolment = row;
	return sqlite_column_tag(statement, 0, &enrolment->system) && sqlite_column_tag(statement, 1, &enrolment->code) &&
	       sqlite_column_blob(statement, 2, arena, &enrolment->sealed);
}

enum store_status sqlite_enrolment_all(struct store *base, size_t max, struct arena *arena, struct store_enrolment **ret,
				       size_t *ret_count)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement = store->statements[STATEMENT_ENROLMENT_ALL];
	void *rows = NULL;
	enum store_status status = sqlite_list(store, statement, sqlite_bind_u64(statement, 1, max), read_enrolment,
					       sizeof **ret, arena, &rows, ret_count, "enrolment_all");
	if (status == STORE_OK)
		*ret = rows;
	return status;
}
