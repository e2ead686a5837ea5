// Further brokers beside a world's own.
#include "tests/harness/world_brokers.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/harness/world_client.h"
#include "tests/harness/world_priv.h"

struct world_broker {
	struct world *world;
	char name[64], endpoint[64], certificate[WORLD_PATH_BYTES];
	pid_t process; // 0: not running
};

static void must(struct world *world, int code, const char *what)
{
	if (code != 0)
		world_fail(world, "%s: exit %d", what, code);
}

// A client's profile without a person, to ask for a sign of life with.
static void write_profile(struct world_broker *broker)
{
	char text[2048];
	snprintf(text, sizeof text,
		 "endpoint: %s\nbroker_name: %s\nbroker_certificate: ../brokers/%s.pem\ntrust_directory: ../authority/trust\n"
		 "system_certificate: ../systems/leeds.pem\nsystem_key: ../systems/leeds.key\n",
		 broker->endpoint, broker->name, broker->name);
	world_write_file(world_path(broker->world, "profiles/at-%s.yaml", broker->name), text);
}

static void write_config(struct world_broker *broker, const char *store)
{
	char text[4096];
	snprintf(text, sizeof text,
		 "broker_name: %s\nendpoint: %s\ncertificate: brokers/%s.pem\nkey: brokers/%s.key\n"
		 "log_key: authority/broker/log.key\ntrust_directory: authority/trust\nenrolled_directory: authority/enrolled\n"
		 "register_file: register.yaml\npolicy_file: policy.yaml\n%s",
		 broker->name, broker->endpoint, broker->name, broker->name, store);
	world_write_file(world_path(broker->world, "broker-%s.yaml", broker->name), text);
}

static void use_file(struct world_broker *broker)
{
	char store[256];
	snprintf(store, sizeof store, "store_file: brokers/%s.db\nstore_key: brokers/%s.store.key\n", broker->name, broker->name);
	write_config(broker, store);
}

void world_broker_use_postgres(struct world_broker *broker, const char *conninfo)
{
	char store[2200];
	snprintf(store, sizeof store, "store_postgres: %s\nstore_lone_server: yes\nstore_key: store.key\n", conninfo);
	write_config(broker, store);
}

struct world_broker *world_broker_new(struct world *world, const char *name)
{
	char program[WORLD_PATH_BYTES];
	struct world_broker *broker = calloc(1, sizeof *broker);
	if (broker == NULL)
		world_fail(world, "no memory");
	broker->world = world;
	snprintf(broker->name, sizeof broker->name, "%s", name);
	snprintf(broker->certificate, sizeof broker->certificate, "%s", world_path(world, "brokers/%s.pem", name));
	world_choose_endpoint(broker->endpoint);
	must(world,
	     world_cpis(world, NULL, "certs", "issue-broker", "--dir", world_path(world, "authority"), "--broker-name", name,
			"--out", world_path(world, "brokers"), "--file", name, NULL),
	     "cpis certs issue-broker");
	snprintf(program, sizeof program, "%s/cpis-broker", world->build);
	const char *arguments[] = {program, "--make-store-key", world_path(world, "brokers/%s.store.key", name), NULL};
	must(world, world_command(world, arguments), "cpis-broker --make-store-key");
	use_file(broker);
	write_profile(broker);
	return broker;
}

void world_broker_start(struct world_broker *broker)
{
	char program[WORLD_PATH_BYTES], profile[80];
	struct world *world = broker->world;
	snprintf(program, sizeof program, "%s/cpis-broker", world->build);
	snprintf(profile, sizeof profile, "at-%s", broker->name);
	const char *arguments[] = {program, world_path(world, "broker-%s.yaml", broker->name), NULL};
	const char *log = world_path(world, "broker-%s.log", broker->name);
	broker->process = world_launch(world, arguments, NULL, log);
	must(world, world_cpis(world, profile, "ping", "--timeout", "30000", NULL), "cpis ping at a further broker");
}

static int end(struct world_broker *broker, int signal_number)
{
	int status = 0;
	kill(broker->process, signal_number);
	if (!world_reap(broker->world, broker->process, WORLD_WAIT_MS, &status))
		world_fail(broker->world, "%s did not end", broker->name);
	broker->process = 0;
	return status;
}

void world_broker_stop(struct world_broker *broker)
{
	int status = end(broker, SIGTERM);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		world_fail(broker->world, "%s ended with status %d", broker->name, status);
}

void world_broker_kill(struct world_broker *broker)
{
	(void)end(broker, SIGKILL);
}

void world_broker_free(struct world_broker *broker)
{
	if (broker == NULL)
		return;
	if (broker->process != 0)
		world_broker_kill(broker);
	free(broker);
}

struct cpis_broker world_broker_known(const struct world_broker *broker)
{
	return (struct cpis_broker){broker->endpoint, broker->name, broker->certificate};
}

const char *world_broker_endpoint(const struct world_broker *broker)
{
	return broker->endpoint;
}

pid_t world_broker_process(const struct world_broker *broker)
{
	return broker->process;
}

void world_broker_configure(struct world_broker *broker, const char *lines)
{
	char text[8192];
	const char *path = world_path(broker->world, "broker-%s.yaml", broker->name);
	char *before = world_read_file(path, NULL);
	snprintf(text, sizeof text, "%s%s", before, lines);
	free(before);
	world_write_file(path, text);
}

struct cpis_client *world_broker_sign_in(struct world_broker *broker, const char *profile)
{
	struct world *world = broker->world;
	struct cpis_options options = world_options(world, profile);
	options.endpoint = broker->endpoint;
	options.broker_name = broker->name;
	options.broker_certificate = broker->certificate;
	struct cpis_client *client = NULL;
	const Cpis__V1__Reply *reply = NULL;
	char detail[CPIS_DETAIL_BYTES] = "";
	if (cpis_connect(&options, &client, detail) != CPIS_OK)
		world_fail(world, "%s cannot connect to %s: %s", profile, broker->name, detail);
	if (cpis_session_open(client, world_path(world, "staff/%s.pem", profile), world_path(world, "staff/%s.key", profile),
			      world_person(profile)->role, WORLD_CALL_MS, &reply) != CPIS_OK ||
	    reply->outcome != CPIS__V1__OUTCOME__OK)
		world_fail(world, "%s has no session at %s: %s", profile, broker->name,
			   reply == NULL ? cpis_detail(client) : reply->reason_code);
	cpis_reply_free(reply);
	return client;
}

void world_brokers_in_profile(struct world *world, const char *profile, struct world_broker *const *brokers, size_t count)
{
	char text[8192];
	const char *path = world_path(world, "profiles/%s.yaml", profile);
	char *before = world_read_file(path, NULL);
	size_t used = (size_t)snprintf(text, sizeof text, "%sbrokers:\n", before);
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, sizeof text - used,
					 "  - {endpoint: \"%s\", broker_name: %s, broker_certificate: ../brokers/%s.pem,\n"
					 "     checkpoint_file: %s-at-%s.checkpoint}\n",
					 brokers[i]->endpoint, brokers[i]->name, brokers[i]->name, profile, brokers[i]->name);
	if (used >= sizeof text)
		world_fail(world, "a profile is too long");
	world_write_file(path, text);
	free(before);
}

void world_first_in_profile(struct world *world, const char *profile, const struct cpis_broker *first, const struct cpis_broker *further,
			    size_t count)
{
	char text[8192];
	const char *path = world_path(world, "profiles/%s.yaml", profile);
	char *before = world_read_file(path, NULL), *rest = before, *line;
	size_t used = (size_t)snprintf(text, sizeof text, "endpoint: %s\nbroker_name: %s\nbroker_certificate: %s\n", first->endpoint,
				       first->broker_name, first->broker_certificate);
	while ((line = strsep(&rest, "\n")) != NULL)
		if (strncmp(line, "endpoint:", 9) != 0 && strncmp(line, "broker", 6) != 0 && strncmp(line, "share_log:", 10) != 0 &&
		    strncmp(line, "  - ", 4) != 0)
			used += (size_t)snprintf(text + used, sizeof text - used, "%s\n", line);
	used += (size_t)snprintf(text + used, sizeof text - used, "%s", count > 0 ? "share_log: yes\nbrokers:\n" : "");
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, sizeof text - used,
					 "  - {endpoint: \"%s\", broker_name: %s, broker_certificate: %s}\n", further[i].endpoint,
					 further[i].broker_name, further[i].broker_certificate);
	if (used >= sizeof text)
		world_fail(world, "a profile is too long");
	world_write_file(path, text);
	free(before);
}
