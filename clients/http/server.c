// The server's thread: connections, reading, files, writing. By libevent.
#include "clients/http/server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <systemd/sd-daemon.h>

#include "clients/http/visit_priv.h"
#include "clients/http/workers.h"
#include "proto/text.h"

struct server {
	struct server_options options;
	char origin[320], host[320], proof_sources[340];
	uint16_t port;
	struct event_base *base;
	struct evhttp *http;
	struct event *done, *terminate, *interrupt;
	struct event *alive;           // feeds systemd's watchdog, where there is one
	int done_fd;
	struct workers *workers;
	unsigned unanswered;
	bool stopping;
};

static uint64_t now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

// ------------------------------------------------------------------ answering

static void add(struct evhttp_request *request, const char *name, const char *value)
{
	// libevent refuses values with line breaks.
	(void)evhttp_add_header(evhttp_request_get_output_headers(request), name, value);
}

static void add_policies(const struct server *server, struct evhttp_request *request)
{
	char policy[900];
	if (server->options.for_programs) {
		add(request, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
		add(request, "X-Content-Type-Options", "nosniff");
		add(request, "Referrer-Policy", "no-referrer");
		add(request, "Strict-Transport-Security", "max-age=31536000; includeSubDomains");
		return;
	}
	snprintf(policy, sizeof policy,
		 "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self' %s %s; "
		 "base-uri 'none'; frame-ancestors 'none'",
		 server->origin, server->proof_sources);
	add(request, "Content-Security-Policy", policy);
	add(request, "X-Content-Type-Options", "nosniff");
	add(request, "X-Frame-Options", "DENY");
	// Not no-referrer: browsers would then say "null" in place of the Origin that forms are told by. No path is ever sent.
	add(request, "Referrer-Policy", "strict-origin");
	add(request, "Strict-Transport-Security", "max-age=31536000; includeSubDomains");
	add(request, "Cross-Origin-Opener-Policy", "same-origin");
	add(request, "Cross-Origin-Resource-Policy", "same-origin");
	add(request, "Permissions-Policy", "publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), geolocation=(), microphone=()");
}

static void send_plain(const struct server *server, struct evhttp_request *request, int status, const char *text)
{
	struct evbuffer *body = evbuffer_new();
	const char *type = "text/plain; charset=utf-8";
	char *formed = server->options.refusal == NULL ? NULL : server->options.refusal(status, text, &type);
	if (body != NULL)
		evbuffer_add_printf(body, "%s\n", formed == NULL ? text : formed);
	free(formed);
	add_policies(server, request);
	add(request, "Cache-Control", "no-store");
	add(request, "Content-Type", type);
	evhttp_send_reply(request, status, NULL, body);
	if (body != NULL)
		evbuffer_free(body);
}

static void send_asset(const struct server *server, struct evhttp_request *request, const struct asset *asset)
{
	const char *accepted = evhttp_find_header(evhttp_request_get_input_headers(request), "Accept-Encoding");
	bool packed = asset->packed != NULL && accepted != NULL && strstr(accepted, "gzip") != NULL;
	struct evbuffer *body = evbuffer_new();
	add_policies(server, request);
	add(request, "Content-Type", asset->content_type);
	add(request, "Cache-Control", "public, max-age=31536000, immutable");
	add(request, "Vary", "Accept-Encoding");
	if (packed)
		add(request, "Content-Encoding", "gzip");
	if (body == NULL || evbuffer_add_reference(body, packed ? asset->packed : asset->bytes,
						   packed ? asset->packed_bytes : asset->bytes_count, NULL, NULL) != 0)
		evhttp_send_error(request, HTTP_INTERNAL, NULL);
	else
		evhttp_send_reply(request, HTTP_OK, NULL, body);
	if (body != NULL)
		evbuffer_free(body);
}

static void free_body(const void *data, size_t bytes, void *unused)
{
	(void)unused;
	explicit_bzero((void *)(uintptr_t)data, bytes);
	free((void *)(uintptr_t)data);
}

static void add_answer_headers(const struct visit *visit, struct evhttp_request *request)
{
	char text[160];
	add(request, "Cache-Control", "no-store");
	if (visit->content_type != NULL)
		add(request, "Content-Type", visit->content_type);
	if (visit->file_name != NULL) {
		snprintf(text, sizeof text, "attachment; filename=\"%.100s\"", visit->file_name);
		add(request, "Content-Disposition", text);
	}
	if (visit->location != NULL)
		add(request, "Location", visit->location);
	for (size_t i = 0; i < VISIT_COOKIES_MAX; i++)
		if (visit->cookie[i] != NULL)
			add(request, "Set-Cookie", visit->cookie[i]);
	for (size_t i = 0; i < visit->answers_count; i++)
		add(request, visit->answers[i].name, visit->answers[i].value);
	snprintf(text, sizeof text, "broker;dur=%.3f, total;dur=%.3f", (double)visit->broker_us / 1000.0,
		 (double)(now_us() - visit->started_us) / 1000.0);
	add(request, "Server-Timing", text);
}

static void send_answer(const struct server *server, struct visit *visit)
{
	struct evhttp_request *request = visit->connection;
	char text[120];
	if (visit->status == 0) {
		snprintf(text, sizeof text, "%s: this answer could not be made.", server->options.name);
		send_plain(server, request, HTTP_INTERNAL, text);
		return;
	}
	struct evbuffer *body = evbuffer_new();
	add_policies(server, request);
	add_answer_headers(visit, request);
	if (body != NULL && visit->body != NULL &&
	    evbuffer_add_reference(body, visit->body, visit->body_bytes, free_body, NULL) == 0)
		visit->body = NULL;
	evhttp_send_reply(request, visit->status, NULL, body);
	if (body != NULL)
		evbuffer_free(body);
}

static void stop_when_idle(struct server *server)
{
	if (server->stopping && server->unanswered == 0)
		event_base_loopexit(server->base, NULL);
}

static void on_done(evutil_socket_t fd, short what, void *context)
{
	struct server *server = context;
	uint64_t count;
	(void)what;
	if (read(fd, &count, sizeof count) < 0 && errno != EAGAIN)
		return;
	for (struct visit *visit; (visit = workers_done(server->workers)) != NULL; visit_free(visit)) {
		send_answer(server, visit);
		server->unanswered--;
	}
	stop_when_idle(server);
}

// ------------------------------------------------------------------ asking

static bool copy(const uint8_t *data, size_t bytes, uint8_t **ret, size_t *ret_bytes)
{
	if (bytes == 0)
		return true;
	*ret = malloc(bytes);
	if (*ret == NULL)
		return false;
	memcpy(*ret, data, bytes);
	*ret_bytes = bytes;
	return true;
}

static bool take_peer(struct visit *visit, struct evhttp_request *request)
{
	struct bufferevent *stream = evhttp_connection_get_bufferevent(evhttp_request_get_connection(request));
	const struct ssl_st *ssl = bufferevent_openssl_get_ssl(stream);
	struct tls_peer peer;
	if (ssl == NULL)
		return false;
	tls_peer(ssl, &peer);
	memcpy(visit->label, peer.label, sizeof visit->label);
	return copy(peer.transcript, peer.transcript_bytes, &visit->transcript, &visit->transcript_bytes) &&
	       copy(peer.certificate, peer.certificate_bytes, &visit->certificate, &visit->certificate_bytes);
}

static bool take_form(struct visit *visit, struct evhttp_request *request)
{
	struct evbuffer *input = evhttp_request_get_input_buffer(request);
	size_t bytes = evbuffer_get_length(input);
	const char *type = evhttp_find_header(evhttp_request_get_input_headers(request), "Content-Type");
	if (bytes == 0)
		return true;
	if (type == NULL || strncmp(type, "application/x-www-form-urlencoded", 33) != 0)
		return false;
	char *text = malloc(bytes + 1);
	if (text == NULL || evbuffer_remove(input, text, bytes) != (int)bytes) {
		free(text);
		return false;
	}
	text[bytes] = '\0';
	visit->form = visit_fields_parse(text);
	explicit_bzero(text, bytes);
	free(text);
	return visit->form != NULL;
}

static void take_header(struct evhttp_request *request, const char *name, char *out, size_t out_bytes)
{
	const char *value = evhttp_find_header(evhttp_request_get_input_headers(request), name);
	snprintf(out, out_bytes, "%s", value == NULL || strlen(value) >= out_bytes ? "" : value);
}

static bool take_wanted(const char *const *names, struct visit *visit, struct evhttp_request *request)
{
	if (names == NULL)
		return true;
	visit->headers = calloc(1, sizeof *visit->headers);
	if (visit->headers == NULL)
		return false;
	TAILQ_INIT(&visit->headers->list);
	for (; *names != NULL; names++) {
		const char *value = evhttp_find_header(evhttp_request_get_input_headers(request), *names);
		if (value != NULL && evhttp_add_header(&visit->headers->list, *names, value) != 0)
			return false;
	}
	return true;
}

static bool take(const struct server *server, struct visit *visit, struct evhttp_request *request)
{
	const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));
	const char *cookies = evhttp_find_header(evhttp_request_get_input_headers(request), "Cookie");
	if (path == NULL || strlen(path) >= sizeof visit->path || !text_is_clean(path, strlen(path)))
		return false;
	snprintf(visit->path, sizeof visit->path, "%s", path);
	take_header(request, "Origin", visit->origin, sizeof visit->origin);
	take_header(request, "Sec-Fetch-Site", visit->fetch_site, sizeof visit->fetch_site);
	visit->cookies = cookies == NULL ? NULL : strdup(cookies);
	visit->query = visit_fields_parse(evhttp_uri_get_query(evhttp_request_get_evhttp_uri(request)));
	visit->is_post = evhttp_request_get_command(request) == EVHTTP_REQ_POST;
	visit->started_us = now_us();
	return take_wanted(server->options.headers, visit, request) && take_peer(visit, request) && (!visit->is_post || take_form(visit, request));
}

// The name in the request is the one that the connection was made to, so that no other site's name reaches a page of ours.
static bool is_our_host(const struct server *server, struct evhttp_request *request, const char *label)
{
	const char *host = evhttp_find_header(evhttp_request_get_input_headers(request), "Host");
	size_t length = strlen(label);
	if (host == NULL)
		return false;
	if (length == 0)
		return strcmp(host, server->host) == 0;
	return strncmp(host, label, length) == 0 && host[length] == '.' && strcmp(host + length + 1, server->host) == 0;
}

static bool answer_asset(const struct server *server, struct evhttp_request *request)
{
	static const char prefix[] = "/assets/";
	const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));
	if (server->options.assets == NULL || evhttp_request_get_command(request) != EVHTTP_REQ_GET || path == NULL || strncmp(path, prefix, sizeof prefix - 1) != 0)
		return false;
	const struct asset *asset = assets_find(server->options.assets, path + sizeof prefix - 1);
	if (asset == NULL)
		send_plain(server, request, HTTP_NOTFOUND, "There is no such file.");
	else
		send_asset(server, request, asset);
	return true;
}

static void on_request(struct evhttp_request *request, void *context)
{
	struct server *server = context;
	if (answer_asset(server, request))
		return;
	struct visit *visit = calloc(1, sizeof *visit);
	if (visit == NULL || !take(server, visit, request)) {
		send_plain(server, request, HTTP_BADREQUEST, "This request cannot be read.");
	} else if (!is_our_host(server, request, visit->label)) {
		send_plain(server, request, 421, "This is another host's page.");
	} else {
		visit->connection = request;
		if (workers_give(server->workers, visit)) {
			server->unanswered++;
			return;
		}
		add(request, "Retry-After", "2");
		send_plain(server, request, HTTP_SERVUNAVAIL, "Too many people are asking at this moment: try again in a few seconds.");
	}
	visit_free(visit);
}

// ------------------------------------------------------------------ connections

// libevent would go on without TLS where there is no stream, so one that is refused gets a stream that is closed.
static struct bufferevent *on_connection(struct event_base *base, void *context)
{
	struct server *server = context;
	struct ssl_st *ssl = tls_accept(server->options.tls, SERVER_CONNECTIONS_MAX);
	struct bufferevent *stream = ssl == NULL ? NULL
						 : bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (stream == NULL) {
		tls_release(ssl);
		struct bufferevent *pair[2];
		if (bufferevent_pair_new(base, 0, pair) != 0)
			abort(); // no memory for a few bytes: nothing safe can be done
		bufferevent_free(pair[1]);
		return pair[0];
	}
	bufferevent_openssl_set_allow_dirty_shutdown(stream, 1);
	return stream;
}

static void on_signal(evutil_socket_t signal, short what, void *context)
{
	struct server *server = context;
	(void)signal;
	(void)what;
	if (server->stopping)
		return;
	server->stopping = true;
	sd_notify(0, "STOPPING=1");
	evhttp_set_gencb(server->http, NULL, NULL);
	stop_when_idle(server);
}

// ------------------------------------------------------------------ setting up

static bool name_origin(struct server *server)
{
	static const int yes = 1;
	struct sockaddr_storage bound;
	socklen_t bytes = sizeof bound;
	struct evhttp_bound_socket *socket =
		evhttp_bind_socket_with_handle(server->http, server->options.address, server->options.port);
	evutil_socket_t listening = socket == NULL ? -1 : evhttp_bound_socket_get_fd(socket);
	// A head and its body go out as two records: without this, which connections inherit, the second waits for the caller's
	// acknowledgement of the first, which callers hold back for 40 ms.
	if (listening < 0 || setsockopt(listening, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0 ||
	    getsockname(listening, (struct sockaddr *)&bound, &bytes) != 0)
		return false;
	server->port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&bound)->sin6_port
							  : ((struct sockaddr_in *)(void *)&bound)->sin_port);
	unsigned port = server->options.browser_port == 0 ? server->port : server->options.browser_port;
	char suffix[8] = "";
	if (port != 443)
		snprintf(suffix, sizeof suffix, ":%u", port);
	snprintf(server->host, sizeof server->host, "%.255s%s", server->options.web_host, suffix);
	snprintf(server->origin, sizeof server->origin, "https://%.300s", server->host);
	snprintf(server->proof_sources, sizeof server->proof_sources, "https://*.%.300s", server->host);
	return true;
}

static bool set_up(struct server *server)
{
	server->base = event_base_new();
	server->http = server->base == NULL ? NULL : evhttp_new(server->base);
	server->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (server->http == NULL || server->done_fd < 0)
		return false;
	evhttp_set_bevcb(server->http, on_connection, server);
	evhttp_set_gencb(server->http, on_request, server);
	evhttp_set_allowed_methods(server->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST);
	evhttp_set_max_body_size(server->http, SERVER_BODY_BYTES_MAX);
	evhttp_set_max_headers_size(server->http, SERVER_HEADER_BYTES_MAX);
	evhttp_set_timeout(server->http, SERVER_IDLE_S);
	evhttp_set_default_content_type(server->http, NULL);
	server->done = event_new(server->base, server->done_fd, EV_READ | EV_PERSIST, on_done, server);
	server->terminate = evsignal_new(server->base, SIGTERM, on_signal, server);
	server->interrupt = evsignal_new(server->base, SIGINT, on_signal, server);
	return server->done != NULL && server->terminate != NULL && server->interrupt != NULL && event_add(server->done, NULL) == 0 &&
	       event_add(server->terminate, NULL) == 0 && event_add(server->interrupt, NULL) == 0;
}

bool server_new(const struct server_options *options, struct server **ret, char detail[SERVER_DETAIL_BYTES])
{
	struct server *server = calloc(1, sizeof *server);
	if (server == NULL || (server->options = *options, server->done_fd = -1, !set_up(server))) {
		snprintf(detail, SERVER_DETAIL_BYTES, "libevent cannot be used: no memory, or no descriptors");
		server_free(server);
		return false;
	}
	if (!name_origin(server)) {
		snprintf(detail, SERVER_DETAIL_BYTES, "%s:%u cannot be listened on: %s", options->address, options->port, strerror(errno));
		server_free(server);
		return false;
	}
	*ret = server;
	return true;
}

uint16_t server_port(const struct server *server)
{
	return server->port;
}

const char *server_origin(const struct server *server)
{
	return server->origin;
}

// From the loop, so that one that hangs is not told.
static void on_alive(evutil_socket_t none, short what, void *context)
{
	(void)none;
	(void)what;
	(void)context;
	sd_notify(0, "WATCHDOG=1");
}

// What is started must not speak for us: nothing is.
static bool set_up_watchdog(struct server *server)
{
	uint64_t timeout_us = 0;
	if (sd_watchdog_enabled(0, &timeout_us) <= 0)
		return true;
	const struct timeval often = {.tv_sec = (time_t)(timeout_us / 4 / 1000000u), .tv_usec = (suseconds_t)(timeout_us / 4 % 1000000u)};
	server->alive = event_new(server->base, -1, EV_PERSIST, on_alive, NULL);
	return server->alive != NULL && event_add(server->alive, &often) == 0;
}

bool server_run(struct server *server)
{
	signal(SIGPIPE, SIG_IGN);
	if (!workers_new(&server->options, SERVER_QUEUE_MAX, server->done_fd, &server->workers))
		return false;
	if (!set_up_watchdog(server))
		return false;
	sd_notifyf(0, "READY=1\nSTATUS=serves %s", server->origin);
	return event_base_dispatch(server->base) >= 0;
}

void server_free(struct server *server)
{
	if (server == NULL)
		return;
	workers_free(server->workers);
	if (server->http != NULL)
		evhttp_free(server->http);
	struct event *const events[] = {server->done, server->terminate, server->interrupt, server->alive};
	for (size_t i = 0; i < sizeof events / sizeof *events; i++)
		if (events[i] != NULL)
			event_free(events[i]);
	if (server->base != NULL)
		event_base_free(server->base);
	if (server->done_fd >= 0)
		close(server->done_fd);
	free(server);
}
