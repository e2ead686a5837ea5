// A bare HTTPS answer of so many bytes, by the server that cpis-fhir stands on: what is left of the facade's time when it does nothing.
//
// usage: plain CERTIFICATE KEY BYTES; as host localhost on any port, which it says
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/http/server.h"

static size_t bytes;

static void answer(void *context, unsigned worker, struct visit *visit)
{
	(void)context, (void)worker;
	visit->body = malloc(bytes + 1);
	if (visit->body == NULL)
		return;
	memset(visit->body, 'x', bytes);
	visit->body_bytes = bytes;
	visit->content_type = "application/fhir+json; charset=utf-8";
	visit->status = 200;
}

int main(int argc, char **argv)
{
	char detail[TLS_DETAIL_BYTES] = "";
	struct tls *tls = NULL;
	struct server *server = NULL;
	if (argc != 4 || !tls_new(argv[1], argv[2], NULL, "localhost", &tls, detail)) {
		fprintf(stderr, "usage: plain CERTIFICATE KEY BYTES %s\n", detail);
		return 2;
	}
	bytes = strtoul(argv[3], NULL, 10);
	const struct server_options options = {
		.address = "127.0.0.1",
		.web_host = "localhost",
		.tls = tls,
		.for_programs = true,
		.name = "plain",
		.workers = 2,
		.handler = answer,
	};
	if (!server_new(&options, &server, detail)) {
		fprintf(stderr, "plain: %s\n", detail);
		return 2;
	}
	fprintf(stderr, "plain: ready: %s\n", server_origin(server));
	bool ran = server_run(server);
	server_free(server);
	tls_free(tls);
	return ran ? 0 : 1;
}
