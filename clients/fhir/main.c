// cpis-fhir: FHIR R4 over a broker, for an organisation's own systems (clients/fhir/README.md).
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/commands.h"
#include "clients/cli/profile.h"
#include "clients/fhir/route.h"
#include "clients/http/server.h"

#define PATH_BYTES 4352

// All that has to be given back.
struct program {
	struct configuration *configuration;
	struct profile *profile;
	struct tls *tls;
	struct server *server;
	struct facade facade;
};

static int complain(const char *what)
{
	fprintf(stderr, "cpis-fhir: %s\n", what);
	return EXIT_USAGE;
}

// Each worker is a client of its own, with a memory of the log of its own.
static bool connect_worker(struct program *program, unsigned number, char *detail)
{
	struct cpis_broker further[PROFILE_BROKERS_MAX];
	struct cpis_options options;
	char checkpoint[PATH_BYTES];
	profile_connect_options(program->profile, 0, &options);
	options.further_count = profile_further(program->profile, further);
	options.further = further;
	if (options.checkpoint_file != NULL) {
		snprintf(checkpoint, sizeof checkpoint, "%.4095s-%u", options.checkpoint_file, number);
		options.checkpoint_file = checkpoint;
	}
	return cpis_connect(&options, &program->facade.clients[number], detail) == CPIS_OK;
}

static bool connect_workers(struct program *program, char detail[CPIS_DETAIL_BYTES])
{
	program->facade.clients = calloc(program->configuration->worker_count, sizeof *program->facade.clients);
	bool connected = program->facade.clients != NULL && bearers_new(&program->facade.bearers);
	for (unsigned i = 0; connected && i < program->configuration->worker_count; i++)
		connected = connect_worker(program, i, detail);
	return connected;
}

static bool may_use_profile(const struct program *program, char *detail, size_t detail_bytes)
{
	if (program->profile->witness == NULL)
		return true;
	snprintf(detail, detail_bytes, "%.250s: `witness` is for the command cpis; leave it out", program->configuration->profile);
	return false;
}

static bool open_server(struct program *program, char *detail)
{
	const struct configuration *configuration = program->configuration;
	struct server_options options = {
		.address = configuration->address,
		.port = configuration->port,
		.browser_port = configuration->caller_port,
		.web_host = configuration->host,
		.tls = program->tls,
		.headers = call_headers,
		.refusal = call_server_refusal,
		.for_programs = true,
		.name = "cpis-fhir",
		.workers = configuration->worker_count,
		.handler = route_call,
		.afterwards = route_afterwards,
		.context = &program->facade,
	};
	return server_new(&options, &program->server, detail);
}

static int run(const char *path)
{
	char detail[1024] = "out of memory";
	struct program *program = calloc(1, sizeof *program);
	int code = EXIT_USAGE;
	if (program == NULL)
		return complain(detail);
	if (!configuration_load(path, &program->configuration, detail) ||
	    !profile_load(program->configuration->profile, &program->profile, detail) ||
	    !may_use_profile(program, detail, sizeof detail) ||
	    !tls_new(program->configuration->certificate, program->configuration->key, NULL, program->configuration->host, &program->tls, detail) ||
	    !connect_workers(program, detail)) {
		complain(detail);
	} else if (!open_server(program, detail)) {
		// Another program may let go of it.
		complain(detail);
		code = EXIT_RETRY;
	} else {
		program->facade.configuration = program->configuration;
		program->facade.base = server_origin(program->server);
		fprintf(stderr, "cpis-fhir: ready: %s\n", program->facade.base);
		code = server_run(program->server) ? EXIT_DONE : EXIT_FAILED;
	}
	server_free(program->server);
	for (unsigned i = 0; program->facade.clients != NULL && i < program->configuration->worker_count; i++)
		cpis_close(program->facade.clients[i]);
	free(program->facade.clients);
	bearers_free(program->facade.bearers);
	tls_free(program->tls);
	profile_free(program->profile);
	configuration_free(program->configuration);
	free(program);
	return code;
}

static void print_help(FILE *out)
{
	fprintf(out, "usage: cpis-fhir --config FILE\n\n"
		     "Answers FHIR searches until SIGTERM. clients/fhir/README.md describes the file.\n");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	const char *path = NULL;
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (option == 'h') {
			print_help(stdout);
			return EXIT_DONE;
		}
		if (option != 'c') {
			print_help(stderr);
			return EXIT_USAGE;
		}
		path = optarg;
	}
	if (path == NULL || optind != argc) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	return run(path);
}
