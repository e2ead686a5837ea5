// The tree, by libxml2.
#include "clients/web/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/tree.h>

#include "proto/date.h"
#include "proto/nhs_number.h"
#include "proto/text.h"

#define MODEL_HEX_BYTES 32u
#define MODEL_DEPTH 8u

struct model {
	xmlDocPtr document;
	uint64_t now_ms;
	bool failed;
};

static xmlNodePtr node_of(struct model_node *node)
{
	return (xmlNodePtr)(void *)node;
}

struct model *model_new(const char *page, uint64_t now_ms)
{
	struct model *model = calloc(1, sizeof *model);
	if (model == NULL)
		return NULL;
	model->now_ms = now_ms;
	model->document = xmlNewDoc(BAD_CAST "1.0");
	xmlNodePtr root = model->document == NULL ? NULL : xmlNewDocNode(model->document, NULL, BAD_CAST page, NULL);
	if (root == NULL) {
		model_free(model);
		return NULL;
	}
	xmlDocSetRootElement(model->document, root);
	return model;
}

void model_free(struct model *model)
{
	if (model == NULL)
		return;
	xmlFreeDoc(model->document);
	free(model);
}

struct model_node *model_root(struct model *model)
{
	return (struct model_node *)(void *)xmlDocGetRootElement(model->document);
}

bool model_failed(const struct model *model)
{
	return model->failed;
}

void *model_document(struct model *model)
{
	return model->document;
}

// ------------------------------------------------------------------ pieces

struct model_node *model_add(struct model *model, struct model_node *parent, const char *name)
{
	xmlNodePtr node = parent == NULL ? NULL : xmlNewChild(node_of(parent), NULL, BAD_CAST name, NULL);
	model->failed = model->failed || node == NULL;
	return (struct model_node *)(void *)node;
}

struct model_node *model_text(struct model *model, struct model_node *parent, const char *name, const char *text)
{
	struct model_node *node = model_add(model, parent, name);
	if (node == NULL || text == NULL || text[0] == '\0')
		return node;
	xmlNodePtr inside = text_is_clean(text, strlen(text)) ? xmlNewDocText(model->document, BAD_CAST text) : NULL;
	if (inside == NULL || xmlAddChild(node_of(node), inside) == NULL)
		model->failed = true;
	return node;
}

void model_attribute(struct model *model, struct model_node *node, const char *name, const char *text)
{
	if (node == NULL || !text_is_clean(text, strlen(text)) ||
	    xmlNewProp(node_of(node), BAD_CAST name, BAD_CAST text) == NULL)
		model->failed = true;
}

struct model_node *model_number(struct model *model, struct model_node *parent, const char *name, uint64_t number)
{
	char text[24];
	snprintf(text, sizeof text, "%llu", (unsigned long long)number);
	return model_text(model, parent, name, text);
}

// ------------------------------------------------------------------ dates and times

static void date_words(struct date date, char out[32])
{
	static const char *const months[] = {"January", "February", "March", "April", "May", "June", "July",
					     "August", "September", "October", "November", "December"};
	char text[11];
	date_format(date, text);
	unsigned year = 0, month = 1, day = 1;
	if (sscanf(text, "%4u-%2u-%2u", &year, &month, &day) != 3 || month < 1 || month > 12)
		snprintf(out, 32, "%s", text);
	else
		snprintf(out, 32, "%u %s %u", day, months[month - 1], year);
}

static void add_instant(struct model *model, struct model_node *node, uint64_t time_ms)
{
	if (time_ms == 0)
		return;
	struct english_time time = english_time_of(time_ms);
	char text[32], day[11];
	date_format(time.date, day);
	model_attribute(model, node, "day", day);
	date_words(time.date, text);
	model_attribute(model, node, "date", text);
	snprintf(text, sizeof text, "%02u:%02u", time.minute_of_day / 60 % 24, time.minute_of_day % 60);
	model_attribute(model, node, "time", text);
	uint64_t ago_ms = model->now_ms > time_ms ? model->now_ms - time_ms : 0;
	snprintf(text, sizeof text, "%llu", (unsigned long long)(ago_ms / 60000));
	model_attribute(model, node, "minutes", text);
}

struct model_node *model_instant(struct model *model, struct model_node *parent, const char *name, uint64_t time_ms)
{
	struct model_node *node = model_number(model, parent, name, time_ms);
	add_instant(model, node, time_ms);
	return node;
}

// ------------------------------------------------------------------ messages

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);
	return length >= tail && strcmp(text + length - tail, end) == 0;
}

static void add_string(struct model *model, struct model_node *node, const char *name, const char *text)
{
	struct nhs_number number;
	struct date date;
	char words[32];
	if (strcmp(name, "nhs_number") == 0 && nhs_number_parse(text, strlen(text), &number) == NHS_NUMBER_OK) {
		nhs_number_format(&number, words);
		model_attribute(model, node, "spaced", words);
	}
	if (ends_with(name, "_date") && date_parse(text, strlen(text), &date)) {
		date_words(date, words);
		model_attribute(model, node, "date", words);
	}
	if (ends_with(name, "telephone") || strcmp(name, "ring_now") == 0) {
		size_t length = 0;
		for (const char *c = text; *c != '\0' && length + 1 < sizeof words; c++)
			if ((*c >= '0' && *c <= '9') || (*c == '+' && length == 0))
				words[length++] = *c;
		words[length] = '\0';
		model_attribute(model, node, "dial", words);
	}
}

static void add_enum(struct model *model, struct model_node *parent, const ProtobufCFieldDescriptor *field, int value)
{
	const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(field->descriptor, value);
	const char *name = known == NULL ? "UNKNOWN" : known->name;
	char words[64];
	size_t i = 0;
	for (; name[i] != '\0' && i + 1 < sizeof words; i++)
		words[i] = name[i] == '_' ? ' ' : (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] - 'A' + 'a' : name[i]);
	words[i] = '\0';
	model_attribute(model, model_text(model, parent, field->name, name), "words", words);
}

static void add_bytes(struct model *model, struct model_node *parent, const char *name, const ProtobufCBinaryData *data)
{
	char text[2 * MODEL_HEX_BYTES + 1] = "";
	for (size_t i = 0; i < data->len && i < MODEL_HEX_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", data->data[i]);
	model_text(model, parent, name, text);
}

static void add_fields(struct model *model, struct model_node *node, const ProtobufCMessage *message, unsigned depth);

static void add_value(struct model *model, struct model_node *parent, const ProtobufCFieldDescriptor *field, const void *value,
		      unsigned depth)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING: {
		const char *text = *(char *const *)value;
		add_string(model, model_text(model, parent, field->name, text), field->name, text);
		break;
	}
	case PROTOBUF_C_TYPE_MESSAGE:
		add_fields(model, model_add(model, parent, field->name), *(ProtobufCMessage *const *)value, depth + 1);
		break;
	case PROTOBUF_C_TYPE_ENUM:
		add_enum(model, parent, field, *(const int *)value);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		add_bytes(model, parent, field->name, value);
		break;
	case PROTOBUF_C_TYPE_BOOL:
		model_text(model, parent, field->name, *(const protobuf_c_boolean *)value ? "yes" : "no");
		break;
	case PROTOBUF_C_TYPE_UINT32:
		model_number(model, parent, field->name, *(const uint32_t *)value);
		break;
	case PROTOBUF_C_TYPE_UINT64:
		if (ends_with(field->name, "_ms"))
			model_instant(model, parent, field->name, *(const uint64_t *)value);
		else
			model_number(model, parent, field->name, *(const uint64_t *)value);
		break;
	default: // cpis.proto has no others
		model->failed = true;
	}
}

static bool is_set(const ProtobufCFieldDescriptor *field, const void *value)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return *(char *const *)value != NULL && (*(char *const *)value)[0] != '\0';
	case PROTOBUF_C_TYPE_MESSAGE:
		return *(ProtobufCMessage *const *)value != NULL;
	case PROTOBUF_C_TYPE_BYTES:
		return ((const ProtobufCBinaryData *)value)->len > 0;
	case PROTOBUF_C_TYPE_UINT64:
		return *(const uint64_t *)value != 0;
	case PROTOBUF_C_TYPE_BOOL:
		return *(const protobuf_c_boolean *)value != 0;
	default: // 32 bits
		return *(const uint32_t *)value != 0;
	}
}

static size_t element_bytes(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_UINT64:
		return sizeof(uint64_t);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	default:
		return sizeof(uint32_t);
	}
}

static void add_fields(struct model *model, struct model_node *node, const ProtobufCMessage *message, unsigned depth)
{
	if (depth > MODEL_DEPTH) {
		model->failed = true;
		return;
	}
	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
		const uint8_t *at = (const uint8_t *)message + field->offset;
		const uint32_t *quantifier = (const void *)((const uint8_t *)message + field->quantifier_offset);
		if (field->label == PROTOBUF_C_LABEL_REPEATED) {
			size_t count = *(const size_t *)(const void *)quantifier;
			const uint8_t *elements = *(uint8_t *const *)(const void *)at;
			for (size_t j = 0; j < count; j++)
				add_value(model, node, field, elements + j * element_bytes(field), depth);
		} else if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
			if (*quantifier == field->id)
				add_value(model, node, field, at, depth);
		} else if (is_set(field, at)) {
			add_value(model, node, field, at, depth);
		}
	}
}

struct model_node *model_message(struct model *model, struct model_node *parent, const char *name, const ProtobufCMessage *message)
{
	struct model_node *node = model_add(model, parent, name);
	if (node != NULL)
		add_fields(model, node, message, 0);
	return node;
}
