// The pair, and the brokers before it.
#include "tests/bench/brokers.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/store_postgres.h"
#include "tests/bench/servers.h"

#define DATABASE "cpis"
#define STANDBY "second"
// As of a server that is used, not of a test's. No segment may be gone while the standby is held.
#define SETTINGS                                                                                           \
	"shared_buffers = 256MB\nautovacuum = on\nmax_connections = 60\nwal_sender_timeout = 0\nwal_keep_size = 2GB\nfsync = on\n" \
	"synchronous_commit = on\n"
// What is measured here is how much is carried out, as of a town's own broker.
#define UNBOUNDED "busy_after_ms: 10000\nwaiting_max: 65536\nwaiting_per_system_max: 65536\n"

// ------------------------------------------------------------------ starting

// The one place that knows how a store is opened without a broker.
static struct store *open_store(struct world *world, void *context)
{
	struct brokers *brokers = context;
	char program[4200], migrator[POSTGRES_CONNINFO_BYTES], conninfo[POSTGRES_CONNINFO_BYTES], detail[STORE_DETAIL_BYTES] = "";
	const char *build = getenv("BUILD");
	struct store *store = NULL;
	postgres_make_database(&brokers->primary, DATABASE);
	postgres_conninfo(&brokers->primary, "migrator", DATABASE, migrator);
	postgres_conninfo(&brokers->primary, "broker1", DATABASE, conninfo);
	snprintf(program, sizeof program, "%s/cpis-broker", build == NULL ? "build" : build);
	const char *const migrate[] = {program, "--migrate", migrator, NULL};
	link_must(world_command(world, migrate) == 0, world_err(world));
	world_use_postgres(world, conninfo);
	const struct store_postgres_options options = {.conninfo = conninfo, .lone_server = true, .timeout_ms = 60000};
	link_must(store_postgres_open(&options, &store, detail) == STORE_OK, detail);
	return store;
}

static void add_broker(struct brokers *brokers, unsigned number, const char *name)
{
	struct world *world = brokers->town->world;
	char role[16], conninfo[POSTGRES_CONNINFO_BYTES];
	snprintf(role, sizeof role, "broker%u", number + 1);
	postgres_conninfo(&brokers->primary, role, DATABASE, conninfo);
	struct world_broker *broker = world_broker_new(world, name);
	world_broker_use_postgres(broker, conninfo);
	world_broker_configure(broker, UNBOUNDED);
	world_broker_start(broker);
	brokers->further[number - 1] = broker;
	link_must(curve_key_load(world_path(world, "brokers/%s.key", name), &brokers->keys[number]) == CERTS_OK, "a broker's key");
	brokers->names[number] = name;
	brokers->targets[number] = (struct link_curve_target){world_broker_endpoint(broker), brokers->keys[number].public_key,
							      brokers->town->keys, brokers->town->seats_count};
}

void brokers_start(struct brokers *brokers, unsigned plans)
{
	static const char *const names[BROKERS_MAX] = {WORLD_BROKER_NAME, "second-broker", "third-broker"};
	*brokers = (struct brokers){.is_pair = false};
	postgres_start(&brokers->primary, SETTINGS);
	postgres_sql(&brokers->primary, "postgres", "postgres", "CREATE ROLE broker3 LOGIN IN ROLE cpis_broker");
	brokers->town = town_new(&(struct town_options){.plans = plans, .store = open_store, .store_context = brokers});
	postgres_sql(&brokers->primary, "postgres", DATABASE, "VACUUM ANALYZE");
	postgres_start_standby(&brokers->standby, &brokers->primary, STANDBY);
	brokers->names[0] = names[0];
	brokers->targets[0] = (struct link_curve_target){world_endpoint(brokers->town->world), brokers->town->broker.public_key,
							 brokers->town->keys, brokers->town->seats_count};
	for (unsigned i = 1; i < BROKERS_MAX; i++)
		add_broker(brokers, i, names[i]);
	brokers_set_pair(brokers, true);
	brokers_use(brokers, 1);
}

void brokers_stop(struct brokers *brokers)
{
	brokers_set_pair(brokers, true);
	for (unsigned i = 0; i < BROKERS_MAX - 1; i++) {
		world_broker_stop(brokers->further[i]);
		world_broker_free(brokers->further[i]);
	}
	link_must(town_free(brokers->town) == 0, "a broker's end");
	postgres_stop(&brokers->standby);
	postgres_stop(&brokers->primary);
}

// ------------------------------------------------------------------ which of them

// Connection n goes to target n modulo their count; all else is CURVE's.
static struct link *open_spread(const void *to, unsigned number)
{
	const struct brokers *brokers = to;
	return link_curve.open(&brokers->targets[number % brokers->used], number);
}

static const struct link_ops *spread(void)
{
	static struct link_ops ops;
	ops = link_curve;
	ops.open = open_spread;
	return &ops;
}

void brokers_use(struct brokers *brokers, unsigned count)
{
	brokers->used = count;
	town_sign_in(brokers->town, spread(), brokers, brokers->names, count);
}

struct load_options brokers_load(const struct brokers *brokers, struct queries *queries)
{
	struct load_options options = queries_load(queries, TOWN_NURSES);
	options.ops = spread();
	options.target = brokers;
	return options;
}

// ------------------------------------------------------------------ one server or two

// Without its receiver a standby has nothing to do.
static void signal_receiver(const struct brokers *brokers, int number)
{
	pid_t receiver = (pid_t)atoi(postgres_sql(&brokers->standby, "postgres", "postgres", "SELECT pid FROM pg_stat_wal_receiver"));
	link_must(receiver > 0 && kill(receiver, number) == 0, "the standby receives nothing");
}

void brokers_set_pair(struct brokers *brokers, bool is_pair)
{
	if (is_pair == brokers->is_pair)
		return;
	brokers->is_pair = is_pair;
	if (!is_pair) {
		postgres_configure(&brokers->primary, "synchronous_standby_names", "");
		signal_receiver(brokers, SIGSTOP);
		return;
	}
	signal_receiver(brokers, SIGCONT);
	postgres_until(&brokers->primary, "postgres", "SELECT coalesce(bool_and(replay_lsn >= pg_current_wal_lsn()), false) FROM pg_stat_replication");
	postgres_configure(&brokers->primary, "synchronous_standby_names", "FIRST 1 (" STANDBY ")");
	postgres_until(&brokers->primary, "postgres", "SELECT coalesce(bool_and(sync_state = 'sync'), false) FROM pg_stat_replication");
}

// ------------------------------------------------------------------ what it costs

struct brokers_cpu brokers_cpu(const struct brokers *brokers)
{
	struct brokers_cpu cpu = {.primary_us = servers_cpu_us(postgres_server(&brokers->primary)),
				  .standby_us = servers_cpu_us(postgres_server(&brokers->standby)),
				  .brokers_us = servers_cpu_us(world_broker_pid(brokers->town->world))};
	for (unsigned i = 1; i < brokers->used; i++)
		cpu.brokers_us += servers_cpu_us(world_broker_process(brokers->further[i - 1]));
	return cpu;
}

double brokers_place(const struct brokers *brokers)
{
	return atof(postgres_sql(&brokers->primary, "postgres", "postgres", "SELECT pg_snapshot_xmax(pg_current_snapshot())::text"));
}

// Of what transactions there were, most of the others only looked whether something was due.
double brokers_batches(const struct brokers *brokers, double since)
{
	char sql[160];
	snprintf(sql, sizeof sql, "SELECT count(DISTINCT xmin::text) FROM cpis.audit WHERE xmin::text::bigint >= %.0f", since);
	return atof(postgres_sql(&brokers->primary, "postgres", DATABASE, sql));
}

void brokers_check(struct brokers *brokers)
{
	char sql[100];
	brokers_set_pair(brokers, true);
	snprintf(sql, sizeof sql, "SELECT count(*) >= %llu FROM cpis.audit", (unsigned long long)brokers->town->replies);
	link_must(strcmp(postgres_sql(&brokers->standby, "postgres", DATABASE, sql), "t") == 0, "the second server lacks records of answers");
}
