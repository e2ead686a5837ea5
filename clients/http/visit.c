// Fields of a visit, and giving it back.
#include "clients/http/visit_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/text.h"

// libevent decodes the values only. A name with a NUL in it ends there, as values do.
static bool decode_names(struct evkeyvalq *list)
{
	struct evkeyval *field;
	TAILQ_FOREACH(field, list, next) {
		if (strpbrk(field->key, "%+") == NULL)
			continue;
		char *decoded = evhttp_uridecode(field->key, 1, NULL);
		if (decoded == NULL)
			return false;
		free(field->key); // libevent's memory is the C library's unless somebody tells it otherwise
		field->key = decoded;
	}
	return true;
}

struct visit_fields *visit_fields_parse(const char *text)
{
	struct visit_fields *fields = text == NULL || text[0] == '\0' ? NULL : calloc(1, sizeof *fields);
	if (fields == NULL)
		return NULL;
	TAILQ_INIT(&fields->list);
	if (evhttp_parse_query_str(text, &fields->list) == 0 && decode_names(&fields->list))
		return fields;
	evhttp_clear_headers(&fields->list);
	free(fields);
	return NULL;
}

static void forget(struct visit_fields *fields)
{
	if (fields == NULL)
		return;
	struct evkeyval *field;
	TAILQ_FOREACH(field, &fields->list, next)
		explicit_bzero(field->value, strlen(field->value));
	evhttp_clear_headers(&fields->list);
	free(fields);
}

bool visit_field_at(const struct visit *visit, size_t index, const char **ret_name, const char **ret_value)
{
	const struct visit_fields *fields = visit->is_post ? visit->form : visit->query;
	const struct evkeyval *field;
	if (fields == NULL)
		return false;
	TAILQ_FOREACH(field, &fields->list, next)
		if (index-- == 0) {
			*ret_name = field->key;
			*ret_value = field->value;
			return true;
		}
	return false;
}

const char *visit_header(const struct visit *visit, const char *name)
{
	const char *found = visit->headers == NULL ? NULL : evhttp_find_header(&visit->headers->list, name);
	return found == NULL ? "" : found;
}

void visit_answer_header(struct visit *visit, const char *name, const char *value)
{
	if (visit->answers_count == VISIT_HEADERS_MAX || strlen(value) >= VISIT_HEADER_BYTES)
		return;
	struct visit_header *header = &visit->answers[visit->answers_count++];
	header->name = name;
	snprintf(header->value, sizeof header->value, "%s", value);
}

const char *visit_field(const struct visit *visit, const char *name)
{
	struct visit_fields *fields = visit->is_post ? visit->form : visit->query;
	const char *found = fields == NULL ? NULL : evhttp_find_header(&fields->list, name);
	if (found == NULL)
		return "";
	for (char *c = (char *)(uintptr_t)found; *c != '\0'; c++)
		if (*c == '\r' || *c == '\n' || *c == '\t')
			*c = ' ';
	return text_is_clean(found, strlen(found)) ? found : "";
}

char *visit_cookie(const struct visit *visit, const char *name)
{
	size_t length = strlen(name);
	for (const char *at = visit->cookies; at != NULL; at = strchr(at, ';') == NULL ? NULL : strchr(at, ';') + 1) {
		at += strspn(at, " ");
		if (strncmp(at, name, length) == 0 && at[length] == '=')
			return strndup(at + length + 1, strcspn(at + length + 1, ";"));
	}
	return NULL;
}

void visit_free(struct visit *visit)
{
	if (visit == NULL)
		return;
	forget(visit->query);
	forget(visit->form);
	forget(visit->headers);
	free(visit->transcript);
	free(visit->certificate);
	if (visit->cookies != NULL)
		explicit_bzero(visit->cookies, strlen(visit->cookies));
	free(visit->cookies);
	if (visit->body != NULL)
		explicit_bzero(visit->body, visit->body_bytes);
	free(visit->body);
	free(visit->location);
	for (size_t i = 0; i < VISIT_COOKIES_MAX; i++)
		free(visit->cookie[i]);
	free(visit);
}
