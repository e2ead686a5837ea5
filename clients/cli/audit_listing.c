// Lists of audit records.
#include "clients/cli/audit_listing.h"

#include <stdio.h>

#include "clients/cli/audit_json.h"
#include "clients/cli/commands.h"

int audit_format_read(const struct command_line *line, enum audit_format *ret)
{
	bool csv = command_value(line, "csv") != NULL, fhir = command_value(line, "fhir") != NULL;
	if (csv + fhir + line->json > 1)
		return command_usage_error(line, "--json, --csv and --fhir: one of them");
	*ret = line->json ? AUDIT_FORMAT_JSON : csv ? AUDIT_FORMAT_CSV : fhir ? AUDIT_FORMAT_FHIR : AUDIT_FORMAT_TEXT;
	return EXIT_DONE;
}

void audit_listing_begin(struct audit_listing *listing)
{
	listing->count = 0;
	if (listing->format == AUDIT_FORMAT_CSV)
		audit_csv_header();
	else if (listing->format == AUDIT_FORMAT_FHIR)
		fputs("{\"resourceType\": \"Bundle\", \"type\": \"collection\", \"entry\": [", stdout);
	else if (listing->format == AUDIT_FORMAT_JSON)
		printf("{\"report\": \"%s\", \"entries\": [", listing->name);
}

static void write_json(struct audit_listing *listing, json_t *value)
{
	fputs(listing->count == 0 ? "\n" : ",\n", stdout);
	json_dumpf(value, stdout, JSON_COMPACT);
	json_decref(value);
}

static void write_entry(struct audit_listing *listing, const Cpis__V1__AuditEntry *entry)
{
	switch (listing->format) {
	case AUDIT_FORMAT_TEXT:
		listing->text(entry);
		break;
	case AUDIT_FORMAT_JSON:
		write_json(listing, audit_json_entry(entry));
		break;
	case AUDIT_FORMAT_CSV:
		audit_csv_entry(entry);
		break;
	case AUDIT_FORMAT_FHIR:
		write_json(listing, json_pack("{s:o}", "resource", audit_fhir_event(entry, listing->broker_name)));
		break;
	}
	listing->count++;
}

void audit_listing_page(struct audit_listing *listing, const Cpis__V1__Reply *page)
{
	if (listing->last_receipt == 0)
		listing->first_receipt = page->receipt->index;
	listing->last_receipt = page->receipt->index;
	for (size_t i = 0; i < page->audit_search->n_entries; i++)
		write_entry(listing, page->audit_search->entries[i]);
}

void audit_listing_end(const struct audit_listing *listing)
{
	unsigned long long first = listing->first_receipt, last = listing->last_receipt;
	if (listing->format == AUDIT_FORMAT_FHIR)
		puts("\n]}");
	else if (listing->format == AUDIT_FORMAT_JSON)
		printf("\n], \"count\": %llu, \"audit_index\": %llu, \"proof\": \"checked\"}\n", (unsigned long long)listing->count,
		       last);
	else if (listing->format == AUDIT_FORMAT_TEXT && listing->count == 0)
		puts("Nothing found.");
	else if (listing->format == AUDIT_FORMAT_TEXT)
		printf("%llu records.\n", (unsigned long long)listing->count);
	if (listing->format == AUDIT_FORMAT_TEXT && first == last)
		printf("Recorded as no. %llu in the audit log; proof checked.\n", last);
	else if (listing->format == AUDIT_FORMAT_TEXT)
		printf("Its pages are recorded as no. %llu to %llu in the audit log; proofs checked.\n", first, last);
}
