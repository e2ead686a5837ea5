// The echo and the peers, each with requests that they understand.
#include "tests/bench/rivals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/queries.h"
#include "tests/bench/servers.h"

#define WARM_UP_REQUESTS 4000u

static size_t make_zeros(void *context, unsigned connection, uint8_t out[LOAD_REQUEST_BYTES_MAX])
{
	const struct rivals *rivals = context;
	(void)connection;
	memset(out, 0, rivals->request_bytes);
	return rivals->request_bytes;
}

static void check_size(void *context, unsigned connection, const uint8_t *reply, size_t bytes)
{
	const struct rivals *rivals = context;
	(void)connection, (void)reply;
	link_must(bytes == rivals->reply_bytes, "a rival's answer has another size");
}

static size_t make_http(void *context, unsigned connection, uint8_t out[LOAD_REQUEST_BYTES_MAX])
{
	static const char request[] = "GET /reply.json HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n";
	(void)context, (void)connection;
	memcpy(out, request, sizeof request - 1);
	return sizeof request - 1;
}

// The same children as the broker's mix: one in 20 has a plan.
static size_t make_child(void *context, unsigned connection, uint8_t out[LOAD_REQUEST_BYTES_MAX])
{
	struct rivals *rivals = context;
	(void)connection;
	bool is_hit = rivals->made++ % 20 == 0;
	if (is_hit)
		rivals->hits += 7919;
	return (size_t)snprintf((char *)out, LOAD_REQUEST_BYTES_MAX, "%s%llu", is_hit ? "plan" : "none",
				(unsigned long long)((is_hit ? rivals->hits : rivals->made) % rivals->plans));
}

static void check_nothing(void *context, unsigned connection, const uint8_t *reply, size_t bytes)
{
	(void)context, (void)connection, (void)reply, (void)bytes; // link_postgres has looked at the results
}

static unsigned read_number(const char *directory, const char *name)
{
	char path[512];
	unsigned number = 0;
	snprintf(path, sizeof path, "%s/%s", directory, name);
	FILE *file = fopen(path, "re");
	link_must(file != NULL && fscanf(file, "%u", &number) == 1, path);
	fclose(file);
	return number;
}

static void write_answer(const char *directory, size_t bytes)
{
	char path[512], *text = malloc(bytes);
	snprintf(path, sizeof path, "%s/www/reply.json", directory);
	FILE *file = fopen(path, "we");
	link_must(text != NULL && bytes > 4 && file != NULL, path);
	memset(text, 'x', bytes);
	memcpy(text, "[\"", 2);
	memcpy(text + bytes - 2, "\"]", 2);
	link_must(fwrite(text, 1, bytes, file) == bytes && fclose(file) == 0, path);
	free(text);
}

static void find_peer(struct rivals *rivals, enum rival_kind kind, const char *directory, const char *name)
{
	char file[32];
	snprintf(file, sizeof file, "%s.port", name);
	rivals->peers[kind] = (struct link_peer_target){read_number(directory, file), directory, rivals->reply_bytes};
	snprintf(file, sizeof file, "%s.pid", name);
	rivals->of[kind].servers[0] = (pid_t)read_number(directory, file);
	rivals->of[kind].servers_count = 1;
	rivals->of[kind].load.target = &rivals->peers[kind];
}

static void measure_sizes(struct rivals *rivals, struct town *town)
{
	const struct load_run run = {.window = 1, .duration_ms = LOAD_WAIT_MS, .requests_max = WARM_UP_REQUESTS};
	struct load_result warm;
	struct queries queries;
	queries_init(&queries, town, 1);
	const struct load_options options = queries_load(&queries, TOWN_NURSES);
	struct load *load = load_open(&options);
	load_run(load, &run, &warm);
	load_close(load);
	rivals->request_bytes = (size_t)warm.request_bytes;
	rivals->reply_bytes = (size_t)warm.reply_bytes;
	printf("%u plans; a query is %zu bytes, its reply %zu (means), and so are the rivals'; 1 receipt in %u verified\n", town->plans,
	       rivals->request_bytes, rivals->reply_bytes, TOWN_VERIFIED);
}

static void find_peers(struct rivals *rivals, const char *directory)
{
	rivals->of[RIVAL_NATS] = (struct rival){"nats_echo", "ratio_to_nats", "NATS",
						{&link_nats, NULL, 0, make_zeros, check_size, rivals}, {0}, 0};
	rivals->of[RIVAL_POSTGRES] = (struct rival){"postgres", "ratio_to_postgres", "PostgreSQL",
						    {&link_postgres, NULL, 0, make_child, check_nothing, rivals}, {0}, 0};
	rivals->of[RIVAL_NGINX] = (struct rival){"nginx_static", "ratio_to_nginx", "nginx",
						 {&link_http, NULL, 0, make_http, check_size, rivals}, {0}, 0};
	find_peer(rivals, RIVAL_NATS, directory, "nats");
	find_peer(rivals, RIVAL_POSTGRES, directory, "postgres");
	find_peer(rivals, RIVAL_NGINX, directory, "nginx");
	write_answer(directory, rivals->reply_bytes);
	rivals->of[RIVAL_NATS].servers[1] = servers_start_nats_responder(&rivals->peers[RIVAL_NATS]);
	rivals->of[RIVAL_NATS].servers_count = 2;
}

void rivals_start(struct rivals *rivals, struct town *town, const char *directory)
{
	*rivals = (struct rivals){.plans = town->plans};
	measure_sizes(rivals, town);
	link_must(rivals->request_bytes <= LOAD_REQUEST_BYTES_MAX && curve_key_generate(&rivals->key) == CERTS_OK, "the echo");
	rivals->of[RIVAL_ECHO] = (struct rival){"curve_echo", "ratio_to_curve_echo", "the echo",
						{&link_curve, &rivals->echo, 0, make_zeros, check_size, rivals}, {0}, 1};
	rivals->of[RIVAL_ECHO].servers[0] = servers_start_echo(&rivals->key, rivals->reply_bytes, rivals->endpoint);
	rivals->echo = (struct link_curve_target){rivals->endpoint, rivals->key.public_key, town->keys, TOWN_NURSES};
	if (directory != NULL)
		find_peers(rivals, directory);
}

void rivals_stop(struct rivals *rivals)
{
	servers_stop(rivals->of[RIVAL_ECHO].servers[0]);
	if (rivals->of[RIVAL_NATS].servers_count > 0)
		servers_stop(rivals->of[RIVAL_NATS].servers[1]);
}
