// One inbox item of each kind that there is, as `cpis` hands it to a program, one a line, each value of it another one: made from the
// protocol's own description, so that a kind or a field that is added is here too.
//
// usage: items
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/inbox_item.h"

#define FIRST_TEXT 100u
#define MEMORY_BYTES 65536u

static unsigned made;
static char memory[MEMORY_BYTES];
static size_t memory_used;

static void *take(size_t bytes)
{
	void *taken = memory + memory_used;
	memory_used += (bytes + 15u) & ~(size_t)15u;
	if (memory_used > MEMORY_BYTES)
		abort();
	return taken;
}

static bool ends_in(const char *name, const char *end)
{
	size_t bytes = strlen(name), end_bytes = strlen(end);
	return bytes >= end_bytes && strcmp(name + bytes - end_bytes, end) == 0;
}

static char *text_of(const char *field)
{
	char *text = take(64);
	if (strcmp(field, "nhs_number") == 0)
		snprintf(text, 64, "9990000018");
	else if (ends_in(field, "_date"))
		snprintf(text, 64, "2026-11-%02u", ++made % 28 + 1);
	else
		snprintf(text, 64, "%s %u", field, ++made);
	return text;
}

static ProtobufCMessage *message_of(const ProtobufCMessageDescriptor *descriptor);

static void fill_value(const ProtobufCFieldDescriptor *field, void *value)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		*(char **)value = text_of(field->name);
		break;
	case PROTOBUF_C_TYPE_UINT64:
		*(uint64_t *)value = ends_in(field->name, "_ms") ? 1795000000000u + ++made * 1000u : ++made;
		break;
	case PROTOBUF_C_TYPE_UINT32:
		*(uint32_t *)value = ++made;
		break;
	case PROTOBUF_C_TYPE_BOOL:
		*(protobuf_c_boolean *)value = 1;
		break;
	case PROTOBUF_C_TYPE_ENUM: {
		const ProtobufCEnumDescriptor *values = field->descriptor;
		*(int *)value = values->values[values->n_values - 1].value;
		break;
	}
	case PROTOBUF_C_TYPE_MESSAGE:
		*(ProtobufCMessage **)value = message_of(field->descriptor);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		break; // none of those that `cpis` shows
	default:
		fprintf(stderr, "items: no value for %s\n", field->name);
		exit(1);
	}
}

static size_t size_of(const ProtobufCFieldDescriptor *field)
{
	return field->type == PROTOBUF_C_TYPE_ENUM ? sizeof(int) : sizeof(void *);
}

// Two of what is repeated.
static void fill(const ProtobufCFieldDescriptor *field, char *message)
{
	if (field->label != PROTOBUF_C_LABEL_REPEATED) {
		fill_value(field, message + field->offset);
		return;
	}
	char *values = take(2 * size_of(field));
	for (size_t i = 0; i < 2; i++)
		fill_value(field, values + i * size_of(field));
	*(void **)(void *)(message + field->offset) = values;
	*(size_t *)(void *)(message + field->quantifier_offset) = 2;
}

static ProtobufCMessage *message_of(const ProtobufCMessageDescriptor *descriptor)
{
	ProtobufCMessage *message = take(descriptor->sizeof_message);
	protobuf_c_message_init(descriptor, message);
	for (unsigned i = 0; i < descriptor->n_fields; i++)
		fill(&descriptor->fields[i], (char *)message);
	return message;
}

static void print(const ProtobufCFieldDescriptor *kind, uint64_t id)
{
	Cpis__V1__InboxItem item = CPIS__V1__INBOX_ITEM__INIT;
	memory_used = 0;
	made = FIRST_TEXT + 100u * (unsigned)id;
	item.id = id;
	item.created_ms = 1795000000000u;
	item.kind_case = (Cpis__V1__InboxItem__KindCase)kind->id;
	fill_value(kind, (char *)&item + kind->offset);
	json_t *value = inbox_item_value(&item);
	json_dumpf(value, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(value);
}

int main(void)
{
	const ProtobufCMessageDescriptor *items = &cpis__v1__inbox_item__descriptor;
	for (unsigned i = 0, id = 1; i < items->n_fields; i++)
		if ((items->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
			print(&items->fields[i], id++);
	return 0;
}
