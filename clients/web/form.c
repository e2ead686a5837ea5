// Fields of forms.
#include "clients/web/form.h"

#include <stdlib.h>
#include <string.h>

#include "proto/text.h"

uint64_t form_number(const struct page *page, const char *name)
{
	const char *text = page_field(page, name);
	size_t length = strlen(text);
	return length > 0 && length < 19 && text_is_digits(text, length, length) ? strtoull(text, NULL, 10) : 0;
}

bool form_is(const struct page *page, const char *name, const char *word)
{
	return strcmp(page_field(page, name), word) == 0;
}

const char *form_words_problem(const char *text, size_t bytes_max)
{
	size_t characters = 0;
	for (const char *c = text; *c != '\0'; c++)
		characters += ((unsigned char)*c & 0xc0u) != 0x80u;
	if (characters < REASON_CHARACTERS_MIN)
		return "Write at least 10 characters";
	return strlen(text) > bytes_max ? "Write less: that is too long" : NULL;
}
