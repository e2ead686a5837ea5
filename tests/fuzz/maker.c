// What is good for a field is told by its name: fields of one name mean the same everywhere in proto/cpis.proto.
#include "tests/fuzz/maker.h"

#include <string.h>

// What a field's byte says.
enum choice { GOOD, GOOD_TOO, GOOD_AGAIN, GOOD_STILL, ABSENT, ODD, RAW, OTHER, CHOICES };

static enum choice choose(struct maker *maker, uint8_t *ret_rest)
{
	uint8_t byte = fuzz_byte(maker->input);
	*ret_rest = byte / CHOICES;
	return byte % CHOICES;
}

// "uid" and "after_uid", but not "fluid".
static bool name_is(const char *name, const char *wanted)
{
	size_t bytes = strlen(name), wanted_bytes = strlen(wanted);
	return bytes >= wanted_bytes && strcmp(name + bytes - wanted_bytes, wanted) == 0 &&
	       (bytes == wanted_bytes || name[bytes - wanted_bytes - 1] == '_');
}

// ------------------------------------------------------------------ text

static const struct {
	const char *name, *good, *other;
} texts[] = {
	{"nhs_number", "9990000018", "9990000026"},
	{"uid", "555000000001", "555000000007"},
	{"code", "R8001", "R9535"},
	{"activities", "B0107", "B0170"},
	{"organisation", "RXH", "383"},
	{"authority", "383", "846"},
	{"authorities", "383", "846"},
	{"told", "383", "846"},
	{"recipients", "555000000007", "555000000008"},
	{"birth_date", "2009-06-01", "2024-02-29"},
	{"end_date", "", "2026-11-01"},
	{"delete_date", "", "2026-11-01"},
	{"date", "2026-02-03", "2026-10-19"},
	{"telephone", "01273 335905", "+44 (0)1273-335905"},
	{"month", "2026-10", "2026-09"},
	{"target", "RXH/hospital", "555000000001"},
	{"system_name", "hospital", "newcomer"},
	{"local_id", "L-1", "L-2"},
	{"first", "9995000000", "9995000001"},
	{"last", "9995999999", "9995000001"},
	{"broker_name", "test-broker", "another"},
	{"checkpoint", "cpis.example/audit\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n\xe2\x80\x94 cpis.example/audit AAAAAAAA\n",
	 "cpis.example/audit\n"},
};

static const char *const odd_texts[] = {
	"", "9995000016", "999000001", "9990000019", "0000000000", "RXH", "383", "846", "X26", "W00", "RYX", "rxh", "AB",
	"ABCDEFGHIJKL", "ABCDEFGHIJKLM", "2026-02-30", "1899-12-31", "2199-12-31", "2200-01-01", "2026-10-20", "2026-13", "R8001",
	"B0170", "r8001", "R12", "555000000001", "55500000000", "x", "nine byte", "ten bytes.", "Zo\xc3\xab \xe2\x80\x93 ok", "a\x01" "b",
	"\xc3(", "\xc0\xaf", "\xe2\x80\xae" "reversed", "\xef\xbb\xbf" "mark", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf0\x9f\x98\x80",
	"383/leeds", "/", "RXH/", "0f", "0123456789abcdef", "12", "+44", "01273 335905", "9995000000", "9995999999",
};
static const uint16_t lengths[] = {12, 13, 20, 21, 40, 41, 64, 65, 80, 81, 199, 200, 201, 1000, 1001, 4608, 4609};

static char *repeat(struct maker *maker, char letter, size_t bytes)
{
	char *text = arena_alloc(maker->arena, bytes + 1);
	if (text != NULL)
		memset(text, letter, bytes);
	return text;
}

static char *odd_text(struct maker *maker)
{
	const size_t count = sizeof odd_texts / sizeof odd_texts[0];
	size_t which = fuzz_byte(maker->input) % (count + sizeof lengths / sizeof lengths[0]);
	if (which >= count)
		return repeat(maker, which % 2 == 0 ? 'a' : '1', lengths[which - count]);
	return arena_copy_text(maker->arena, odd_texts[which], strlen(odd_texts[which]));
}

static char *make_text(struct maker *maker, const char *name, enum choice choice)
{
	size_t bytes;
	const uint8_t *raw;
	const char *text = "Said for the purposes of a test";
	if (choice == ODD)
		return odd_text(maker);
	if (choice == RAW) {
		raw = fuzz_take(maker->input, fuzz_byte(maker->input), &bytes);
		// The rest of a text behind a NUL is another matter: tests/fuzz/fuzz_envelope.c.
		return arena_copy_text(maker->arena, (const char *)raw, strnlen((const char *)raw, bytes));
	}
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (name_is(name, texts[i].name)) {
			text = choice == OTHER ? texts[i].other : texts[i].good;
			break;
		}
	return arena_copy_text(maker->arena, text, strlen(text));
}

// ------------------------------------------------------------------ bytes and numbers

static size_t good_length(const char *name)
{
	static const struct {
		const char *name;
		size_t bytes;
	} known[] = {{"signature", 64}, {"id", 16}, {"nonce", 16}, {"salt", 16}, {"tag", 16}, {"code", 16}, {"slot", 16}, {"path", 32},
		     {"growth", 32}, {"key", 32}, {"sha256", 32}, {"digest", 32}, {"serial", 16}};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (name_is(name, known[i].name))
			return known[i].bytes;
	return 24;
}

static ProtobufCBinaryData make_bytes(struct maker *maker, const char *name, enum choice choice)
{
	static const uint16_t odd[] = {1, 15, 17, 31, 33, 63, 65, 64, 1024, 1025, 2048, 2049, 32768, 32769, 49152, 49153};
	size_t bytes = good_length(name);
	const uint8_t *raw;
	if (choice == RAW) {
		raw = fuzz_take(maker->input, fuzz_number(maker->input, 2) % 2048, &bytes);
		return (ProtobufCBinaryData){bytes, arena_copy(maker->arena, raw, bytes)};
	}
	if (choice == ODD)
		bytes = odd[fuzz_byte(maker->input) % (sizeof odd / sizeof odd[0])];
	uint8_t *data = (uint8_t *)repeat(maker, choice == OTHER ? 'b' : 'a', bytes);
	return (ProtobufCBinaryData){data == NULL ? 0 : bytes, data};
}

static uint64_t good_number(const struct maker *maker, const char *name, enum choice choice)
{
	if (name_is(name, "deadline_ms"))
		return 10000;
	if (name_is(name, "wait_ms") || name_is(name, "lease_ms") || name_is(name, "after_ms"))
		return choice == OTHER ? 0 : 1000;
	if (name_is(name, "from_ms"))
		return choice == OTHER ? 0 : maker->now_ms - 3600000u;
	if (name_is(name, "until_ms"))
		return choice == OTHER ? 0 : maker->now_ms + 3600000u;
	if (name_is(name, "ms"))
		return choice == OTHER ? maker->now_ms - 1 : maker->now_ms;
	if (name_is(name, "limit"))
		return 10;
	return choice == OTHER ? 2 : 1;
}

static uint64_t make_number(struct maker *maker, const char *name, enum choice choice)
{
	static const uint64_t odd[] = {0, 2, 3, 31, 100, 101, 200, 256, 999, 60000, 60001, 3600000, 3600001, 999999, 1000000, 1000001,
				       UINT32_MAX, (uint64_t)INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX};
	if (choice == ODD)
		return odd[fuzz_byte(maker->input) % (sizeof odd / sizeof odd[0])];
	if (choice != RAW)
		return good_number(maker, name, choice);
	// Small ones, or a time that is near.
	uint64_t raw = fuzz_number(maker->input, 3);
	return name_is(name, "ms") ? maker->now_ms - 8000000u + raw : raw;
}

// Values that the corpora's bytes do not mean, as came_later's fields.
static bool value_came_later(const ProtobufCEnumDescriptor *descriptor, const char *value)
{
	static const char *const values[][2] = {{"Operation", "EXTRACT_READ"}, {"AlertKind", "EXTRACT"}};
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
		if (strcmp(descriptor->short_name, values[i][0]) == 0 && strcmp(value, values[i][1]) == 0)
			return true;
	return false;
}

static int make_enum(struct maker *maker, const ProtobufCEnumDescriptor *descriptor, enum choice choice, uint8_t rest)
{
	unsigned count = 0, which = rest == 0 ? 1 : rest;
	if (choice == RAW)
		return fuzz_byte(maker->input);
	for (unsigned i = 0; i < descriptor->n_values; i++)
		count += maker->later || !value_came_later(descriptor, descriptor->values[i].name);
	which %= count;
	for (unsigned i = 0; i < descriptor->n_values; i++)
		if ((maker->later || !value_came_later(descriptor, descriptor->values[i].name)) && which-- == 0)
			return descriptor->values[i].value;
	FUZZ_MUST(false);
	return 0;
}

// ------------------------------------------------------------------ fields

// False: the arena is full.
static bool make_value(struct maker *maker, const ProtobufCFieldDescriptor *field, enum choice choice, uint8_t rest, void *to)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		*(char **)to = make_text(maker, field->name, choice);
		return *(char **)to != NULL;
	case PROTOBUF_C_TYPE_BYTES:
		*(ProtobufCBinaryData *)to = make_bytes(maker, field->name, choice);
		return !maker->arena->overflowed;
	case PROTOBUF_C_TYPE_MESSAGE:
		*(ProtobufCMessage **)to = maker_message(maker, field->descriptor);
		return *(ProtobufCMessage **)to != NULL;
	case PROTOBUF_C_TYPE_UINT64:
		*(uint64_t *)to = make_number(maker, field->name, choice);
		return true;
	case PROTOBUF_C_TYPE_UINT32:
		*(uint32_t *)to = (uint32_t)make_number(maker, field->name, choice);
		return true;
	case PROTOBUF_C_TYPE_BOOL:
		*(protobuf_c_boolean *)to = choice == OTHER || choice == ODD;
		return true;
	case PROTOBUF_C_TYPE_ENUM:
		*(int *)to = make_enum(maker, field->descriptor, choice, rest);
		return true;
	default:
		FUZZ_MUST(false); // proto/cpis.proto has no others
		return false;
	}
}

static size_t value_bytes(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_UINT64:
		return sizeof(uint64_t);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_ENUM:
		return sizeof(uint32_t);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	default:
		return sizeof(void *);
	}
}

static bool make_repeated(struct maker *maker, const ProtobufCFieldDescriptor *field, uint8_t *message)
{
	static const uint16_t many[] = {3, 4, 7, 8, 9, 16, 17, 25, 26, 31, 32, 33, 63, 64, 65, 66, 100, 101, 200, 201, 255, 256, 257};
	uint8_t rest, *values;
	enum choice choice = choose(maker, &rest);
	size_t bytes = value_bytes(field), made = 1, count = choice == ABSENT ? 0 : 1;
	if (choice == OTHER)
		made = count = 2 + rest % 4;
	if (choice == ODD)
		count = many[fuzz_byte(maker->input) % (sizeof many / sizeof many[0])];
	if (count == 0)
		return true;
	values = arena_alloc(maker->arena, count * bytes);
	for (size_t i = 0; i < made && values != NULL; i++) {
		choice = choose(maker, &rest);
		if (!make_value(maker, field, choice == ABSENT ? GOOD : choice, rest, values + i * bytes))
			return false;
	}
	if (values == NULL)
		return false;
	// Many are many of the same.
	for (size_t i = made; i < count; i++)
		memcpy(values + i * bytes, values, bytes);
	*(void **)(void *)(message + field->offset) = values;
	*(size_t *)(void *)(message + field->quantifier_offset) = count;
	return true;
}

static unsigned oneof_members(const ProtobufCMessageDescriptor *descriptor)
{
	unsigned count = 0;
	for (unsigned i = 0; i < descriptor->n_fields; i++)
		count += (descriptor->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
	return count;
}

// Bytes of an input mean what they meant when the corpora were made: the envelopes had 48 bodies then. What came later is reached by
// the bytes from LATER on, and its fields are left out by the others, so that a new field does not make noise of every input.
#define BODIES_THEN 48u
#define LATER 196u // four times 48 and one
#define BODIES_LATER 50u // when the corpora were made that begin from there
#define NEWEST 250u // likewise of what came after those: the body is the next byte's
#define LAST_BODY 255u // the body that came last of all
#define LATEST 249u // all of these fields, and those that came last; the body is the next byte's

static unsigned choose_member(struct maker *maker, unsigned members)
{
	uint8_t byte = fuzz_byte(maker->input);
	if (members <= BODIES_THEN)
		return byte % (members + 1);
	maker->later = byte >= LATER;
	if (byte == LAST_BODY)
		return members - 1;
	maker->latest = byte == LATEST;
	maker->newest = byte >= LATEST;
	if (maker->newest)
		return fuzz_byte(maker->input) % (BODIES_LATER + 1);
	return byte % ((maker->later ? BODIES_LATER : BODIES_THEN) + 1);
}

struct field_name {
	const char *message, *field;
};

static bool is_among(const struct field_name *names, size_t count, const ProtobufCMessageDescriptor *descriptor, const char *field)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(descriptor->short_name, names[i].message) == 0 && strcmp(field, names[i].field) == 0)
			return true;
	return false;
}

static bool came_after(const struct maker *maker, const ProtobufCMessageDescriptor *descriptor, const char *field)
{
	static const struct field_name later[] = {
		{"Request", "act_browser_proof"}, {"SessionOpenRequest", "browser_proof"}, {"DetailsRequest", "birth_date"},
		{"DetailsReply", "birth_date_differs"}, {"AuditDetail", "act_browser_proof"}, {"AuditDetail", "proof"},
		{"AuditDetail", "proof_sha256"}, {"StoredSession", "staff_key_kind"},
		{"ContactsShowRequest", "every_organisation"}, {"ContactsShowRequest", "after"},
		{"ContactsShowReply", "organisations"}, {"ContactsShowReply", "more"}, {"RoleGrantRequest", "trained_ms"},
		{"RoleProfile", "trained_ms"}, {"StoredRole", "trained_ms"},
	};
	static const struct field_name newest[] = {
		{"Request", "trace_id"}, {"Request", "trace_parent_id"}, {"AuditDetail", "trace_id"}, {"AuditDetail", "trace_parent_id"},
		{"AuditSearchRequest", "trace_id"},
	};
	static const struct field_name latest[] = {
		{"StoredSession", "token_issuer"}, {"SessionOpenRequest", "identity_token"}, {"Request", "caller_request_id"},
		{"Request", "caller_correlation_id"}, {"AuditDetail", "token_issuer"}, {"AuditDetail", "token_sha256"},
		{"AuditDetail", "caller_request_id"}, {"AuditDetail", "caller_correlation_id"},
	};
	return (!maker->later && is_among(later, sizeof later / sizeof later[0], descriptor, field)) ||
	       (!maker->newest && is_among(newest, sizeof newest / sizeof newest[0], descriptor, field)) ||
	       (!maker->latest && is_among(latest, sizeof latest / sizeof latest[0], descriptor, field));
}

ProtobufCMessage *maker_message(struct maker *maker, const ProtobufCMessageDescriptor *descriptor)
{
	uint8_t *message = arena_alloc(maker->arena, descriptor->sizeof_message), rest;
	if (message == NULL)
		return NULL;
	descriptor->message_init((ProtobufCMessage *)(void *)message);
	unsigned members = oneof_members(descriptor), member = 0;
	unsigned wanted = members == 0 ? 0 : choose_member(maker, members);
	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
		bool good = true;
		if (came_after(maker, descriptor, field->name))
			continue;
		if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
			if (member++ != wanted)
				continue;
			*(uint32_t *)(void *)(message + field->quantifier_offset) = field->id;
			enum choice choice = choose(maker, &rest); // before `rest` is read: arguments have no order
			good = make_value(maker, field, choice, rest, message + field->offset);
		} else if (field->label == PROTOBUF_C_LABEL_REPEATED) {
			good = make_repeated(maker, field, message);
		} else {
			enum choice choice = choose(maker, &rest);
			if (choice != ABSENT)
				good = make_value(maker, field, choice, rest, message + field->offset);
		}
		if (!good)
			return NULL;
	}
	return (ProtobufCMessage *)(void *)message;
}
