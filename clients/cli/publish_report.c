// What is said of a file.
#include <stdio.h>
#include <string.h>

#include "clients/cli/commands.h"
#include "clients/cli/output.h"
#include "clients/cli/publish.h"

static const char *kind_name(Cpis__V1__PublicationKind kind)
{
	return kind == CPIS__V1__PUBLICATION_KIND__FULL ? "full" : "delta";
}

void publish_print_rejected(const char *path, const Cpis__V1__RecordOutcome *outcome)
{
	printf("%s:%u: CPR%02d %s: %s\n", path, outcome->row, outcome->code, outcome->field, outcome->detail);
}

json_t *publish_rejected_value(const Cpis__V1__RecordOutcome *outcome)
{
	char code[16];
	snprintf(code, sizeof code, "CPR%02d", outcome->code);
	return json_pack("{s:I, s:s, s:s, s:s}", "row", (json_int_t)outcome->row, "code", code, "field", outcome->field,
			 "detail", outcome->detail);
}

void publish_print_report(const Cpis__V1__PublicationReport *report)
{
	uint32_t changes = report->created + report->changed + report->ended + report->withdrawn + report->vanished;
	printf("%s: file %u, %s: %u records received, %u stored (%u new, %u changed, %u ended, %u withdrawn, %u unchanged), %u"
	       " rejected.\n",
	       wire_file_outcome_name(report->outcome), report->sequence, kind_name(report->kind), report->received,
	       report->stored, report->created, report->changed, report->ended, report->withdrawn, report->unchanged,
	       report->rejected);
	if (report->kind == CPIS__V1__PUBLICATION_KIND__FULL)
		printf("%u of the %u plans held before are not in it%s.\n", report->vanished, report->held,
		       report->vanished == 0 ? "" : report->committed ? " and have ended with it" : " and would end with it");
	if (!report->committed)
		puts("Nothing is changed: the file is not committed.");
	else if (changes == 0)
		puts("The file changes nothing.");
}

json_t *publish_report_value(const Cpis__V1__PublicationReport *report)
{
	json_t *value = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "file_outcome", wire_file_outcome_name(report->outcome),
				  "kind", kind_name(report->kind), "sequence", (json_int_t)report->sequence, "received",
				  (json_int_t)report->received, "stored", (json_int_t)report->stored, "rejected_count",
				  (json_int_t)report->rejected);
	json_t *counts = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "new", (json_int_t)report->created, "changed",
				   (json_int_t)report->changed, "ended", (json_int_t)report->ended, "withdrawn",
				   (json_int_t)report->withdrawn, "unchanged", (json_int_t)report->unchanged, "vanished",
				   (json_int_t)report->vanished, "held_before", (json_int_t)report->held);
	json_object_update(value, counts);
	json_decref(counts);
	json_object_set_new(value, "committed", json_boolean(report->committed));
	json_object_set_new(value, "committed_at", output_instant(report->committed_ms));
	json_object_set_new(value, "released_by", json_string(report->released_by));
	return value;
}

int publish_exit_code(const Cpis__V1__PublicationReport *report)
{
	if (report->rejected == 0)
		return EXIT_DONE;
	return report->stored > 0 ? EXIT_PARTIAL : EXIT_USAGE;
}

// ------------------------------------------------------------------ page by page

struct listing {
	struct publish *publish;
	struct rejected_file *file;      // NULL: none is wanted
	json_t *value, *rejected, *vanished; // for --json
	int code;
};

static bool take_rejected(struct listing *listing, const Cpis__V1__PublicationShowReply *page)
{
	for (size_t i = 0; i < page->n_rejected; i++) {
		const Cpis__V1__RecordOutcome *outcome = page->rejected[i];
		if (listing->publish->line->json)
			json_array_append_new(listing->rejected, publish_rejected_value(outcome));
		else
			publish_print_rejected(listing->publish->path, outcome);
		if (listing->file != NULL && !rejected_file_add(listing->file, outcome))
			return false;
	}
	return true;
}

static void take_vanished(struct listing *listing, const Cpis__V1__PublicationShowReply *page)
{
	for (size_t i = 0; i < page->n_vanished; i++) {
		const Cpis__V1__PlanRecord *plan = page->vanished[i];
		if (listing->publish->line->json)
			json_array_append_new(listing->vanished,
					      json_pack("{s:s, s:s, s:s, s:s}", "nhs_number", plan->nhs_number, "plan_type",
							wire_plan_type_name(plan->type), "start_date", plan->start_date,
							"local_id", plan->local_id));
		else
			printf("not in the file: %s %s since %s %s\n", plan->nhs_number, wire_plan_type_name(plan->type),
			       plan->start_date, plan->local_id);
	}
}

// One page; the cursors are moved on. False: the end, or a failure.
static bool show_page(struct listing *listing, Cpis__V1__PublicationShowRequest *show, uint8_t cursor[VANISHED_CURSOR_BYTES_MAX])
{
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	bool first = show->after_rejected == 0 && show->after_vanished.len == 0;
	request.body_case = CPIS__V1__REQUEST__BODY_PUBLICATION_SHOW;
	request.publication_show = show;
	if (!publish_call(listing->publish, &request, false, &reply) ||
	    (reply->outcome != CPIS__V1__OUTCOME__OK && !publish_refused(listing->publish, reply))) {
		listing->code = listing->publish->code;
		return false;
	}
	const Cpis__V1__PublicationShowReply *page = reply->publication_show;
	// One of the two lists may end before the other: what was shown of it is not shown again.
	if ((first || show->after_rejected != 0) && !take_rejected(listing, page))
		listing->code = EXIT_FAILED;
	if (first || show->after_vanished.len != 0)
		take_vanished(listing, page);
	show->after_rejected = page->next_rejected;
	if (page->next_vanished.len != 0)
		memcpy(cursor, page->next_vanished.data, page->next_vanished.len);
	show->after_vanished = (ProtobufCBinaryData){page->next_vanished.len, cursor};
	bool more = page->next_rejected != 0 || page->next_vanished.len != 0;
	if (!more && page->report != NULL) {
		if (listing->code == EXIT_DONE)
			listing->code = publish_exit_code(page->report);
		if (listing->publish->line->json)
			listing->value = publish_report_value(page->report);
		else
			publish_print_report(page->report);
	} else if (!more && listing->publish->line->json) {
		listing->value = json_pack("{s:n}", "file_outcome");
	} else if (!more) {
		puts("Nothing was ever published.");
	}
	cpis_reply_free(reply);
	return more && listing->code == EXIT_DONE;
}

int publish_show(struct publish *publish, const char *rejected_path)
{
	Cpis__V1__PublicationShowRequest show = CPIS__V1__PUBLICATION_SHOW_REQUEST__INIT;
	uint8_t cursor[VANISHED_CURSOR_BYTES_MAX];
	struct listing listing = {.publish = publish, .rejected = json_array(), .vanished = json_array(), .code = EXIT_DONE};
	if (rejected_path != NULL && (listing.file = rejected_file_new(rejected_path)) == NULL)
		listing.code = EXIT_FAILED;
	show.limit = PAGE_ITEMS_MAX;
	while (listing.code == EXIT_DONE && show_page(&listing, &show, cursor))
		;
	if (listing.file != NULL && !rejected_file_write(listing.file, publish->path))
		listing.code = EXIT_FAILED;
	if (listing.value != NULL) {
		json_object_set(listing.value, "rejected", listing.rejected);
		json_object_set(listing.value, "not_in_the_file", listing.vanished);
		output_json(listing.value);
	}
	json_decref(listing.rejected);
	json_decref(listing.vanished);
	return listing.code;
}
