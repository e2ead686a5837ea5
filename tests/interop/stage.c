// The stage on which clients of all languages meet a broker: the throw-away world of tests/harness, with the real broker or with one
// that lies about flag queries, directed by lines on standard input. Each is answered with one line that begins with "stage: ", among
// what the world prints:
//
//	(at first)    DIRECTORY ENDPOINT
//	restart       kills the broker and starts it again
//	liar LIE      a liar in the broker's place, with its keys; see below. "truth" says the truth, in a log of its own
//	honest        the broker again
//
// It ends, and takes everything with it, at the end of its input.
#include <stdio.h>
#include <string.h>

#include "tests/harness/world.h"
#include "tests/harness/world_liar.h"
#include "tests/interop/newer.h"

static bool is_flag(const struct liar_turn *turn)
{
	return turn->request->body_case == CPIS__V1__REQUEST__BODY_FLAG;
}

static void no_receipt(struct liar *liar, struct liar_turn *turn)
{
	if (is_flag(turn))
		liar_send(liar, turn);
	else
		liar_says_the_truth(liar, turn);
}

static void another_receipt(struct liar *liar, struct liar_turn *turn)
{
	if (!is_flag(turn)) {
		liar_says_the_truth(liar, turn);
		return;
	}
	turn->reply.receipt = &liar_kept(liar, 0)->receipt;
	liar_send(liar, turn);
}

static void altered_record(struct liar *liar, struct liar_turn *turn)
{
	liar_seal(liar, turn);
	if (is_flag(turn))
		turn->reply.receipt->record.data[turn->reply.receipt->record.len - 1] ^= 1;
	liar_send(liar, turn);
}

static void another_outcome(struct liar *liar, struct liar_turn *turn)
{
	static char code[] = "role_lacks_activity";
	if (is_flag(turn)) {
		turn->record.outcome = CPIS__V1__OUTCOME__ACCESS_DENIED;
		turn->record.reason_code = code;
	}
	liar_says_the_truth(liar, turn);
}

static void another_key(struct liar *liar, struct liar_turn *turn)
{
	struct signing_key *key = NULL;
	if (!is_flag(turn)) {
		liar_says_the_truth(liar, turn);
		return;
	}
	if (signing_key_generate(&key) != CERTS_OK)
		world_fail(NULL, "no key");
	liar_seal_as(liar, turn, key, "cpis.example/audit/test");
	signing_key_free(key);
	liar_send(liar, turn);
}

// Forgets what it has shown, session and all, before it answers.
static void shorter_log(struct liar *liar, struct liar_turn *turn)
{
	if (is_flag(turn)) {
		liar_cut(liar, 0);
		turn->record.index = 0;
	} else if (turn->record.index == 0) {
		liar_seal(liar, turn);
		turn->record.index = 1;
	}
	liar_says_the_truth(liar, turn);
}

// As many records as were shown, and one more, but others.
static void forked_log(struct liar *liar, struct liar_turn *turn)
{
	if (is_flag(turn)) {
		uint64_t index = turn->record.index;
		liar_cut(liar, 0);
		for (turn->record.index = 0; turn->record.index < index; turn->record.index++)
			liar_seal(liar, turn);
	}
	liar_says_the_truth(liar, turn);
}

static void answers_as_a_ping(struct liar *liar, struct liar_turn *turn)
{
	if (is_flag(turn))
		turn->reply.body_case = CPIS__V1__REPLY__BODY_PING, turn->reply.ping = &turn->ping;
	liar_says_the_truth(liar, turn);
}

// The first flag query gets no answer, or that there is no time; what comes after it under the same id and with the same body is a true
// answer, and under another id none that can be believed.
static void answer_the_second(struct liar *liar, struct liar_turn *turn, bool is_silent)
{
	static uint8_t id[REQUEST_ID_BYTES];
	static unsigned before;
	static char code[] = "store";
	const uint8_t *own = turn->request->request_id.data;
	if (!is_flag(turn)) {
		before = 0;
		liar_says_the_truth(liar, turn);
	} else if (before++ > 0) {
		if (memcmp(id, own, sizeof id) == 0)
			liar_says_the_truth(liar, turn);
		else
			no_receipt(liar, turn);
	} else {
		memcpy(id, own, sizeof id);
		turn->reply.outcome = CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE;
		turn->reply.reason_code = code;
		turn->reply.retry_after_ms = 50;
		turn->reply.body_case = CPIS__V1__REPLY__BODY__NOT_SET;
		if (!is_silent)
			liar_send(liar, turn);
	}
}

static void silent_once(struct liar *liar, struct liar_turn *turn)
{
	answer_the_second(liar, turn, true);
}

static void unavailable_once(struct liar *liar, struct liar_turn *turn)
{
	answer_the_second(liar, turn, false);
}

// A broker that has more to say than these clients know, in all that it says and records: as much as is passed over, and more.
static void say_more(struct liar *liar, struct liar_turn *turn, unsigned fields_in_reply)
{
	newer_add(&turn->record.base, NEWER_NUMBER_FIRST, NEWER_FIELDS_MAX);
	newer_add(&turn->flag.base, NEWER_NUMBER_FIRST, NEWER_FIELDS_MAX);
	newer_add(&turn->session.base, NEWER_NUMBER_FIRST, NEWER_FIELDS_MAX);
	liar_seal(liar, turn);
	newer_add(&turn->reply.receipt->base, NEWER_NUMBER_FIRST, NEWER_FIELDS_MAX);
	newer_add(&turn->reply.base, NEWER_NUMBER_FIRST, fields_in_reply);
	liar_send(liar, turn);
}

static void newer(struct liar *liar, struct liar_turn *turn)
{
	say_more(liar, turn, NEWER_FIELDS_MAX);
}

static void too_new(struct liar *liar, struct liar_turn *turn)
{
	say_more(liar, turn, is_flag(turn) ? NEWER_FIELDS_MAX + 1 : NEWER_FIELDS_MAX);
}

// Answers to what was not asked, without end.
static void flood(struct liar *liar, struct liar_turn *turn)
{
	static uint8_t id[REQUEST_ID_BYTES], packed[2 * MESSAGE_BYTES_MAX];
	if (!is_flag(turn)) {
		liar_says_the_truth(liar, turn);
		return;
	}
	turn->record.request_id.data = turn->reply.request_id.data = id;
	liar_seal(liar, turn);
	size_t bytes = liar_pack(turn, packed);
	while (!liar_told_otherwise(liar, flood))
		(void)liar_send_frame(liar, packed, bytes, false);
}

static const struct {
	const char *name;
	liar_lie *tell;
} lies[] = {
	{"truth", liar_says_the_truth},	      {"no_receipt", no_receipt},     {"another_receipt", another_receipt},
	{"altered_record", altered_record},   {"another_outcome", another_outcome}, {"another_key", another_key},
	{"shorter_log", shorter_log},	      {"forked_log", forked_log},     {"another_body", answers_as_a_ping},
	{"silent_once", silent_once},	      {"unavailable_once", unavailable_once},
	{"newer", newer},		      {"too_new", too_new},	      {"flood", flood},
};

struct stage {
	struct world *world;
	struct liar *liar; // NULL: the broker runs
};

static void become_honest(struct stage *stage)
{
	if (stage->liar == NULL)
		return;
	liar_free(stage->liar);
	stage->liar = NULL;
	world_start(stage->world);
}

static bool lie(struct stage *stage, const char *name)
{
	for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		if (strcmp(lies[i].name, name) != 0)
			continue;
		// Each lie begins with a log of its own. A broker that is killed may hold its port for a moment yet.
		if (stage->liar == NULL)
			world_stop(stage->world);
		liar_free(stage->liar);
		stage->liar = liar_new(stage->world);
		liar_tell(stage->liar, lies[i].tell);
		return true;
	}
	return false;
}

static bool obey(struct stage *stage, const char *line)
{
	if (strncmp(line, "liar ", 5) == 0)
		return lie(stage, line + 5);
	if (strcmp(line, "honest") == 0) {
		become_honest(stage);
		return true;
	}
	if (strcmp(line, "restart") == 0 && stage->liar == NULL) {
		world_kill(stage->world);
		world_start(stage->world);
		return true;
	}
	return false;
}

int main(void)
{
	char line[128];
	struct stage stage = {.world = world_new()};
	// Each look is a notification: one that was done twice would be told twice.
	world_set_inbox(stage.world, "383", "{same_look_minutes: 0}");
	world_start(stage.world);
	printf("stage: %s %s\n", world_path(stage.world, "%s", "."), world_endpoint(stage.world));
	fflush(stdout);
	while (fgets(line, sizeof line, stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		puts(obey(&stage, line) ? "stage: done" : "stage: not done");
		fflush(stdout);
	}
	liar_free(stage.liar);
	world_free(stage.world);
	return 0;
}
