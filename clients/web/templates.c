// Templates by libxslt.
#include "clients/web/templates.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libexslt/exslt.h>
#include <libxml/parser.h>
#include <libxslt/security.h>
#include <libxslt/transform.h>
#include <libxslt/xsltutils.h>

#define TEMPLATES_MAX 64u

struct template {
	char name[64];
	xsltStylesheetPtr sheet;
};

struct templates {
	struct template templates[TEMPLATES_MAX];
	size_t count;
	xsltSecurityPrefsPtr nothing;
};

static bool is_page(const char *name)
{
	size_t length = strlen(name);
	return length > 4 && length < sizeof ((struct template *)0)->name && strcmp(name + length - 4, ".xsl") == 0 &&
	       strcmp(name, "layout.xsl") != 0 && strcmp(name, "parts.xsl") != 0 && strcmp(name, "audit.xsl") != 0;
}

// libxslt says what is wrong with a stylesheet here and nowhere else.
static __attribute__((format(printf, 2, 3))) void note_error(void *context, const char *format, ...)
{
	char *detail = context;
	size_t used = strlen(detail);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(detail + used, TEMPLATES_DETAIL_BYTES - used, format, arguments);
	va_end(arguments);
	for (char *c = detail + used; *c != '\0'; c++)
		if (*c == '\n')
			*c = ' ';
}

static __attribute__((format(printf, 2, 3))) void ignore_error(void *context, const char *format, ...)
{
	(void)context;
	(void)format;
}

static bool load_one(struct templates *templates, const char *directory, const char *file, char *detail)
{
	char path[4352], said[TEMPLATES_DETAIL_BYTES] = "";
	snprintf(path, sizeof path, "%.4095s/%.200s", directory, file);
	if (templates->count == TEMPLATES_MAX) {
		snprintf(detail, TEMPLATES_DETAIL_BYTES, "%.200s: more than %u templates", directory, TEMPLATES_MAX);
		return false;
	}
	xmlSetGenericErrorFunc(said, note_error);
	xsltSetGenericErrorFunc(said, note_error);
	struct template *template = &templates->templates[templates->count];
	template->sheet = xsltParseStylesheetFile(BAD_CAST path);
	xmlSetGenericErrorFunc(NULL, ignore_error);
	xsltSetGenericErrorFunc(NULL, ignore_error);
	if (template->sheet == NULL || template->sheet->errors != 0) {
		xsltFreeStylesheet(template->sheet);
		snprintf(detail, TEMPLATES_DETAIL_BYTES, "%.120s: not a template: %.250s", path, said);
		return false;
	}
	snprintf(template->name, sizeof template->name, "%.*s", (int)(strlen(file) - 4), file);
	templates->count++;
	return true;
}

static bool forbid(xsltSecurityPrefsPtr nothing)
{
	static const xsltSecurityOption options[] = {XSLT_SECPREF_READ_FILE, XSLT_SECPREF_WRITE_FILE, XSLT_SECPREF_CREATE_DIRECTORY,
						     XSLT_SECPREF_READ_NETWORK, XSLT_SECPREF_WRITE_NETWORK};
	bool forbidden = nothing != NULL;
	for (size_t i = 0; forbidden && i < sizeof options / sizeof *options; i++)
		forbidden = xsltSetSecurityPrefs(nothing, options[i], xsltSecurityForbid) == 0;
	return forbidden;
}

bool templates_load(const char *directory, struct templates **ret, char detail[TEMPLATES_DETAIL_BYTES])
{
	xmlInitParser();
	xsltInit();
	exsltRegisterAll();
	DIR *folder = opendir(directory);
	struct templates *templates = calloc(1, sizeof *templates);
	bool loaded = folder != NULL && templates != NULL && forbid(templates->nothing = xsltNewSecurityPrefs());
	if (!loaded)
		snprintf(detail, TEMPLATES_DETAIL_BYTES, "%.200s: cannot be read as the folder of templates", directory);
	for (const struct dirent *entry; loaded && (entry = readdir(folder)) != NULL;)
		if (is_page(entry->d_name))
			loaded = load_one(templates, directory, entry->d_name, detail);
	if (folder != NULL)
		closedir(folder);
	if (loaded && templates->count == 0) {
		snprintf(detail, TEMPLATES_DETAIL_BYTES, "%.200s: there are no templates in it", directory);
		loaded = false;
	}
	if (!loaded) {
		templates_free(templates);
		return false;
	}
	*ret = templates;
	return true;
}

void templates_free(struct templates *templates)
{
	if (templates == NULL)
		return;
	for (size_t i = 0; i < templates->count; i++)
		xsltFreeStylesheet(templates->templates[i].sheet);
	if (templates->nothing != NULL)
		xsltFreeSecurityPrefs(templates->nothing);
	free(templates);
}

static bool apply(const struct templates *templates, xsltStylesheetPtr sheet, xmlDocPtr document, char **ret, size_t *ret_bytes)
{
	xmlChar *text = NULL;
	int bytes = 0;
	xsltTransformContextPtr context = xsltNewTransformContext(sheet, document);
	if (context == NULL)
		return false;
	xsltSetTransformErrorFunc(context, NULL, ignore_error);
	bool done = xsltSetCtxtSecurityPrefs(templates->nothing, context) == 0;
	xmlDocPtr page = done ? xsltApplyStylesheetUser(sheet, document, NULL, NULL, NULL, context) : NULL;
	done = page != NULL && context->state == XSLT_STATE_OK && xsltSaveResultToString(&text, &bytes, page, sheet) == 0 && text != NULL;
	if (page != NULL)
		xmlFreeDoc(page);
	xsltFreeTransformContext(context);
	if (!done)
		return false;
	*ret = (char *)text;
	*ret_bytes = (size_t)bytes;
	return true;
}

bool templates_render(const struct templates *templates, const char *name, struct model *model, char **ret, size_t *ret_bytes)
{
	for (size_t i = 0; i < templates->count; i++)
		if (strcmp(templates->templates[i].name, name) == 0)
			return !model_failed(model) && apply(templates, templates->templates[i].sheet, model_document(model), ret, ret_bytes);
	return false;
}
