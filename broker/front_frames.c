// The front's frames, read as what a stranger might have made of them.
#include <string.h>

#include "broker/front_frames_priv.h"

static bool copy(const struct front_frame *frame, void *ret, size_t bytes)
{
	if (frame->bytes != bytes)
		return false;
	memcpy(ret, frame->data, bytes);
	return true;
}

static bool is_terminated(const char *text, size_t bytes)
{
	return memchr(text, '\0', bytes) != NULL;
}

bool front_frame_ready(const struct front_frame *frame, struct front_ready *ret)
{
	if (!copy(frame, ret, sizeof *ret))
		return false;
	for (enum listener i = 0; i < LISTENERS; i++)
		if (!is_terminated(ret->endpoints[i], sizeof ret->endpoints[i]))
			return false;
	return true;
}

bool front_frame_request(const struct front_frame *frame, struct front_request *ret_request)
{
	struct front_request_head head;
	if (frame->bytes < sizeof head)
		return false;
	memcpy(&head, frame->data, sizeof head);
	if (head.from >= LISTENERS || head.has_key > 1 || frame->bytes - sizeof head < head.routing_id_bytes)
		return false;
	*ret_request = (struct front_request){
		.peer = {.from = head.from, .routing_id_bytes = head.routing_id_bytes},
		.has_key = head.has_key == 1,
		.waited_ms = head.waited_ms,
		.data = frame->data + sizeof head + head.routing_id_bytes,
		.bytes = frame->bytes - sizeof head - head.routing_id_bytes,
	};
	memcpy(ret_request->peer.routing_id, frame->data + sizeof head, head.routing_id_bytes);
	memcpy(ret_request->channel_key, head.key, KEY_BYTES);
	return true;
}

static bool is_of_handshake(enum reason reason)
{
	return reason >= REASON_HANDSHAKE_KEY && reason <= REASON_HANDSHAKE_UNFINISHED;
}

bool front_frame_attempt(const struct front_frame *frame, struct attempt *ret)
{
	return copy(frame, ret, sizeof *ret) && is_of_handshake(ret->reason) && ret->count > 0 &&
	       is_terminated(ret->examples, sizeof ret->examples);
}

bool front_frame_busy(const struct front_frame *frame, struct front_busy *ret)
{
	return copy(frame, ret, sizeof *ret) && ret->count > 0;
}

bool front_frame_counters(const struct front_frame *frame, struct front_counters *ret)
{
	return copy(frame, ret, sizeof *ret);
}
