// cpis-fhir: FHIR R4 over a broker, for an organisation's own systems (clients/fhir/README.md).
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/commands.h"
#include "clients/cli/profile.h"
#include "clients/cli/worker_clients.h"
#include "clients/fhir/route.h"
#include "clients/http/server.h"

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

static bool connect_workers(struct program *program, char detail[CPIS_DETAIL_BYTES])
{
	program->facade.clients = worker_clients_connect(program->profile, program->configuration->profile, program->configuration->worker_count, detail);
	return program->facade.clients != NULL && bearers_new(&program->facade.bearers);
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
	if (program->configuration != NULL)
		worker_clients_close(program->facade.clients, program->configuration->worker_count);
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
