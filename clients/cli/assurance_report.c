// The assurance report's figures and its text.
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/assurance.h"
#include "clients/cli/output.h"
#include "proto/date.h"

#define WHAT_BYTES 300
#define NAMES_MAX 20u

// The standards of the National Data Guardian (2016), in our words.
static const struct {
	const char *name, *sentence;
} standards[ASSURANCE_STANDARDS] = {
	{"Personal confidential data", "Staff handle, store and pass on personal confidential data securely, and share it for lawful and "
				       "appropriate purposes only."},
	{"Staff responsibilities", "All staff know their duty to handle information responsibly, and answer for deliberate or avoidable "
				   "breaches."},
	{"Training", "All staff complete data security training every year and pass a test."},
	{"Managing data access", "Personal confidential data is open only to staff who need it for their current role, access is taken "
				 "away when it is not needed, and every access can be attributed to one person."},
	{"Process reviews", "Processes are reviewed at least every year, to find and improve those that led to breaches, near misses or "
			    "workarounds."},
	{"Responding to incidents", "Attacks are found and resisted, advice is acted on, and a significant incident is reported to senior "
				    "management within twelve hours."},
	{"Continuity planning", "There is a plan for threats to data security, failures and near misses included, and it is tested at least "
				"once a year."},
	{"Unsupported systems", "No unsupported operating systems, software or browsers are used."},
	{"IT protection", "There is a strategy for protecting IT systems, based on a proven framework and reviewed at least every year."},
	{"Accountable suppliers", "IT suppliers are held to account by contract for protecting the personal confidential data that they "
				  "process."},
};

// ------------------------------------------------------------------ figures

static json_t *add(struct assurance *assurance, unsigned standard, const char *what, json_t *value)
{
	json_t *figure = json_pack("{s:s, s:o}", "what", what, "value", value);
	json_array_append_new(assurance->figures[standard - 1], figure);
	return figure;
}

json_t *assurance_say(struct assurance *assurance, unsigned standard, bool attention, json_t *value, const char *source,
		      const char *format, ...)
{
	char what[WHAT_BYTES];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(what, sizeof what, format, arguments);
	va_end(arguments);
	json_t *figure = add(assurance, standard, what, value);
	json_object_set_new(figure, "source", json_string(source));
	json_object_set_new(figure, "attention", json_boolean(attention));
	assurance->attention += attention;
	return figure;
}

void assurance_without(struct assurance *assurance, unsigned standard, const char *what, const char *why)
{
	json_t *figure = add(assurance, standard, what, json_null());
	json_object_set_new(figure, "no_evidence", json_string(why));
	json_object_set_new(figure, "attention", json_false());
	assurance->without_evidence++;
}

void assurance_name(json_t *figure, const char *format, ...)
{
	char name[WHAT_BYTES];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(name, sizeof name, format, arguments);
	va_end(arguments);
	json_t *names = json_object_get(figure, "which");
	if (names == NULL) {
		names = json_array();
		json_object_set_new(figure, "which", names);
	}
	json_array_append_new(names, json_string(name));
}

void assurance_date(uint64_t time_ms, char out[11])
{
	char text[17];
	out[0] = '\0';
	if (time_ms == 0)
		return;
	output_english_time(time_ms, text);
	memcpy(out, text, 10);
	out[10] = '\0';
}

// ------------------------------------------------------------------ JSON

static const char *organisation_of(const struct assurance *assurance)
{
	return cpis_system_organisation(assurance->askers[0].connection.client);
}

json_t *assurance_value(const struct assurance *assurance)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < ASSURANCE_STANDARDS; i++)
		json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:O}", "number", (int)i + 1, "name", standards[i].name,
						      "standard", standards[i].sentence, "figures", assurance->figures[i]));
	json_t *value = json_pack("{s:s, s:s, s:i, s:i, s:I, s:o}", "report", "assurance", "organisation", organisation_of(assurance),
				  "attention", (int)assurance->attention, "without_evidence", (int)assurance->without_evidence,
				  "days", (json_int_t)assurance->days, "standards", list);
	json_object_set_new(value, "from", output_instant(assurance->from_ms));
	json_object_set_new(value, "until", output_instant(assurance->now_ms));
	return value;
}

// ------------------------------------------------------------------ Markdown

// Text in a cell: from a file or the broker, so that nothing in it can end the cell or begin a tag.
static void put_cell(FILE *stream, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '|' || *text == '<' || *text == '>' || *text == '*' || *text == '_' || *text == '[' || *text == ']')
			fputc('\\', stream);
		fputc(*text == '\n' || *text == '\r' ? ' ' : *text, stream);
	}
}

static void put_code(FILE *stream, const char *text)
{
	fputc('`', stream);
	for (; *text != '\0'; text++) {
		if (*text == '|')
			fputc('\\', stream);
		fputc(*text == '`' || *text == '\n' || *text == '\r' ? ' ' : *text, stream);
	}
	fputc('`', stream);
}

static void put_value(FILE *stream, const json_t *figure)
{
	const json_t *value = json_object_get(figure, "value");
	if (json_is_null(value)) {
		fputs("no evidence: ", stream);
		put_cell(stream, json_string_value(json_object_get(figure, "no_evidence")));
	} else if (json_is_integer(value)) {
		fprintf(stream, "%lld", (long long)json_integer_value(value));
	} else {
		put_cell(stream, json_string_value(value));
	}
}

static void put_names(FILE *stream, const json_t *figure)
{
	size_t i;
	json_t *name, *names = json_object_get(figure, "which");
	json_array_foreach(names, i, name) {
		if (i == NAMES_MAX) {
			fprintf(stream, "; and %zu more", json_array_size(names) - i);
			break;
		}
		fputs(i == 0 ? ": " : "; ", stream);
		put_cell(stream, json_string_value(name));
	}
}

static void put_figure(FILE *stream, const json_t *figure)
{
	const char *source = json_string_value(json_object_get(figure, "source"));
	fputs("| ", stream);
	put_cell(stream, json_string_value(json_object_get(figure, "what")));
	put_names(stream, figure);
	fputs(" | ", stream);
	if (json_is_true(json_object_get(figure, "attention")))
		fputs("**!** ", stream);
	put_value(stream, figure);
	fputs(" | ", stream);
	if (source != NULL)
		put_code(stream, source);
	fputs(" |\n", stream);
}

static void put_attention(FILE *stream, const struct assurance *assurance)
{
	size_t k;
	json_t *figure;
	if (assurance->attention == 0)
		fputs("Nothing that there is evidence for needs attention.\n", stream);
	for (unsigned i = 0; i < ASSURANCE_STANDARDS; i++) {
		json_array_foreach(assurance->figures[i], k, figure) {
			if (!json_is_true(json_object_get(figure, "attention")))
				continue;
			fprintf(stream, "- Standard %u: ", i + 1);
			put_cell(stream, json_string_value(json_object_get(figure, "what")));
			fputs(": ", stream);
			put_value(stream, figure);
			fputc('\n', stream);
		}
	}
}

char *assurance_markdown(const struct assurance *assurance)
{
	char *text = NULL, from[11], until[11];
	size_t bytes, k;
	json_t *figure;
	FILE *stream = open_memstream(&text, &bytes);
	if (stream == NULL)
		return NULL;
	assurance_date(assurance->from_ms, from);
	assurance_date(assurance->now_ms, until);
	fprintf(stream, "# The ten data security standards at %s\n\nOf %s, figures of a period since %s. By cpis " CPIS_VERSION
		". Each figure has the command or file that gives it again; `!` marks what needs attention.\n\n",
		organisation_of(assurance), until, from);
	put_attention(stream, assurance);
	for (unsigned i = 0; i < ASSURANCE_STANDARDS; i++) {
		fprintf(stream, "\n## %u. %s\n\n%s\n\n| what | figure | from |\n| --- | --- | --- |\n", i + 1, standards[i].name,
			standards[i].sentence);
		json_array_foreach(assurance->figures[i], k, figure)
			put_figure(stream, figure);
	}
	bool failed = ferror(stream) != 0;
	if (fclose(stream) != 0 || failed) {
		free(text);
		return NULL;
	}
	return text;
}

void assurance_summary(const struct assurance *assurance, FILE *stream)
{
	fprintf(stream, "%u figures need attention, %u have no evidence", assurance->attention, assurance->without_evidence);
	const char *before = ": standard ";
	for (unsigned i = 0; i < ASSURANCE_STANDARDS; i++) {
		size_t k;
		json_t *figure;
		bool any = false;
		json_array_foreach(assurance->figures[i], k, figure)
			any = any || json_is_true(json_object_get(figure, "attention"));
		if (any) {
			fprintf(stream, "%s%u", before, i + 1);
			before = ", ";
		}
	}
	fputs(".\n", stream);
}
