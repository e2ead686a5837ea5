// Reading what people put into forms.
#ifndef CPIS_WEB_FORM_H
#define CPIS_WEB_FORM_H

#include "clients/web/page.h"

// A number of ours, as it stands in our own forms and addresses. 0: none.
uint64_t form_number(const struct page *page, const char *name);
bool form_is(const struct page *page, const char *name, const char *word);

// What is wrong with something that people read: too short or too long, in words. NULL: nothing.
const char *form_words_problem(const char *text, size_t bytes_max);

#endif
