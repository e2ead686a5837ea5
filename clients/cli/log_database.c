// An audit log's database: which backend does it.
#include "clients/cli/log_database_priv.h"

struct log_database *log_database_again(const struct log_database *database, char detail[LOG_DATABASE_DETAIL_BYTES])
{
	return database->ops->again(database, detail);
}

void log_database_close(struct log_database *database)
{
	if (database != NULL)
		database->ops->close(database);
}

void log_database_detail(const struct log_database *database, char detail[LOG_DATABASE_DETAIL_BYTES])
{
	database->ops->detail(database, detail);
}

bool log_database_size(struct log_database *database, uint64_t *ret, bool *ret_negative)
{
	return database->ops->size(database, ret, ret_negative);
}

bool log_database_note(struct log_database *database, char ret[NOTE_BYTES_MAX + 2], size_t *ret_bytes)
{
	return database->ops->note(database, ret, ret_bytes);
}

bool log_database_seek(struct log_database *database, uint64_t begin, uint64_t end)
{
	return database->ops->seek(database, begin, end);
}

bool log_database_next(struct log_database *database, struct log_row *ret, bool *ret_found)
{
	return database->ops->next(database, ret, ret_found);
}

bool log_database_node(void *context, unsigned height, uint64_t number, struct merkle_hash *ret)
{
	struct log_database *database = context;
	return database->ops->node(database, height, number, ret);
}
