// A lying broker: a ROUTER socket with the real keys, and a Merkle log in memory.
#include "tests/harness/world_liar.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>
#include <zmq.h>

#include "tests/harness/channel.h"

#define ROUTING_ID_BYTES_MAX 255

struct liar {
	struct world *world;
	void *context, *socket;
	pthread_t thread;
	struct signing_key *log_key;
	char origin[NOTE_ORIGIN_BYTES_MAX + 1];
	pthread_mutex_t lock; // of the two below; every lie is told with it held, and may take it again
	struct merkle_tree tree;
	struct liar_receipt *log[LIAR_RECORDS_MAX];
	_Atomic(liar_lie *) lie;
	atomic_uint heard, connections;
	// Of the request under way; the liar's thread only.
	uint8_t client[ROUTING_ID_BYTES_MAX];
	size_t client_bytes;
	bool within_message;
};

static void must(const struct liar *liar, bool holds, const char *what)
{
	if (!holds)
		world_fail(liar->world, "liar: %s: %s", what, zmq_strerror(errno));
}

// ------------------------------------------------------------------ the log

static bool fetch_node(void *context, unsigned height, uint64_t number, struct merkle_hash *ret)
{
	const struct liar *liar = context;
	*ret = liar->log[((number + 1) << height) - 1]->nodes[height];
	return true;
}

struct liar_receipt *liar_kept(struct liar *liar, unsigned number)
{
	must(liar, number < liar->tree.size, "no such record");
	return liar->log[number];
}

void liar_cut(struct liar *liar, unsigned count)
{
	pthread_mutex_lock(&liar->lock);
	must(liar, count <= liar->tree.size, "the log is shorter than that");
	for (uint64_t i = count; i < liar->tree.size; i++) {
		free(liar->log[i]);
		liar->log[i] = NULL;
	}
	must(liar, merkle_tree_load(count, fetch_node, liar, &liar->tree), "cut");
	pthread_mutex_unlock(&liar->lock);
}

static void prove_growth(struct liar *liar, const Cpis__V1__Request *request, struct liar_receipt *kept)
{
	if (request->log_size == 0 || request->log_size > liar->tree.size)
		return;
	must(liar, merkle_prove_growth(request->log_size, liar->tree.size, fetch_node, liar, &kept->growth), "growth");
	kept->receipt.n_growth = kept->growth.count;
	kept->receipt.growth = kept->growth_hashes;
	for (size_t i = 0; i < kept->growth.count; i++)
		kept->growth_hashes[i] = (ProtobufCBinaryData){MERKLE_HASH_BYTES, kept->growth.hashes[i].bytes};
}

void liar_seal_as(struct liar *liar, struct liar_turn *turn, const struct signing_key *key, const char *origin)
{
	struct liar_receipt *kept = calloc(1, sizeof *kept);
	struct checkpoint checkpoint = {0};
	struct merkle_hash leaf;
	size_t count;
	must(liar, kept != NULL && liar->tree.size < LIAR_RECORDS_MAX && RAND_bytes(kept->salt, SALT_BYTES) == 1, "memory");
	must(liar, cpis__v1__audit_record__get_packed_size(&turn->record) <= sizeof kept->record, "record too large");
	cpis__v1__receipt__init(&kept->receipt);
	kept->receipt.index = liar->tree.size;
	kept->receipt.salt = (ProtobufCBinaryData){SALT_BYTES, kept->salt};
	kept->receipt.record = (ProtobufCBinaryData){cpis__v1__audit_record__pack(&turn->record, kept->record), kept->record};
	merkle_leaf(kept->salt, kept->record, kept->receipt.record.len, &leaf);
	liar->log[liar->tree.size] = kept;
	merkle_append(&liar->tree, &leaf, kept->nodes, &count);
	merkle_root(&liar->tree, &checkpoint.root);
	checkpoint.size = liar->tree.size;
	snprintf(checkpoint.origin, sizeof checkpoint.origin, "%s", origin);
	must(liar,
	     checkpoint_sign(&checkpoint, key, kept->note) == CERTS_OK &&
		     merkle_prove(kept->receipt.index, liar->tree.size, fetch_node, liar, &kept->path),
	     "receipt");
	kept->receipt.checkpoint = kept->note;
	kept->receipt.n_path = kept->path.count;
	kept->receipt.path = kept->hashes;
	for (size_t i = 0; i < kept->path.count; i++)
		kept->hashes[i] = (ProtobufCBinaryData){MERKLE_HASH_BYTES, kept->path.hashes[i].bytes};
	prove_growth(liar, turn->request, kept);
	turn->reply.receipt = &kept->receipt;
}

void liar_seal(struct liar *liar, struct liar_turn *turn)
{
	liar_seal_as(liar, turn, liar->log_key, liar->origin);
}

// ------------------------------------------------------------------ answers

static void fill_body(struct liar_turn *turn)
{
	static char notice[] = "This child is known.", name[] = WORLD_BROKER_NAME, token[] = "a token of the liar's";
	cpis__v1__ping_reply__init(&turn->ping);
	cpis__v1__flag_reply__init(&turn->flag);
	cpis__v1__session_open_reply__init(&turn->session);
	turn->ping.broker_name = name;
	turn->flag.flag = true;
	turn->flag.notice = notice;
	turn->session.session_token = (ProtobufCBinaryData){sizeof token, (uint8_t *)token};
	switch (turn->request->body_case) {
	case CPIS__V1__REQUEST__BODY_FLAG:
		turn->reply.flag = &turn->flag;
		turn->reply.body_case = CPIS__V1__REPLY__BODY_FLAG;
		break;
	case CPIS__V1__REQUEST__BODY_SESSION_OPEN:
		turn->reply.session_open = &turn->session;
		turn->reply.body_case = CPIS__V1__REPLY__BODY_SESSION_OPEN;
		break;
	default:
		turn->reply.ping = &turn->ping;
		turn->reply.body_case = CPIS__V1__REPLY__BODY_PING;
		break;
	}
}

// As an honest broker would answer the world's hospital.
static void fill_truth(const struct liar *liar, const Cpis__V1__Request *request, struct liar_turn *turn)
{
	static char organisation[] = "RXH", system[] = "hospital-record-system", policy[] = "liar-1@0000000000000000",
		    broker[] = WORLD_BROKER_NAME;
	turn->request = request;
	cpis__v1__audit_record__init(&turn->record);
	turn->record.version = 1;
	turn->record.index = liar->tree.size;
	turn->record.time_ms = world_now_ms();
	turn->record.request_id = request->request_id;
	turn->record.operation = wire_operation(request);
	turn->record.outcome = CPIS__V1__OUTCOME__OK;
	turn->record.organisation = organisation;
	turn->record.system_name = system;
	turn->record.policy_version = policy;
	turn->record.broker_name = broker;
	cpis__v1__reply__init(&turn->reply);
	turn->reply.protocol_version = PROTOCOL_VERSION;
	turn->reply.request_id = request->request_id;
	turn->reply.outcome = CPIS__V1__OUTCOME__OK;
	fill_body(turn);
}

size_t liar_pack(const struct liar_turn *turn, uint8_t out[2 * MESSAGE_BYTES_MAX])
{
	return cpis__v1__reply__get_packed_size(&turn->reply) > 2 * (size_t)MESSAGE_BYTES_MAX
		       ? 0
		       : cpis__v1__reply__pack(&turn->reply, out);
}

bool liar_send_frame(struct liar *liar, const void *data, size_t bytes, bool more)
{
	if (!liar->within_message && zmq_send(liar->socket, liar->client, liar->client_bytes, ZMQ_SNDMORE) < 0)
		return false;
	liar->within_message = more;
	return zmq_send(liar->socket, data, bytes, more ? ZMQ_SNDMORE : 0) >= 0;
}

void liar_send(struct liar *liar, const struct liar_turn *turn)
{
	static uint8_t packed[2 * MESSAGE_BYTES_MAX];
	size_t bytes = liar_pack(turn, packed);
	must(liar, bytes > 0, "reply too large even for a lie");
	// To whom is not there any more nothing is said.
	(void)liar_send_frame(liar, packed, bytes, false);
}

void liar_says_the_truth(struct liar *liar, struct liar_turn *turn)
{
	liar_seal(liar, turn);
	liar_send(liar, turn);
}

// ------------------------------------------------------------------ the thread

static void hear(struct liar *liar, const uint8_t *data, size_t bytes)
{
	struct arena arena;
	struct wire_error error;
	struct liar_turn turn = {0};
	Cpis__V1__Request *request = NULL;
	must(liar, arena_init(&arena, ARENA_BYTES), "memory");
	enum wire_status status = wire_request_decode(&arena, data, bytes, &request, &error);
	if (status != WIRE_OK)
		world_fail(liar->world, "liar: a request is not well-formed at %s: %s", error.field,
			   wire_status_text(status));
	pthread_mutex_lock(&liar->lock);
	fill_truth(liar, request, &turn);
	atomic_fetch_add(&liar->heard, 1);
	atomic_load(&liar->lie)(liar, &turn);
	pthread_mutex_unlock(&liar->lock);
	arena_done(&arena);
}

static void note_client(struct liar *liar, const uint8_t *id, size_t bytes)
{
	if (bytes != liar->client_bytes || memcmp(id, liar->client, bytes) != 0)
		atomic_fetch_add(&liar->connections, 1);
	memcpy(liar->client, id, bytes);
	liar->client_bytes = bytes;
}

static void *listen_and_lie(void *argument)
{
	static uint8_t request[MESSAGE_BYTES_MAX];
	uint8_t client[ROUTING_ID_BYTES_MAX];
	struct liar *liar = argument;
	for (;;) {
		int id = zmq_recv(liar->socket, client, sizeof client, 0);
		if (id < 0 && errno == EINTR)
			continue;
		if (id < 0)
			break;
		note_client(liar, client, (size_t)id);
		int bytes = zmq_recv(liar->socket, request, sizeof request, 0);
		if (bytes < 0)
			break;
		hear(liar, request, (size_t)bytes);
	}
	// The context is being shut down.
	zmq_close(liar->socket);
	return NULL;
}

static void open_socket(struct liar *liar)
{
	static const int server = 1, linger = 0, mandatory = 1, send_ms = 20;
	struct curve_key_pair broker;
	must(liar, curve_key_load(world_path(liar->world, "authority/broker/broker.key"), &broker) == CERTS_OK,
	     "the broker's key");
	liar->context = zmq_ctx_new();
	liar->socket = zmq_socket(liar->context, ZMQ_ROUTER);
	void *socket = liar->socket;
	must(liar,
	     socket != NULL && zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &server, sizeof server) == 0 &&
		     zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, broker.secret_key, KEY_BYTES) == 0 &&
		     zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger) == 0 &&
		     zmq_setsockopt(socket, ZMQ_ROUTER_MANDATORY, &mandatory, sizeof mandatory) == 0 &&
		     zmq_setsockopt(socket, ZMQ_SNDTIMEO, &send_ms, sizeof send_ms) == 0 &&
		     zmq_bind(socket, world_endpoint(liar->world)) == 0,
	     "socket");
	curve_key_wipe(&broker);
}

struct liar *liar_new(struct world *world)
{
	struct liar *liar = calloc(1, sizeof *liar);
	struct note_verifier verifier;
	if (liar == NULL)
		world_fail(world, "out of memory");
	liar->world = world;
	must(liar,
	     note_verifier_load(world_path(world, "authority/trust/log.vkey"), &verifier) == CERTS_OK &&
		     signing_key_load(world_path(world, "authority/broker/log.key"), &liar->log_key) == CERTS_OK,
	     "the log's key");
	memcpy(liar->origin, verifier.origin, sizeof liar->origin);
	liar->lock = (pthread_mutex_t)PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
	atomic_init(&liar->lie, liar_says_the_truth);
	open_socket(liar);
	must(liar, pthread_create(&liar->thread, NULL, listen_and_lie, liar) == 0, "thread");
	return liar;
}

void liar_free(struct liar *liar)
{
	if (liar == NULL)
		return;
	liar_tell(liar, liar_says_the_truth);
	zmq_ctx_shutdown(liar->context);
	pthread_join(liar->thread, NULL);
	zmq_ctx_term(liar->context);
	pthread_mutex_destroy(&liar->lock);
	for (size_t i = 0; i < LIAR_RECORDS_MAX; i++)
		free(liar->log[i]);
	signing_key_free(liar->log_key);
	free(liar);
}

void liar_tell(struct liar *liar, liar_lie *lie)
{
	atomic_store(&liar->lie, lie);
}

bool liar_told_otherwise(struct liar *liar, liar_lie *lie)
{
	return atomic_load(&liar->lie) != lie;
}

unsigned liar_heard(const struct liar *liar)
{
	return atomic_load(&liar->heard);
}

unsigned liar_connections(const struct liar *liar)
{
	return atomic_load(&liar->connections);
}
