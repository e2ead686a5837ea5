// /metrics, /healthz and /readyz, by libevent's HTTP server.
#include "broker/metrics_process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "broker/clock.h"
#include "broker/front_keeper.h"
#include "broker/log.h"
#include "broker/metrics_board.h"
#include "broker/metrics_text.h"
#include "broker/sandbox.h"

#define SILENCE_S 5
#define HEADERS_BYTES_MAX 4096
// Connections and what the process itself has: who opens more waits.
#define DESCRIPTORS 64u
#define FULL_MS 100000 // us

struct server {
	const struct metrics_board *board;
	struct metrics metrics;
	struct event_base *base;
	struct evhttp *http;
	struct evconnlistener *listener;
	struct event *again;
};

// ------------------------------------------------------------------ answers

static bool is_alive(const struct server *server)
{
	uint64_t alive_ms = metrics_board_alive_ms(server->board), now_ms = clock_monotonic_ms();
	return alive_ms != 0 && (now_ms < alive_ms || now_ms - alive_ms < METRICS_ALIVE_MS);
}

// Takes `text`, which is freed with the answer.
static void send_text(struct evhttp_request *request, int status, const char *type, char *text, size_t bytes)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	struct evbuffer *body = evbuffer_new();
	bool whole = body != NULL && evbuffer_add(body, text, bytes) == 0 && evhttp_add_header(headers, "Content-Type", type) == 0 &&
		     evhttp_add_header(headers, "Cache-Control", "no-store") == 0;
	if (whole)
		evhttp_send_reply(request, status, NULL, body);
	else
		evhttp_send_error(request, HTTP_INTERNAL, NULL);
	if (body != NULL)
		evbuffer_free(body);
	free(text);
}

static void answer_metrics(struct server *server, struct evhttp_request *request, const struct metrics *metrics, FILE *out, char **text,
			   const size_t *bytes)
{
	metrics_text_write(metrics, is_alive(server), out);
	fclose(out);
	send_text(request, HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", *text, *bytes);
}

static void on_request(struct evhttp_request *request, void *context)
{
	struct server *server = context;
	const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);
	if (out == NULL || path == NULL) {
		if (out != NULL)
			fclose(out);
		free(text);
		evhttp_send_error(request, HTTP_INTERNAL, NULL);
		return;
	}
	const struct metrics *metrics = metrics_board_get(server->board, &server->metrics) ? &server->metrics : NULL;
	if (strcmp(path, "/metrics") == 0) {
		answer_metrics(server, request, metrics, out, &text, &bytes);
		return;
	}
	int status = HTTP_OK;
	if (strcmp(path, "/healthz") == 0) {
		status = is_alive(server) ? HTTP_OK : HTTP_SERVUNAVAIL;
		fprintf(out, "%s\n", status == HTTP_OK ? "alive" : "stalled: the core has made no progress for five seconds");
	} else if (strcmp(path, "/readyz") == 0) {
		status = metrics_text_ready(metrics, is_alive(server), out) ? HTTP_OK : HTTP_SERVUNAVAIL;
	} else {
		status = HTTP_NOTFOUND;
		fprintf(out, "there are /metrics, /healthz and /readyz\n");
	}
	fclose(out);
	send_text(request, status, "text/plain; charset=utf-8", text, bytes);
}

// ------------------------------------------------------------------ too many connections

static void on_again(evutil_socket_t fd, short what, void *context)
{
	struct server *server = context;
	(void)fd, (void)what;
	evconnlistener_enable(server->listener);
}

// Whoever is there waits until others have gone, in place of being asked for again at once.
static void on_full(struct evconnlistener *listener, void *context)
{
	struct server *server = context;
	static const struct timeval wait = {.tv_usec = FULL_MS};
	evconnlistener_disable(listener);
	evtimer_add(server->again, &wait);
}

// ------------------------------------------------------------------ start

// libevent's own remarks, which may name a peer's bytes, are nobody's.
static void ignore_remark(int severity, const char *message)
{
	(void)severity, (void)message;
}

static bool open_server(struct server *server)
{
	const struct rlimit descriptors = {DESCRIPTORS, DESCRIPTORS};
	event_set_log_callback(ignore_remark);
	signal(SIGPIPE, SIG_IGN);
	if (setrlimit(RLIMIT_NOFILE, &descriptors) != 0)
		return false;
	server->base = event_base_new();
	server->http = server->base == NULL ? NULL : evhttp_new(server->base);
	server->again = server->base == NULL ? NULL : evtimer_new(server->base, on_again, server);
	if (server->http == NULL || server->again == NULL)
		return false;
	evhttp_set_allowed_methods(server->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	evhttp_set_max_headers_size(server->http, HEADERS_BYTES_MAX);
	evhttp_set_max_body_size(server->http, 0);
	evhttp_set_timeout(server->http, SILENCE_S);
	evhttp_set_gencb(server->http, on_request, server);
	// It listens already; evhttp says what becomes of a connection.
	server->listener = evconnlistener_new(server->base, NULL, NULL, LEV_OPT_CLOSE_ON_EXEC, 0, FRONT_DESCRIPTOR);
	if (server->listener == NULL || evhttp_bind_listener(server->http, server->listener) == NULL)
		return false;
	evconnlistener_set_error_cb(server->listener, on_full);
	return true;
}

static bool confine(const struct server *server, char detail[SANDBOX_DETAIL_BYTES])
{
	const struct sandbox_options options = {
		.mode = metrics_board_sandbox(server->board), .profile = SANDBOX_FRONT, .network = SANDBOX_ACCEPTS};
	return sandbox_told(sandbox_limit_files(&options, detail), "the metrics' files", detail) &&
	       sandbox_told(sandbox_limit_calls(&options, detail), "the metrics' system calls", detail);
}

int metrics_process_run(void)
{
	static struct server server;
	char detail[SANDBOX_DETAIL_BYTES] = "";
	prctl(PR_SET_NAME, "cpis-metrics", 0, 0, 0);
	log_open("metrics");
	server.board = metrics_board_map(FRONT_DESCRIPTOR + 1);
	if (server.board == NULL) {
		log_event(LOG_EVENT_METRICS_DIED, "only a broker starts this process, and this one was given nothing by it");
		return 1;
	}
	log_set_format(metrics_board_log_format(server.board));
	if (!open_server(&server) || !confine(&server, detail)) {
		log_event(LOG_EVENT_METRICS_DIED, "it cannot serve: %s", detail[0] == '\0' ? "no memory" : detail);
		return 1;
	}
	return event_base_dispatch(server.base) == 0 ? 0 : 1;
}
