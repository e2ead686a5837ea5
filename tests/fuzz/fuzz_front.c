// What the core reads of its front: the stream of frames, in pieces as they may come, and each frame's contents. And what the front
// reads of the core: the list of who is let in; and of a message: what it is about, and its refusal.
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/front_frames_priv.h"
#include "broker/refusal.h"
#include "proto/wire.h"
#include "tests/fuzz/fuzz.h"

static struct arena refused;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	FUZZ_MUST(arena_init(&refused, REFUSAL_ARENA_BYTES));
	return 0;
}

// As the front does with a message, and the client with what it gets.
static void refuse(const uint8_t *data, size_t bytes)
{
	size_t refusal_bytes = 0;
	Cpis__V1__Reply *reply = NULL;
	struct wire_error error;
	FUZZ_MUST(intake_class_of(data, bytes) < INTAKE_CLASSES);
	arena_reset(&refused);
	const uint8_t *refusal = refusal_make(&refused, REASON_BUSY, 50, data, bytes, &refusal_bytes);
	FUZZ_MUST(wire_reply_decode(fuzz_arena(), refusal, refusal_bytes, &reply, &error) == WIRE_OK);
	FUZZ_MUST(reply->outcome == CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE && reply->receipt == NULL);
	FUZZ_MUST(reply->request_id.len == 0 || reply->request_id.len == REQUEST_ID_BYTES);
}

static void read_request(const struct front_frame *frame)
{
	struct front_request request;
	if (!front_frame_request(frame, &request))
		return;
	FUZZ_MUST(request.peer.from < LISTENERS && request.bytes <= frame->bytes);
	refuse(request.data, request.bytes);
}

static void read_attempt(const struct front_frame *frame)
{
	struct attempt attempt;
	if (!front_frame_attempt(frame, &attempt))
		return;
	struct attempts *attempts = attempts_new();
	struct attempt taken[2];
	FUZZ_MUST(attempts != NULL);
	attempts_add(attempts, &attempt);
	attempts_add(attempts, &attempt);
	FUZZ_MUST(attempts_take(attempts, 0, true, 2, taken) == 1 && strlen(taken[0].examples) < sizeof taken[0].examples);
	attempts_free(attempts);
}

static void read_frame(const struct front_frame *frame)
{
	struct front_ready ready;
	struct front_busy busy;
	struct front_counters counters;
	struct admission *admission;
	switch (frame->type) {
	case FRONT_FRAME_REQUEST:
		read_request(frame);
		break;
	case FRONT_FRAME_ATTEMPT:
		read_attempt(frame);
		break;
	case FRONT_FRAME_READY:
		FUZZ_MUST(!front_frame_ready(frame, &ready) || strlen(ready.endpoints[0]) < sizeof ready.endpoints[0]);
		break;
	case FRONT_FRAME_BUSY:
		FUZZ_MUST(!front_frame_busy(frame, &busy) || busy.count > 0);
		break;
	case FRONT_FRAME_PONG:
		(void)!front_frame_counters(frame, &counters);
		break;
	case FRONT_FRAME_ADMISSION:
		admission = admission_of_bytes(frame->data, frame->bytes);
		admission_release(admission);
		break;
	default:
		break;
	}
}

// A byte says how much of the stream comes at once, the next ones are frames: a type, a length, and contents, of which the lengths of
// fixed ones are chosen by zero.
static size_t fixed_bytes(enum front_frame_type type)
{
	return type == FRONT_FRAME_READY     ? sizeof(struct front_ready)
	       : type == FRONT_FRAME_ATTEMPT ? sizeof(struct attempt)
	       : type == FRONT_FRAME_BUSY    ? sizeof(struct front_busy)
	       : type == FRONT_FRAME_PONG    ? sizeof(struct front_counters)
	       : type == FRONT_FRAME_REQUEST ? sizeof(struct front_request_head)
					     : 0;
}

static void drain(struct front_link *link)
{
	struct front_frame frame;
	while (front_link_next(link, &frame) == FRONT_LINK_FRAME)
		read_frame(&frame);
}

// The bytes as they are: perhaps no frames.
static void read_stream(struct fuzz_input *input)
{
	int ends[2];
	size_t piece = 1 + fuzz_byte(input);
	FUZZ_MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	struct front_link *link = front_link_new(ends[1]);
	FUZZ_MUST(link != NULL);
	while (fuzz_left(input) > 0) {
		size_t bytes;
		const uint8_t *data = fuzz_take(input, piece, &bytes);
		FUZZ_MUST(send(ends[0], data, bytes, 0) == (ssize_t)bytes);
		FUZZ_MUST(front_link_fill(link));
		drain(link);
	}
	close(ends[0]);
	while (front_link_fill(link))
		drain(link);
	front_link_free(link);
}

static void read_made_frame(struct fuzz_input *input)
{
	static uint8_t data[70000];
	enum front_frame_type type = (enum front_frame_type)(1 + fuzz_byte(input) % (FRONT_FRAME_TYPES - 1));
	size_t head = fixed_bytes(type), given;
	int by = (int8_t)fuzz_byte(input);
	const uint8_t *rest = fuzz_take(input, sizeof data - head, &given);
	memset(data, 0, head);
	// Contents first, so that a short input fills what is fixed; what is more follows.
	memcpy(data, rest, given);
	size_t bytes = (given > head ? given : head) + (by > 0 ? (size_t)by : 0);
	if (by < 0)
		bytes = bytes > (size_t)-by ? bytes - (size_t)-by : 0;
	const struct front_frame frame = {type, data, bytes < sizeof data ? bytes : sizeof data};
	read_frame(&frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct fuzz_input input = fuzz_input(data, bytes);
	switch (fuzz_byte(&input) % 3) {
	case 0:
		read_made_frame(&input);
		break;
	case 1:
		read_stream(&input);
		break;
	default:
		refuse(input.at, fuzz_left(&input));
		break;
	}
	return 0;
}
