// The strict scan: walks the bytes of a message along its descriptor before protobuf-c sees them.
#include "proto/wire_scan_priv.h"

#include <stdio.h>
#include <string.h>

#include "proto/text.h"

#define FIELD_NUMBER_MAX 536870911u // protobuf's own
enum wire_type { WIRE_TYPE_VARINT = 0, WIRE_TYPE_LENGTH = 2 };

struct reader {
	const uint8_t *at, *end;
};

// Where it is, for the error.
struct walk {
	const char *names[MESSAGE_DEPTH_MAX + 1]; // of the field at each depth
	unsigned depth;
	bool may_be_newer;
	struct wire_value *values; // of the outermost message, or NULL
	size_t values_count;
};

// Longer than TEXT_BYTES_MAX, with newlines.
static bool is_checkpoint(const ProtobufCFieldDescriptor *field)
{
	return strcmp(field->name, "checkpoint") == 0;
}

// What people write to each other is longer than a name.
static size_t text_bytes_max(const ProtobufCFieldDescriptor *field)
{
	return strcmp(field->name, "message_text") == 0 ? MESSAGE_TEXT_BYTES_MAX : TEXT_BYTES_MAX;
}

static enum wire_status read_varint(struct reader *reader, uint64_t *ret)
{
	uint64_t value = 0;
	if (reader->at < reader->end && *reader->at < 0x80) { // nearly all there are
		*ret = *reader->at++;
		return WIRE_OK;
	}
	for (unsigned shift = 0; shift < 70; shift += 7) {
		if (reader->at == reader->end)
			return WIRE_TRUNCATED;
		uint8_t byte = *reader->at++;
		if (shift == 63 && byte > 1)
			return WIRE_BAD_VALUE; // past 64 bits
		value |= (uint64_t)(byte & 0x7F) << shift;
		if ((byte & 0x80) == 0) {
			*ret = value;
			// A last byte of zero says nothing: the same value fits a shorter varint.
			return byte == 0 && shift > 0 ? WIRE_NOT_CANONICAL : WIRE_OK;
		}
	}
	return WIRE_BAD_VALUE;
}

static enum wire_status read_length(struct reader *reader, struct reader *ret)
{
	uint64_t length;
	enum wire_status status = read_varint(reader, &length);
	if (status != WIRE_OK)
		return status;
	if (length > (uint64_t)(reader->end - reader->at))
		return WIRE_TRUNCATED;
	*ret = (struct reader){reader->at, reader->at + length};
	reader->at += length;
	return WIRE_OK;
}

static bool is_varint_type(ProtobufCType type)
{
	return type == PROTOBUF_C_TYPE_UINT32 || type == PROTOBUF_C_TYPE_UINT64 || type == PROTOBUF_C_TYPE_BOOL ||
	       type == PROTOBUF_C_TYPE_ENUM;
}

static enum wire_status check_varint(const ProtobufCFieldDescriptor *field, uint64_t value)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_UINT32:
		return value <= UINT32_MAX ? WIRE_OK : WIRE_BAD_VALUE;
	case PROTOBUF_C_TYPE_BOOL:
		return value <= 1 ? WIRE_OK : WIRE_BAD_VALUE;
	case PROTOBUF_C_TYPE_ENUM:
		return value <= INT32_MAX &&
				       protobuf_c_enum_descriptor_get_value(field->descriptor, (int)value) != NULL
			       ? WIRE_OK
			       : WIRE_BAD_VALUE;
	default:
		return WIRE_OK;
	}
}

static enum wire_status check_string(const ProtobufCFieldDescriptor *field, struct reader value)
{
	const char *text = (const char *)value.at;
	size_t bytes = (size_t)(value.end - value.at);
	// What is right for any field comes first: names are compared only for the few that may have more.
	if (bytes <= TEXT_BYTES_MAX && text_is_clean(text, bytes))
		return WIRE_OK;
	if (!is_checkpoint(field))
		return bytes <= text_bytes_max(field) && text_is_clean(text, bytes) ? WIRE_OK : WIRE_BAD_TEXT;
	if (bytes > CHECKPOINT_BYTES_MAX)
		return WIRE_BAD_TEXT;
	for (const char *line = text, *end = text + bytes; line < end;) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		if (stop == NULL)
			stop = end;
		if (!text_is_clean(line, (size_t)(stop - line)))
			return WIRE_BAD_TEXT;
		line = stop + 1;
	}
	return WIRE_OK;
}

static enum wire_status scan_message(const ProtobufCMessageDescriptor *descriptor, struct reader reader, struct walk *walk);

static enum wire_status scan_sub_message(const ProtobufCFieldDescriptor *field, struct reader value, struct walk *walk)
{
	if (walk->depth == MESSAGE_DEPTH_MAX)
		return WIRE_TOO_DEEP;
	walk->depth++;
	enum wire_status status = scan_message(field->descriptor, value, walk);
	if (status == WIRE_OK)
		walk->depth--;
	return status;
}

static enum wire_status scan_packed(const ProtobufCFieldDescriptor *field, struct reader values)
{
	unsigned count = 0;
	while (values.at < values.end) {
		uint64_t value;
		enum wire_status status = read_varint(&values, &value);
		if (status == WIRE_OK)
			status = check_varint(field, value);
		if (status != WIRE_OK)
			return status;
		if (++count > REPEATED_COUNT_MAX)
			return WIRE_TOO_MANY;
	}
	return count == 0 ? WIRE_NOT_CANONICAL : WIRE_OK;
}

// Singular, not in a oneof: the default value is left out in the canonical form.
static bool omits_default(const ProtobufCFieldDescriptor *field)
{
	return field->label == PROTOBUF_C_LABEL_NONE && (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0;
}

static struct wire_value *value_of(const struct walk *walk, const ProtobufCFieldDescriptor *field)
{
	return walk->depth == 0 && walk->values != NULL && field->id < walk->values_count ? &walk->values[field->id] : NULL;
}

static enum wire_status scan_value(const ProtobufCFieldDescriptor *field, unsigned type, struct reader *reader,
				   struct walk *walk)
{
	bool packed = field->label == PROTOBUF_C_LABEL_REPEATED && is_varint_type(field->type);
	struct wire_value *kept = value_of(walk, field);
	enum wire_status status;
	if (is_varint_type(field->type) && !packed) {
		uint64_t value;
		if (type != WIRE_TYPE_VARINT)
			return WIRE_NOT_CANONICAL;
		if ((status = read_varint(reader, &value)) != WIRE_OK)
			return status;
		if (kept != NULL)
			kept->number = value;
		return value == 0 && omits_default(field) ? WIRE_NOT_CANONICAL : check_varint(field, value);
	}
	struct reader value;
	if (type != WIRE_TYPE_LENGTH)
		return WIRE_NOT_CANONICAL;
	if ((status = read_length(reader, &value)) != WIRE_OK)
		return status;
	if (kept != NULL) {
		kept->data = value.at;
		kept->bytes = (size_t)(value.end - value.at);
	}
	if (packed)
		return scan_packed(field, value);
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return scan_sub_message(field, value, walk);
	if (value.at == value.end && omits_default(field))
		return WIRE_NOT_CANONICAL;
	if (field->type == PROTOBUF_C_TYPE_STRING)
		return check_string(field, value);
	return field->type == PROTOBUF_C_TYPE_BYTES ? WIRE_OK : WIRE_UNKNOWN_FIELD;
}

// What has been seen of the message so far: enough to hold order, repetition and oneofs.
struct seen {
	uint32_t last_id;
	unsigned run;          // how often last_id has stood in a row
	bool oneof;
	unsigned oneof_offset;
	unsigned newer;        // fields of a later version
};

static enum wire_status note_field(const ProtobufCFieldDescriptor *field, struct seen *seen)
{
	if (field->id < seen->last_id)
		return WIRE_NOT_CANONICAL;
	if (field->id == seen->last_id) {
		if (field->label != PROTOBUF_C_LABEL_REPEATED || is_varint_type(field->type))
			return WIRE_REPEATED_SINGULAR;
		return ++seen->run > REPEATED_COUNT_MAX ? WIRE_TOO_MANY : WIRE_OK;
	}
	seen->last_id = field->id;
	seen->run = 1;
	if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
		if (seen->oneof && seen->oneof_offset == field->quantifier_offset)
			return WIRE_REPEATED_SINGULAR;
		seen->oneof = true;
		seen->oneof_offset = field->quantifier_offset;
	}
	return WIRE_OK;
}

// Fields come in ascending order, as the descriptor has them: most often it is the next one, or one soon after.
static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *descriptor, uint64_t id, unsigned *at)
{
	const ProtobufCFieldDescriptor *field = NULL;
	for (unsigned i = *at; field == NULL && i < descriptor->n_fields && i < *at + 4; i++)
		if (descriptor->fields[i].id == id)
			field = &descriptor->fields[i];
	if (field == NULL && id <= UINT32_MAX)
		field = protobuf_c_message_descriptor_get_field(descriptor, (unsigned)id);
	if (field != NULL)
		*at = (unsigned)(field - descriptor->fields);
	return field;
}

// A field that a later version has added comes after all that this one knows. What is in it is not looked at.
static enum wire_status pass_over(const ProtobufCMessageDescriptor *descriptor, uint64_t tag, struct reader *reader, struct seen *seen)
{
	uint64_t id = tag >> 3, value;
	struct reader bytes;
	if (id <= (descriptor->n_fields == 0 ? 0 : descriptor->fields[descriptor->n_fields - 1].id) || id > FIELD_NUMBER_MAX)
		return WIRE_UNKNOWN_FIELD;
	if (id < seen->last_id)
		return WIRE_NOT_CANONICAL;
	seen->last_id = (uint32_t)id;
	if (++seen->newer > NEWER_FIELDS_MAX)
		return WIRE_TOO_MANY;
	switch (tag & 7) {
	case WIRE_TYPE_VARINT:
		return read_varint(reader, &value);
	case WIRE_TYPE_LENGTH:
		return read_length(reader, &bytes);
	default:
		return WIRE_NOT_CANONICAL;
	}
}

static enum wire_status scan_message(const ProtobufCMessageDescriptor *descriptor, struct reader reader, struct walk *walk)
{
	struct seen seen = {0};
	unsigned at = 0; // where the last field was found
	walk->names[walk->depth] = NULL;
	while (reader.at < reader.end) {
		uint64_t tag;
		walk->names[walk->depth] = NULL; // not known yet
		enum wire_status status = read_varint(&reader, &tag);
		if (status != WIRE_OK)
			return status;
		const ProtobufCFieldDescriptor *field = find_field(descriptor, tag >> 3, &at);
		if (field == NULL && walk->may_be_newer) {
			status = pass_over(descriptor, tag, &reader, &seen);
			if (status != WIRE_OK)
				return status;
			continue;
		}
		if (field == NULL)
			return WIRE_UNKNOWN_FIELD;
		walk->names[walk->depth] = field->name;
		status = note_field(field, &seen);
		if (status == WIRE_OK)
			status = scan_value(field, (unsigned)(tag & 7), &reader, walk);
		if (status != WIRE_OK)
			return status; // depth and names stay: they say where
	}
	return WIRE_OK;
}

static void write_path(const struct walk *walk, struct wire_error *error)
{
	size_t bytes = 0;
	error->field[0] = '\0';
	for (unsigned i = 0; i <= walk->depth && walk->names[i] != NULL && bytes < sizeof error->field; i++)
		bytes += (size_t)snprintf(error->field + bytes, sizeof error->field - bytes, "%s%s", i > 0 ? "." : "",
					  walk->names[i]);
}

enum wire_status wire_scan(const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes, size_t bytes_count, bool may_be_newer,
			   struct wire_value *values, size_t values_count, struct wire_error *error)
{
	struct walk walk = {.may_be_newer = may_be_newer, .values = values, .values_count = values_count};
	enum wire_status status = scan_message(descriptor, (struct reader){bytes, bytes + bytes_count}, &walk);
	if (status != WIRE_OK)
		write_path(&walk, error);
	return status;
}

void wire_peek(const uint8_t *bytes, size_t bytes_count, struct wire_peeked *ret)
{
	struct reader reader = {bytes, bytes + bytes_count};
	*ret = (struct wire_peeked){0};
	while (reader.at < reader.end) {
		uint64_t tag, value;
		struct reader field;
		if (read_varint(&reader, &tag) != WIRE_OK)
			return;
		if ((tag & 7) == WIRE_TYPE_VARINT) {
			if (read_varint(&reader, &value) != WIRE_OK)
				return;
			if (tag >> 3 == 1 && value != PROTOCOL_VERSION)
				ret->version_unsupported = true;
		} else if ((tag & 7) == WIRE_TYPE_LENGTH) {
			if (read_length(&reader, &field) != WIRE_OK)
				return;
			if (tag >> 3 == 2 && field.end - field.at == REQUEST_ID_BYTES) {
				memcpy(ret->request_id, field.at, REQUEST_ID_BYTES);
				ret->has_request_id = true;
			}
			if (tag >> 3 >= WIRE_BODY_FIRST && tag >> 3 <= UINT32_MAX)
				ret->body = (uint32_t)(tag >> 3);
		} else {
			return;
		}
	}
}
