// cpis-web: web pages over a broker, for an organisation's own staff (clients/web/README.md).
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "certs/identity.h"
#include "clients/cli/commands.h"
#include "clients/cli/profile.h"
#include "clients/cli/worker_clients.h"
#include "clients/http/assets.h"
#include "clients/web/page.h"
#include "clients/web/route.h"
#include "clients/http/server.h"

#define PATH_BYTES 4352

// All that has to be given back.
struct program {
	struct settings *settings;
	struct profile *profile;
	struct templates *templates;
	struct assets *assets;
	struct tls *tls;
	struct server *server;
	struct gateway gateway;
	char host_and_port[320];
	struct system_identity system;
};

static int complain(const char *what)
{
	fprintf(stderr, "cpis-web: %s\n", what);
	return EXIT_USAGE;
}

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

// ------------------------------------------------------------------ setting up

static bool read_system(struct program *program, char *detail, size_t detail_bytes)
{
	char why[CERTS_DETAIL_BYTES] = "";
	struct trust *trust = NULL;
	bool known = trust_load(program->profile->trust_directory, &trust, why) == CERTS_OK &&
		     trust_verify_system_file(trust, program->profile->system_certificate, now_ms(), &program->system, why) == CERTS_OK;
	trust_free(trust);
	if (!known)
		snprintf(detail, detail_bytes, "%s", why);
	else if (program->system.web_host[0] == '\0')
		snprintf(detail, detail_bytes, "%.250s: names no web host; have it issued with `cpis certs issue-system --web-host HOST`",
			 program->profile->system_certificate);
	return known && program->system.web_host[0] != '\0';
}

static bool connect_workers(struct program *program, char detail[CPIS_DETAIL_BYTES])
{
	unsigned count = program->settings->worker_count;
	program->gateway.clients = worker_clients_connect(program->profile, program->settings->profile, count, detail);
	program->gateway.arenas = calloc(count, sizeof *program->gateway.arenas);
	bool made = program->gateway.clients != NULL && program->gateway.arenas != NULL;
	for (unsigned i = 0; made && i < count; i++)
		made = arena_init(&program->gateway.arenas[i], PAGE_ARENA_BYTES);
	return made;
}

static bool load_share(struct program *program, char *detail)
{
	char path[PATH_BYTES];
	const char *share = program->settings->share_directory == NULL ? CPIS_WEB_SHARE : program->settings->share_directory;
	snprintf(path, sizeof path, "%.4095s/templates", share);
	if (!templates_load(path, &program->templates, detail))
		return false;
	snprintf(path, sizeof path, "%.4095s/assets", share);
	return assets_load(path, &program->assets, detail);
}

static bool open_tls(struct program *program, char *detail)
{
	char staff_ca[PATH_BYTES];
	snprintf(staff_ca, sizeof staff_ca, "%.4095s/staff-ca.pem", program->profile->trust_directory);
	return tls_new(program->settings->web_certificate, program->settings->web_key, staff_ca, program->system.web_host, &program->tls,
		       detail);
}

static bool open_server(struct program *program, char *detail)
{
	const struct settings *settings = program->settings;
	struct server_options options = {
		.address = settings->address,
		.port = settings->port,
		.browser_port = settings->browser_port,
		.web_host = program->system.web_host,
		.tls = program->tls,
		.assets = program->assets,
		.name = "cpis-web",
		.workers = settings->worker_count,
		.handler = route_visit,
		.afterwards = route_afterwards,
		.context = &program->gateway,
	};
	return server_new(&options, &program->server, detail);
}

static void tie(struct program *program)
{
	struct gateway *gateway = &program->gateway;
	gateway->settings = program->settings;
	gateway->templates = program->templates;
	gateway->assets = program->assets;
	gateway->web_host = program->system.web_host;
	gateway->origin = server_origin(program->server);
	gateway->host_and_port = gateway->origin + strlen("https://");
}

static int run(const char *path)
{
	char detail[1024] = "out of memory";
	struct program *program = calloc(1, sizeof *program);
	int code = EXIT_USAGE;
	if (program == NULL)
		return complain(detail);
	if (!settings_load(path, &program->settings, detail) || !profile_load(program->settings->profile, &program->profile, detail) ||
	    !read_system(program, detail, sizeof detail) ||
	    !sealer_init(&program->gateway.sealer, program->settings->sealing_key, detail, sizeof detail) || !load_share(program, detail) ||
	    !staff_load(program->settings->staff_directory, program->profile->trust_directory, now_ms(), &program->gateway.staff, detail) ||
	    !open_tls(program, detail) || !connect_workers(program, detail) || !open_server(program, detail)) {
		complain(detail);
	} else {
		tie(program);
		fprintf(stderr, "cpis-web: ready: %s, %zu passkeys known\n", program->gateway.origin, staff_count(program->gateway.staff));
		code = server_run(program->server) ? EXIT_DONE : EXIT_FAILED;
	}
	server_free(program->server);
	unsigned count = program->settings == NULL ? 0 : program->settings->worker_count;
	worker_clients_close(program->gateway.clients, count);
	for (unsigned i = 0; program->gateway.arenas != NULL && i < count; i++)
		arena_done(&program->gateway.arenas[i]);
	free(program->gateway.arenas);
	sealer_done(&program->gateway.sealer);
	staff_free(program->gateway.staff);
	tls_free(program->tls);
	assets_free(program->assets);
	templates_free(program->templates);
	profile_free(program->profile);
	settings_free(program->settings);
	free(program);
	return code;
}

static void print_help(FILE *out)
{
	fprintf(out, "usage: cpis-web --config FILE | --describe settings | --version | --help\n\n"
		     "Serves the web pages until SIGTERM. cpis-web.yaml(5) describes the file; --describe settings lists its keys.\n");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
						{"describe", required_argument, NULL, 'd'},
						{"version", no_argument, NULL, 'v'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	const char *path = NULL;
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (option == 'h') {
			print_help(stdout);
			return EXIT_DONE;
		}
		if (option == 'v') {
			puts("cpis-web " CPIS_VERSION);
			return EXIT_DONE;
		}
		if (option == 'd' && strcmp(optarg, "settings") == 0) {
			settings_describe(stdout);
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
