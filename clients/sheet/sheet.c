// Laying out and drawing the contact sheet.
#include "clients/sheet/sheet.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cairo-pdf.h>
#include <pango/pangocairo.h>

#include "proto/date.h"

// In points, 1/72 inch; A4.
#define PAGE_WIDTH 595.28
#define PAGE_HEIGHT 841.89
#define MARGIN 45.0
#define LABELS_WIDTH 230.0
#define TEXT_WIDTH (PAGE_WIDTH - 2 * MARGIN)
#define BOTTOM (PAGE_HEIGHT - MARGIN - 20.0)
#define DAY_MS (UINT64_C(24) * 60 * 60 * 1000)
#define LINE_BYTES 512

#define FONT_TITLE "Sans Bold 19"
#define FONT_NAME "Sans Bold 14"
#define FONT_LABEL "Sans 11"
#define FONT_NUMBER "Sans Bold 20"
#define FONT_SMALL "Sans 9"

// It is laid out twice: at first nothing is drawn, and the pages are counted.
struct pen {
	cairo_t *cairo;
	bool draws;
	double y;
	unsigned page, pages;
	char footer[LINE_BYTES];
};

static const char *text_at(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

// ------------------------------------------------------------------ what is drawn

// Returns its height.
static double put(struct pen *pen, const char *font, double x, double width, const char *text)
{
	PangoLayout *layout = pango_cairo_create_layout(pen->cairo);
	PangoFontDescription *description = pango_font_description_from_string(font);
	PangoAttrList *attributes = pango_attr_list_new();
	int height;
	// Without ligatures each letter can be searched for and read out.
	pango_attr_list_insert(attributes, pango_attr_font_features_new("liga 0, clig 0"));
	pango_layout_set_attributes(layout, attributes);
	pango_layout_set_font_description(layout, description);
	pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
	pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
	pango_layout_set_text(layout, text, -1);
	pango_layout_get_size(layout, NULL, &height);
	if (pen->draws) {
		cairo_move_to(pen->cairo, x, pen->y);
		pango_cairo_show_layout(pen->cairo, layout);
	}
	pango_font_description_free(description);
	pango_attr_list_unref(attributes);
	g_object_unref(layout);
	return (double)height / PANGO_SCALE;
}

static void put_paragraph(struct pen *pen, const char *font, const char *text)
{
	pen->y += put(pen, font, MARGIN, TEXT_WIDTH, text) + 3;
}

// A label and a number, large enough to be read across a desk.
static void put_number(struct pen *pen, const char *label, const char *number)
{
	double label_height = put(pen, FONT_LABEL, MARGIN, LABELS_WIDTH - 10, label);
	double number_height = put(pen, FONT_NUMBER, MARGIN + LABELS_WIDTH, TEXT_WIDTH - LABELS_WIDTH, number);
	pen->y += (label_height > number_height ? label_height : number_height) + 3;
}

static void put_words(struct pen *pen, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put_words(struct pen *pen, const char *format, ...)
{
	char line[LINE_BYTES];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	put_paragraph(pen, FONT_LABEL, line);
}

static void end_page(struct pen *pen)
{
	char line[LINE_BYTES + 40];
	pen->y = PAGE_HEIGHT - MARGIN - 5;
	snprintf(line, sizeof line, "%s Page %u of %u.", pen->footer, pen->page, pen->pages);
	put(pen, FONT_SMALL, MARGIN, TEXT_WIDTH, line);
	if (pen->draws)
		cairo_show_page(pen->cairo);
	pen->page++;
	pen->y = MARGIN;
}

static void put_rule(struct pen *pen)
{
	pen->y += 6;
	if (pen->draws) {
		cairo_set_line_width(pen->cairo, 0.8);
		cairo_move_to(pen->cairo, MARGIN, pen->y);
		cairo_line_to(pen->cairo, PAGE_WIDTH - MARGIN, pen->y);
		cairo_stroke(pen->cairo);
	}
	pen->y += 8;
}

// ------------------------------------------------------------------ one organisation

// An entry of the outline that readers of PDF offer for going through a document.
static void mark(struct pen *pen, const char *name)
{
	char place[80];
	snprintf(place, sizeof place, "page=%u pos=[%d %d]", pen->page, (int)MARGIN, (int)pen->y);
	cairo_pdf_surface_add_outline(cairo_get_target(pen->cairo), CAIRO_PDF_OUTLINE_ROOT, name, place, 0);
}

static void put_contacts(struct pen *pen, const json_t *contacts)
{
	size_t i;
	json_t *one;
	json_array_foreach(contacts, i, one) {
		const char *office = text_at(one, "office_hours_telephone"), *confirmed = text_at(one, "last_confirmed");
		if (i > 0)
			put_words(pen, "From %s on:", text_at(one, "from"));
		put_number(pen, "Emergency duty team, at any time", text_at(one, "emergency_duty_telephone"));
		if (office[0] != '\0')
			put_number(pen, "Office, Monday to Friday 09:00 to 17:00", office);
		put_words(pen, "%s confirmed %.10s%s", json_is_true(json_object_get(one, "stale")) ? "NOT SURE: last" : "Last",
			  confirmed == NULL ? "never" : confirmed,
			  json_is_true(json_object_get(one, "stale")) ? ", which is too long ago. The numbers may be wrong." : ".");
	}
}

static void put_organisation(struct pen *pen, const json_t *organisation)
{
	char name[LINE_BYTES], label[LINE_BYTES];
	const char *incident = text_at(organisation, "incident_telephone");
	const json_t *contacts = json_object_get(organisation, "contacts");
	size_t i;
	json_t *one;
	put_rule(pen);
	snprintf(name, sizeof name, "%s (%s)", text_at(organisation, "name"), text_at(organisation, "organisation"));
	if (pen->draws)
		mark(pen, name);
	put_paragraph(pen, FONT_NAME, name);
	put_contacts(pen, contacts);
	if (json_is_true(json_object_get(organisation, "authority")) && json_array_size(contacts) == 0)
		put_words(pen, "NO NUMBER for children's social care: this authority has published none.");
	if (incident[0] != '\0')
		put_number(pen, "Incident team", incident);
	else
		put_words(pen, "No incident team is known.");
	json_array_foreach(json_object_get(organisation, "escalation"), i, one) {
		snprintf(label, sizeof label, "Severity %d%s: %s", (int)json_integer_value(json_object_get(one, "severity")),
			 json_integer_value(json_object_get(one, "severity")) == 1 ? "" : " and graver", text_at(one, "role"));
		put_number(pen, label, text_at(one, "telephone"));
	}
}

// On the next page when it does not fit on this one; one that fits on none begins on a page of its own.
static void place_organisation(struct pen *pen, const json_t *organisation)
{
	struct pen trial = *pen;
	trial.draws = false;
	put_organisation(&trial, organisation);
	if (trial.y > BOTTOM && pen->y > MARGIN)
		end_page(pen);
	put_organisation(pen, organisation);
}

// ------------------------------------------------------------------ the whole

static void format_time(uint64_t time_ms, char out[17])
{
	struct english_time time = english_time_of(time_ms);
	char date[11];
	date_format(time.date, date);
	snprintf(out, 17, "%s %02u:%02u", date, time.minute_of_day / 60 % 24, time.minute_of_day % 60);
}

static void put_head(struct pen *pen, const json_t *sheet, const char *printed, const char *until)
{
	char data[17];
	format_time((uint64_t)json_integer_value(json_object_get(sheet, "data_ms")), data);
	put_paragraph(pen, FONT_TITLE, "Whom to ring when CP-IS does not answer");
	put_words(pen, "Numbers as the service %s knew them on %s. Printed %s. Throw this sheet away after %s.", text_at(sheet, "broker"),
		  data, printed, until);
	put_words(pen, "No answer from the service is NOT a \"no\". Ring the local authority where the child lives; outside office hours its "
		       "emergency duty team. Do not wait for the service to come back.");
	put_words(pen, "Severities: 1 children may come to harm now (no answers, wrong answers, data disclosed); 2 a part is down or its "
		       "answers are in doubt; 3 slower or with a way around it; 4 no effect yet.");
}

static void lay_out(struct pen *pen, const json_t *sheet, const char *printed, const char *until)
{
	size_t i;
	json_t *organisation;
	pen->page = 1;
	pen->y = MARGIN;
	put_head(pen, sheet, printed, until);
	json_array_foreach(json_object_get(sheet, "organisations"), i, organisation)
		place_organisation(pen, organisation);
	end_page(pen);
}

struct stream {
	int descriptor, error; // errno of the write that failed; Cairo says only that one did
};

static cairo_status_t write_all(void *context, const unsigned char *data, unsigned length)
{
	struct stream *stream = context;
	while (length > 0) {
		ssize_t written = write(stream->descriptor, data, length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) {
			stream->error = written < 0 ? errno : ENOSPC;
			return CAIRO_STATUS_WRITE_ERROR;
		}
		data += written;
		length -= (unsigned)written;
	}
	return CAIRO_STATUS_SUCCESS;
}

bool sheet_draw(const json_t *sheet, uint64_t printed_ms, unsigned valid_days, int descriptor, char detail[SHEET_DETAIL_BYTES])
{
	char printed[17], until[17];
	format_time(printed_ms, printed);
	format_time(printed_ms + valid_days * DAY_MS, until);
	until[10] = '\0';
	struct stream stream = {.descriptor = descriptor};
	cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(write_all, &stream, PAGE_WIDTH, PAGE_HEIGHT);
	cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, "Whom to ring when CP-IS does not answer");
	cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "cpis-contact-sheet " CPIS_VERSION);
	struct pen pen = {.cairo = cairo_create(surface)};
	snprintf(pen.footer, sizeof pen.footer, "Printed %s. Throw away after %s.", printed, until);
	lay_out(&pen, sheet, printed, until);
	pen.pages = pen.page - 1;
	pen.draws = true;
	lay_out(&pen, sheet, printed, until);
	cairo_status_t status = cairo_status(pen.cairo);
	cairo_destroy(pen.cairo);
	cairo_surface_finish(surface);
	if (status == CAIRO_STATUS_SUCCESS)
		status = cairo_surface_status(surface);
	cairo_surface_destroy(surface);
	if (status != CAIRO_STATUS_SUCCESS)
		snprintf(detail, SHEET_DETAIL_BYTES, "%s", stream.error == 0 ? cairo_status_to_string(status) : strerror(stream.error));
	return status == CAIRO_STATUS_SUCCESS;
}

// ------------------------------------------------------------------ the check before it

static bool refuse(char detail[SHEET_DETAIL_BYTES], size_t organisation, const char *what)
{
	snprintf(detail, SHEET_DETAIL_BYTES, "organisation %zu: %s", organisation + 1, what);
	return false;
}

static bool check_contacts(const json_t *contacts, size_t number, char detail[SHEET_DETAIL_BYTES])
{
	size_t i;
	json_t *one;
	json_array_foreach(contacts, i, one)
		if (text_at(one, "from") == NULL || text_at(one, "emergency_duty_telephone") == NULL ||
		    text_at(one, "office_hours_telephone") == NULL)
			return refuse(detail, number, "contacts without from, emergency_duty_telephone and office_hours_telephone");
	return true;
}

static bool check_escalation(const json_t *escalation, size_t number, char detail[SHEET_DETAIL_BYTES])
{
	size_t i;
	json_t *one;
	json_array_foreach(escalation, i, one)
		if (!json_is_integer(json_object_get(one, "severity")) || text_at(one, "role") == NULL ||
		    text_at(one, "telephone") == NULL)
			return refuse(detail, number, "escalation without severity, role and telephone");
	return true;
}

bool sheet_check(const json_t *sheet, char detail[SHEET_DETAIL_BYTES])
{
	const json_t *organisations = json_object_get(sheet, "organisations");
	size_t i;
	json_t *one;
	snprintf(detail, SHEET_DETAIL_BYTES, "not what `cpis contacts sheet` writes: broker, data_ms and organisations");
	if (text_at(sheet, "broker") == NULL || !json_is_integer(json_object_get(sheet, "data_ms")) ||
	    json_integer_value(json_object_get(sheet, "data_ms")) < 0 || !json_is_array(organisations))
		return false;
	json_array_foreach(organisations, i, one) {
		if (text_at(one, "name") == NULL || text_at(one, "organisation") == NULL || text_at(one, "incident_telephone") == NULL)
			return refuse(detail, i, "no name, organisation or incident_telephone");
		if (!check_contacts(json_object_get(one, "contacts"), i, detail) ||
		    !check_escalation(json_object_get(one, "escalation"), i, detail))
			return false;
	}
	return true;
}
