// The HTTP side, by libevent's evhttp: one thread that accepts, reads, and writes; what a request means is a worker's work. Files that
// every page needs are answered here from memory. HTTP/1.1 over TLS only.
#ifndef CPIS_HTTP_SERVER_H
#define CPIS_HTTP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "clients/http/assets.h"
#include "clients/http/tls.h"
#include "clients/http/visit.h"

// Bounds of what a browser may send and hold.
#define SERVER_BODY_BYTES_MAX 65536
#define SERVER_HEADER_BYTES_MAX 24576
#define SERVER_CONNECTIONS_MAX 1000u
#define SERVER_QUEUE_MAX 256u          // visits that wait for a worker
#define SERVER_IDLE_S 30               // a connection on which nothing is asked is closed

#define SERVER_DETAIL_BYTES 200

// What to do with a visit: on a worker's thread, number 0 to `workers` - 1. Fills in the answer.
typedef void server_handler(void *context, unsigned worker, struct visit *visit);

// On the same thread, when the answer is on its way: what nobody should have to wait for.
typedef void server_afterwards(void *context, unsigned worker);

// What is answered without a worker: `sentence` in the program's own form, malloc'd; NULL: as text.
typedef char *server_refusal(int status, const char *sentence, const char **ret_content_type);

struct server_options {
	const char *address;
	uint16_t port;                 // 0: any
	uint16_t browser_port;         // 0: the one that is listened on
	const char *web_host;
	struct tls *tls;
	const struct assets *assets;   // NULL: there are none
	const char *const *headers;    // names of those that visits are to have, up to a NULL; NULL: none
	server_refusal *refusal;       // NULL: the sentence as text
	bool for_programs;             // not for browsers: nothing may be shown of an answer, or run
	const char *name;              // of the program
	unsigned workers;
	server_handler *handler;
	server_afterwards *afterwards; // NULL: nothing
	void *context;
};

struct server;
__attribute__((warn_unused_result)) bool server_new(const struct server_options *options, struct server **ret,
						     char detail[SERVER_DETAIL_BYTES]);
uint16_t server_port(const struct server *server);
// "https://<web host>", with the port where it is not 443. Borrowed.
const char *server_origin(const struct server *server);
// Until SIGTERM or SIGINT: then nothing new is accepted, and what was begun is answered. False: could not begin.
__attribute__((warn_unused_result)) bool server_run(struct server *server);
void server_free(struct server *server); // accepts NULL

#endif
