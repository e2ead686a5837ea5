// The pages' templates: XSLT 1.0 by libxslt, one file for each page, read at start. They see the model and nothing else: no file, no
// network. What they write is a tree again and becomes HTML when it is serialised, so text stays text.
#ifndef CPIS_WEB_TEMPLATES_H
#define CPIS_WEB_TEMPLATES_H

#include <stdbool.h>
#include <stddef.h>

#include "clients/web/model.h"

#define TEMPLATES_DETAIL_BYTES 400

struct templates;

// Each *.xsl of the directory but layout.xsl, parts.xsl and audit.xsl, which the others import. Immutable: for any number of threads. False:
// `detail` says which file and why.
__attribute__((warn_unused_result)) bool templates_load(const char *directory, struct templates **ret,
							 char detail[TEMPLATES_DETAIL_BYTES]);
void templates_free(struct templates *templates); // accepts NULL

// `name` is the file's without .xsl. The page as malloc'd bytes. False: there is no such template, or it failed, or the model had.
__attribute__((warn_unused_result)) bool templates_render(const struct templates *templates, const char *name, struct model *model,
							   char **ret, size_t *ret_bytes);

#endif
