// What a broker may still do once its files are read and its keys are in memory: as whom, with which files, with which calls.
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/front_keeper.h"
#include "broker/log.h"
#include "broker/privileges.h"
#include "broker/process.h"
#include "broker/store_postgres.h"
#include "certs/key_memory.h"

#define PATH_BYTES 4200u
#define DIRECTORIES_MAX SANDBOX_PATHS_MAX
#define RELOADED_FILES 4

// Directories that are used while the broker runs, each once.
struct directories {
	char paths[DIRECTORIES_MAX][PATH_BYTES];
	bool writes[DIRECTORIES_MAX];
	size_t count;
};

static void directory_of(const char *path, char out[PATH_BYTES])
{
	char copy[PATH_BYTES];
	snprintf(copy, sizeof copy, "%s", path);
	snprintf(out, PATH_BYTES, "%s", dirname(copy));
	// Never the whole file system for something that lies at its root.
	if (strcmp(out, "/") == 0)
		snprintf(out, PATH_BYTES, "%s", path);
}

static void add_directory(struct directories *directories, const char *path, bool writes)
{
	char directory[PATH_BYTES];
	directory_of(path, directory);
	for (size_t i = 0; i < directories->count; i++)
		if (strcmp(directories->paths[i], directory) == 0) {
			directories->writes[i] = directories->writes[i] || writes;
			return;
		}
	snprintf(directories->paths[directories->count], PATH_BYTES, "%s", directory);
	directories->writes[directories->count++] = writes;
}

// Landlock's rules stay with a file or directory, and not with its name. What is watched is replaced by renaming, so that the
// directory that holds it is what may be read: or a revocation that comes with a new directory would not be seen. Where the
// name is a link, both the link and what it leads to.
static void add_watched(struct directories *directories, const char *path)
{
	char *real = realpath(path, NULL);
	add_directory(directories, path, false);
	if (real != NULL)
		add_directory(directories, real, false);
	free(real);
}

// Certificates are read at each connecting, and names are looked up by what is in /etc.
static void add_database(const struct store_postgres_reach *reach, struct directories *ret)
{
	for (size_t i = 0; i < reach->file_count; i++)
		add_watched(ret, reach->files[i]);
	if (reach->by_name) {
		add_directory(ret, "/etc/hosts", false);
		// Often a link to where the resolver of the machine keeps it.
		add_watched(ret, "/etc/resolv.conf");
	}
}

// What SIGHUP reads again. Where it lies at the root of the file system it is not read again: naming that would allow everything.
static void add_reloaded(struct directories *directories, const char *path)
{
	char directory[PATH_BYTES];
	directory_of(path, directory);
	if (strcmp(directory, path) != 0)
		add_watched(directories, path);
}

static void list_directories(const struct broker *broker, const struct store_postgres_reach *reach, struct directories *ret)
{
	const struct config *config = broker->config;
	const char *made[] = {config->store_file, config->handover_socket, config->endpoint_file, config->next_endpoint_file, config->enrolment_endpoint_file,
			      config->metrics_endpoint_file};
	const char *watched[] = {config->trust_directory, config->enrolled_directory, config->register_file,
				 config->identity_directory};
	_Static_assert(sizeof made / sizeof made[0] + 2 * sizeof watched / sizeof watched[0] + 2 * DATABASE_FILES_MAX + 3 + 2 * RELOADED_FILES <=
			       DIRECTORIES_MAX, "there is room");
	ret->count = 0;
	for (unsigned i = 0; i < sizeof made / sizeof made[0]; i++)
		if (made[i] != NULL)
			add_directory(ret, made[i], true);
	for (unsigned i = 0; i < sizeof watched / sizeof watched[0]; i++)
		if (watched[i] != NULL)
			add_watched(ret, watched[i]);
	add_reloaded(ret, broker->config_path);
	add_reloaded(ret, config->policy_file);
	add_reloaded(ret, config->certificate);
	if (config->next_certificate != NULL)
		add_reloaded(ret, config->next_certificate);
	if (config->store_postgres != NULL)
		add_database(reach, ret);
}

static bool may_use_store(const struct config *config, const struct store_postgres_reach *reach, char detail[PROCESS_DETAIL_BYTES])
{
	static const char *const endings[] = {"", "-wal", "-shm", ".lock"};
	char path[PATH_BYTES];
	for (size_t i = 0; i < reach->file_count; i++)
		if (!privileges_check(reach->files[i], PRIVILEGES_READ, config->user, detail))
			return false;
	if (config->store_file == NULL)
		return true;
	for (unsigned i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		snprintf(path, sizeof path, "%s%s", config->store_file, endings[i]);
		if (access(path, F_OK) == 0 && !privileges_check(path, PRIVILEGES_WRITE, config->user, detail))
			return false;
	}
	return true;
}

// Said now, with the path, and not at the first reload at night.
static bool may_use_files(const struct config *config, const struct directories *directories, const struct store_postgres_reach *reach,
			  char detail[PROCESS_DETAIL_BYTES])
{
	for (size_t i = 0; i < directories->count; i++)
		if (directories->writes[i] &&
		    !privileges_check(directories->paths[i], PRIVILEGES_MAKE_FILES, config->user, detail))
			return false;
	return privileges_check(config->trust_directory, PRIVILEGES_READ, config->user, detail) &&
	       privileges_check(config->enrolled_directory, PRIVILEGES_READ, config->user, detail) &&
	       privileges_check(config->register_file, PRIVILEGES_READ, config->user, detail) &&
	       (config->identity_directory == NULL ||
		privileges_check(config->identity_directory, PRIVILEGES_READ, config->user, detail)) &&
	       may_use_store(config, reach, detail);
}

// No reason not to start: a broker can be restarted in place of being told to reload.
static void tell_unreadable(const struct broker *broker)
{
	const char *paths[RELOADED_FILES] = {broker->config_path, broker->config->policy_file, broker->config->certificate,
					     broker->config->next_certificate};
	char detail[PRIVILEGES_DETAIL_BYTES];
	for (unsigned i = 0; i < RELOADED_FILES; i++)
		if (paths[i] != NULL && !privileges_check(paths[i], PRIVILEGES_READ, broker->config->user, detail))
			log_event(LOG_EVENT_RELOAD_IMPOSSIBLE, "SIGHUP will be refused: %s", detail);
}

static bool reach_of(const struct config *config, struct store_postgres_reach *ret, char detail[PROCESS_DETAIL_BYTES])
{
	*ret = (struct store_postgres_reach){.file_count = 0};
	return config->store_postgres == NULL || store_postgres_reach(config->store_postgres, ret, detail) == STORE_OK;
}

// The front has the network (front_process.c); the core reaches its database, if that is a PostgreSQL, and nothing else.
static void options_of(const struct config *config, const struct directories *directories, const struct store_postgres_reach *reach,
		       struct sandbox_options *ret)
{
	*ret = (struct sandbox_options){.mode = config->sandbox, .profile = SANDBOX_CORE, .network = SANDBOX_NO_NETWORK,
					.database = config->store_postgres != NULL, .database_port_count = reach->port_count,
					.database_is_local = reach->is_local, .database_by_name = reach->by_name};
	memcpy(ret->database_ports, reach->ports, reach->port_count * sizeof reach->ports[0]);
	for (; ret->path_count < directories->count; ret->path_count++)
		ret->paths[ret->path_count] = (struct sandbox_path){directories->paths[ret->path_count],
								    directories->writes[ret->path_count]};
}

bool process_confine_files(const struct broker *broker, char detail[PROCESS_DETAIL_BYTES])
{
	const struct config *config = broker->config;
	struct directories directories;
	struct store_postgres_reach reach;
	struct sandbox_options options;
	if (!reach_of(config, &reach, detail))
		return false;
	list_directories(broker, &reach, &directories);
	options_of(config, &directories, &reach, &options);
	if (!privileges_lock_memory(config->user))
		log_event(LOG_EVENT_MEMORY_NOT_LOCKED,
			  "%s may reach the swap space: raise the limit of locked memory to unlimited (LimitMEMLOCK=infinity), "
			  "or have no swap that is not encrypted",
			  key_memory_init() ? "what ciphers make of keys" : "keys");
	if (config->user != NULL)
		front_keeper_become(broker->keeper, config->user);
	if (!privileges_become(config->user, detail) ||
	    (config->user != NULL && !may_use_files(config, &directories, &reach, detail)))
		return false;
	if (config->user != NULL)
		tell_unreadable(broker);
	if (geteuid() == 0)
		log_event(LOG_EVENT_RUNS_AS_ROOT,
			  "the broker needs no rights of root: name a user in the configuration (user: NAME) that owns its store");
	return sandbox_told(sandbox_limit_files(&options, detail), "the core's files", detail);
}

bool process_confine_calls(const struct broker *broker, char detail[PROCESS_DETAIL_BYTES])
{
	struct directories none = {.count = 0};
	struct store_postgres_reach reach;
	struct sandbox_options options;
	if (!reach_of(broker->config, &reach, detail))
		return false;
	options_of(broker->config, &none, &reach, &options);
	return sandbox_told(sandbox_limit_calls(&options, detail), "the core's system calls", detail);
}
