// Scripts for pgbench, and its runs.
#include "tests/bench/pgbench.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/bench/link.h"

#define DATABASE "floor"
#define FLOOR_PLANS 25000u // of pgbench.sql
#define PGBENCH "/usr/lib/postgresql/15/bin/pgbench"
#define HITS_OF_20 1u

void pgbench_start(struct pgbench *pgbench, const struct postgres *postgres, struct world *world)
{
	*pgbench = (struct pgbench){postgres, world, 0};
	postgres_sql(postgres, "postgres", "postgres", "CREATE ROLE floor LOGIN");
	postgres_sql(postgres, "postgres", "postgres", "CREATE DATABASE " DATABASE " OWNER floor");
	// No plan is made anew for each parameter, as the broker's are not.
	postgres_sql(postgres, "postgres", "postgres", "ALTER ROLE floor SET plan_cache_mode = force_generic_plan");
	char *sql = world_read_file("tests/bench/pgbench.sql", NULL);
	postgres_sql(postgres, "floor", DATABASE, sql);
	free(sql);
	postgres_sql(postgres, "postgres", DATABASE, "VACUUM ANALYZE");
}

// ------------------------------------------------------------------ scripts

static void write_bytes(FILE *file, unsigned count)
{
	fputs("'\\x", file);
	for (unsigned i = 0; i < count; i++)
		fputs("5a", file);
	fputc('\'', file);
}

// A read, and whether it is waited for.
static void write_read(FILE *file, enum pgbench_waits waits, const char *sql)
{
	fprintf(file, "%s\n%s", sql, waits == PGBENCH_READS ? "\\endpipeline\n\\startpipeline\n" : "");
}

#define TAG(kind, variable) "decode(md5('" kind "' || :" variable "::text), 'hex')"

static void write_audit(FILE *file, const char *subject)
{
	fprintf(file, "INSERT INTO audit VALUES (:client_id::bigint, :n::bigint, ");
	write_bytes(file, 16);
	fputs(", ", file);
	write_bytes(file, 303);
	fputs(", ", file);
	write_bytes(file, 63);
	fprintf(file, ", 1764000000000 + :n::bigint, 'RXH', %s, " TAG("person", "p") ");\n", subject);
}

static void write_miss(FILE *file, enum pgbench_waits waits)
{
	fprintf(file, "\\set n :n + 1\n\\set c random(0, 99999)\n\\set p random(0, 63)\n");
	write_read(file, waits, "SELECT slot, generation, subject, authority, sealed FROM plan WHERE subject = " TAG("none", "c") " LIMIT 100;");
	write_audit(file, TAG("none", "c"));
}

static void write_hit(FILE *file, enum pgbench_waits waits)
{
	fprintf(file, "\\set n :n + 1\n\\set c random(0, %u)\n\\set p random(0, 63)\n", FLOOR_PLANS - 1);
	write_read(file, waits, "SELECT digest, expires_ms, sealed FROM request WHERE key = decode(md5(:client_id::text || '.' || :n::text), 'hex')"
		      " AND expires_ms > 1764000000000;");
	write_read(file, waits, "SELECT slot, generation, subject, authority, sealed FROM plan WHERE subject = " TAG("plan", "c") " LIMIT 100;");
	write_read(file, waits, "SELECT sealed FROM inactive WHERE subject = " TAG("plan", "c") ";");
	write_read(file, waits, "SELECT sealed FROM authority WHERE organisation = '383';");
	write_read(file, waits, "SELECT audit_index, silent, sealed FROM access WHERE client = :client_id::bigint AND subject = " TAG("plan", "c")
		      " ORDER BY audit_index DESC LIMIT 10;");
	write_read(file, waits, "INSERT INTO inbox_number VALUES ('box' || :client_id::text, 0, 1) ON CONFLICT (organisation, box) DO UPDATE"
		      " SET last = inbox_number.last + 1 RETURNING last;");
	fprintf(file, "INSERT INTO inbox VALUES ('box' || :client_id::text, 0, :n::bigint, 1, 1764000000000 + :n::bigint, 0, 0, ");
	write_bytes(file, 162);
	fprintf(file, ");\nINSERT INTO access VALUES (:client_id::bigint, " TAG("plan", "c") ", :n::bigint, false, ");
	write_bytes(file, 134);
	fprintf(file, ");\nINSERT INTO request VALUES (decode(md5(:client_id::text || '.' || :n::text), 'hex'), ");
	write_bytes(file, 32);
	fputs(", 1764000600000 + :n::bigint, ", file);
	write_bytes(file, 400);
	fputs(");\n", file);
	write_audit(file, TAG("plan", "c"));
}

// What each batch does besides: its turn, what others have changed, what has expired; and the log's end.
static void write_batch(const char *path, unsigned queries, unsigned hits, enum pgbench_waits waits)
{
	FILE *file = fopen(path, "we");
	link_must(file != NULL, path);
	fprintf(file, "%sBEGIN ISOLATION LEVEL READ COMMITTED;\n", waits == PGBENCH_EACH ? "" : "\\startpipeline\n");
	fprintf(file, "UPDATE turn SET batches = batches + 1 WHERE client = :client_id::bigint;\n");
	write_read(file, waits, "SELECT number FROM revision WHERE id = 1;");
	fprintf(file, "DELETE FROM request WHERE key IN (SELECT key FROM request WHERE expires_ms <= 1764000000000 ORDER BY expires_ms"
		      " LIMIT 1100 FOR UPDATE SKIP LOCKED);\n");
	for (unsigned i = 0; i < queries; i++)
		(i < hits ? write_hit : write_miss)(file, waits);
	fprintf(file, "INSERT INTO checkpoint VALUES (:client_id::bigint, repeat('x', 192)) ON CONFLICT (client) DO UPDATE"
		      " SET note = excluded.note;\n");
	fprintf(file, "INSERT INTO audit_block VALUES (:client_id::bigint, :n::bigint / 1024, :n::bigint, :n::bigint) ON CONFLICT"
		      " (client, block) DO UPDATE SET max_ms = excluded.max_ms;\n");
	fprintf(file, "COMMIT;\n%s", waits == PGBENCH_EACH ? "" : "\\endpipeline\n");
	link_must(fclose(file) == 0, path);
}

// ------------------------------------------------------------------ a run

static void read_log(const char *prefix, unsigned clients, struct pgbench_log *ret)
{
	char pattern[600];
	glob_t found;
	snprintf(pattern, sizeof pattern, "%s.*", prefix);
	link_must(glob(pattern, 0, NULL, &found) == 0 && found.gl_pathc == 1, pattern);
	FILE *file = fopen(found.gl_pathv[0], "re");
	link_must(file != NULL && pgbench_log_read(file, clients, ret), "pgbench carried out too little");
	fclose(file);
	unlink(found.gl_pathv[0]);
	globfree(&found);
}

void pgbench_run(struct pgbench *pgbench, unsigned clients, unsigned batch, enum pgbench_waits waits, unsigned seconds,
		 struct pgbench_log *ret)
{
	// Two scripts, so that on average one query in 20 is of a child with a plan, whatever the batch's size.
	char few[600], more[600], count[16], duration[16], first[40], prefix[500];
	unsigned hits = batch * HITS_OF_20, path_count = 0;
	const char *paths[2];
	snprintf(prefix, sizeof prefix, "%s", world_path(pgbench->world, "pgbench"));
	snprintf(few, sizeof few, "%s-few.sql@%u", prefix, 20 - hits % 20);
	paths[path_count++] = few;
	write_batch(world_path(pgbench->world, "pgbench-few.sql"), batch, hits / 20, waits);
	if (hits % 20 > 0) {
		snprintf(more, sizeof more, "%s-more.sql@%u", prefix, hits % 20);
		paths[path_count++] = more;
		write_batch(world_path(pgbench->world, "pgbench-more.sql"), batch, hits / 20 + 1, waits);
	}
	snprintf(count, sizeof count, "%u", clients);
	snprintf(duration, sizeof duration, "%u", seconds);
	// No index twice: a thousand million of them to a run.
	snprintf(first, sizeof first, "n=%u000000000", ++pgbench->runs);
	const char *command[30] = {PGBENCH, "-n", "-M", "prepared", "-c", count, "-j", "1", "-T", duration, "-D", first, "-l", "--log-prefix",
				   prefix, "-h", pgbench->postgres->directory, "-U", "floor"};
	size_t used = 19;
	for (unsigned i = 0; i < path_count; i++) {
		command[used++] = "-f";
		command[used++] = paths[i];
	}
	command[used++] = DATABASE;
	link_must(world_command(pgbench->world, command) == 0, world_err(pgbench->world));
	read_log(prefix, clients, ret);
}
