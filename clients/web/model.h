// What a page shows, as a tree: the templates make HTML of it. Nobody here writes markup; text goes in as text, whatever it holds.
// By libxml2. Memory that is refused in the middle makes the whole model a failed one (model_failed), and no page of it.
#ifndef CPIS_WEB_MODEL_H
#define CPIS_WEB_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/wire.h"

struct model;
struct model_node; // lives as long as its model

__attribute__((warn_unused_result)) struct model *model_new(const char *page, uint64_t now_ms); // NULL: no memory
void model_free(struct model *model); // accepts NULL
struct model_node *model_root(struct model *model);
bool model_failed(const struct model *model);

// Children and attributes. Text that is not clean UTF-8 is left out, and the model has failed. NULL nodes are passed over.
struct model_node *model_add(struct model *model, struct model_node *parent, const char *name);
struct model_node *model_text(struct model *model, struct model_node *parent, const char *name, const char *text);
struct model_node *model_number(struct model *model, struct model_node *parent, const char *name, uint64_t number);
void model_attribute(struct model *model, struct model_node *node, const char *name, const char *text);
// An instant: the number, with @day (2026-11-26), @date (26 November 2026), @time (03:04) by England's clock, and @minutes, how long
// ago that is; nothing but the number for 0.
struct model_node *model_instant(struct model *model, struct model_node *parent, const char *name, uint64_t time_ms);

// A message of proto/cpis.proto with all that is in it: an element for each field that is set, of the field's name; repeated ones
// several times. Instants (*_ms) as in model_instant; dates have @date in words; NHS numbers @spaced; telephones @dial; enumerations
// are their names, with @words in small letters. Bytes are in hexadecimal, up to 32 of them.
struct model_node *model_message(struct model *model, struct model_node *parent, const char *name, const ProtobufCMessage *message);

// For templates.c: the document. Borrowed.
void *model_document(struct model *model);

#endif
