// Protobuf messages from JSON, along protobuf-c's descriptors.
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "tests/interop/vectors.h"

static void *allocate(struct arena *arena, size_t bytes)
{
	void *at = arena_alloc(arena, bytes == 0 ? 1 : bytes);
	vectors_must(at != NULL, "the arena is full");
	return memset(at, 0, bytes);
}

static ProtobufCBinaryData from_base64(struct arena *arena, const char *text)
{
	size_t length = strlen(text), padding = 0;
	uint8_t *data = allocate(arena, length + 3);
	int bytes = EVP_DecodeBlock(data, (const unsigned char *)text, (int)length);
	vectors_must(bytes >= 0, "not base64");
	while (padding < length && text[length - 1 - padding] == '=')
		padding++;
	return (ProtobufCBinaryData){(size_t)bytes - padding, data};
}

static uint64_t number_of(const json_t *json)
{
	return json_is_string(json) ? strtoull(json_string_value(json), NULL, 10) : (uint64_t)json_integer_value(json);
}

static size_t size_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_UINT64:
		return sizeof(uint64_t);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	default:
		return sizeof(uint32_t);
	}
}

static void set_value(struct arena *arena, const ProtobufCFieldDescriptor *field, const json_t *json, void *at)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_UINT32:
		*(uint32_t *)at = (uint32_t)number_of(json);
		return;
	case PROTOBUF_C_TYPE_UINT64:
		*(uint64_t *)at = number_of(json);
		return;
	case PROTOBUF_C_TYPE_BOOL:
		*(protobuf_c_boolean *)at = json_is_true(json);
		return;
	case PROTOBUF_C_TYPE_ENUM: {
		const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value_by_name(field->descriptor, json_string_value(json));
		vectors_must(value != NULL, json_string_value(json));
		*(int *)at = value->value;
		return;
	}
	case PROTOBUF_C_TYPE_STRING: {
		size_t bytes = json_string_length(json) + 1;
		*(char **)at = memcpy(allocate(arena, bytes), json_string_value(json), bytes);
		return;
	}
	case PROTOBUF_C_TYPE_BYTES:
		*(ProtobufCBinaryData *)at = from_base64(arena, json_string_value(json));
		return;
	case PROTOBUF_C_TYPE_MESSAGE:
		*(ProtobufCMessage **)at = json_message(arena, field->descriptor, json);
		return;
	default:
		vectors_must(false, field->name);
	}
}

static void set_repeated(struct arena *arena, const ProtobufCFieldDescriptor *field, const json_t *json, uint8_t *message)
{
	size_t count = json_array_size(json), each = size_of(field->type);
	uint8_t *elements = allocate(arena, count * each);
	for (size_t i = 0; i < count; i++)
		set_value(arena, field, json_array_get(json, i), elements + i * each);
	*(size_t *)(void *)(message + field->quantifier_offset) = count;
	*(void **)(void *)(message + field->offset) = elements;
}

ProtobufCMessage *json_message(struct arena *arena, const ProtobufCMessageDescriptor *descriptor, const json_t *json)
{
	const char *name;
	json_t *value;
	ProtobufCMessage *message = allocate(arena, descriptor->sizeof_message);
	uint8_t *bytes = (uint8_t *)message;
	protobuf_c_message_init(descriptor, message);
	json_object_foreach((json_t *)(uintptr_t)json, name, value) {
		const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(descriptor, name);
		vectors_must(field != NULL, name);
		if (field->label == PROTOBUF_C_LABEL_REPEATED) {
			set_repeated(arena, field, value, bytes);
			continue;
		}
		if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
			*(uint32_t *)(void *)(bytes + field->quantifier_offset) = field->id;
		set_value(arena, field, value, bytes + field->offset);
	}
	return message;
}
