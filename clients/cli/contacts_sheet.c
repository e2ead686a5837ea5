// `cpis contacts sheet`: whom to ring at every organisation, as a PDF to be printed for the day when nothing works.
//
// The page is drawn by a program of its own, cpis-contact-sheet: it and its libraries (text shaping, fonts) see names and
// telephone numbers, and neither our keys nor our connection.
#include "clients/cli/contacts_sheet.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "clients/cli/commands.h"
#include "clients/cli/connection.h"
#include "clients/cli/output.h"
#include "clients/cli/sibling.h"
#include "proto/ods_code.h"

json_t *contacts_value(const Cpis__V1__Contacts *contacts)
{
	json_t *value = json_pack("{s:s, s:s, s:s, s:s, s:b}", "from", contacts->from_date, "emergency_duty_telephone",
				  contacts->emergency_duty_telephone, "office_hours_telephone",
				  contacts->office_hours_telephone, "confirmed_by", contacts->confirmed_by, "stale",
				  contacts->stale);
	json_object_set_new(value, "last_confirmed", output_instant(contacts->last_confirmed_ms));
	return value;
}

static json_t *organisation_value(const Cpis__V1__OrganisationContacts *one)
{
	json_t *value = json_pack("{s:s, s:s, s:b, s:s}", "organisation", one->organisation, "name", one->name, "authority",
				  one->authority, "incident_telephone", one->incident_telephone);
	json_t *contacts = json_array(), *escalation = json_array();
	for (size_t i = 0; i < one->n_contacts; i++) {
		json_t *entry = contacts_value(one->contacts[i]);
		json_object_del(entry, "confirmed_by"); // the sheet lies about: no member of staff is named on it
		json_array_append_new(contacts, entry);
	}
	for (size_t i = 0; i < one->n_escalation; i++)
		json_array_append_new(escalation, json_pack("{s:i, s:s, s:s}", "severity", (int)one->escalation[i]->severity, "role",
							    one->escalation[i]->role, "telephone", one->escalation[i]->telephone));
	json_object_set_new(value, "contacts", contacts);
	json_object_set_new(value, "escalation", escalation);
	return value;
}

// All of them or nothing: a sheet without the last page would be trusted as well.
static int ask_all(struct connection *connection, json_t *organisations)
{
	char after[ODS_CODE_BYTES_MAX + 1] = "";
	for (bool more = true; more;) {
		Cpis__V1__ContactsShowRequest body = CPIS__V1__CONTACTS_SHOW_REQUEST__INIT;
		Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
		const Cpis__V1__Reply *reply = NULL;
		body.every_organisation = true;
		body.after = after;
		request.body_case = CPIS__V1__REQUEST__BODY_CONTACTS_SHOW;
		request.contacts_show = &body;
		int code = connection_call(connection, &request, &reply);
		if (code != EXIT_DONE)
			return code;
		const Cpis__V1__ContactsShowReply *shown = reply->contacts_show;
		more = shown->more && shown->n_organisations > 0;
		for (size_t i = 0; i < shown->n_organisations; i++) {
			json_array_append_new(organisations, organisation_value(shown->organisations[i]));
			snprintf(after, sizeof after, "%s", shown->organisations[i]->organisation);
		}
		cpis_reply_free(reply);
	}
	return EXIT_DONE;
}

static int draw(const struct command_line *line, const json_t *sheet)
{
	char program[] = "cpis-contact-sheet", out_option[] = "--out", days_option[] = "--valid-days", default_days[] = "31";
	const char *days = command_value(line, "valid-days");
	char *arguments[] = {program, out_option, (char *)(uintptr_t)command_value(line, "out"), days_option,
			     days == NULL ? default_days : (char *)(uintptr_t)days, NULL};
	int code = EXIT_FAILED, input = memfd_create("contacts", MFD_CLOEXEC);
	if (input < 0 || json_dumpfd(sheet, input, JSON_COMPACT) != 0 || lseek(input, 0, SEEK_SET) != 0)
		fprintf(stderr, "cpis %s: %s\n", line->command->name, strerror(errno));
	else if (!sibling_run(line, arguments, input, "install the package cpis", &code))
		code = EXIT_FAILED;
	if (input >= 0)
		close(input);
	return code;
}

int contacts_sheet(const struct command_line *line)
{
	struct connection connection = {0};
	uint64_t days;
	const char *text = command_value(line, "valid-days");
	if (text != NULL && !command_number(text, 1, 366, &days))
		return command_usage_error(line, "--valid-days is a number from 1 to 366");
	int code = connection_sign_in(line, &connection);
	if (code != EXIT_DONE)
		return code;
	json_t *organisations = json_array(), *sheet = json_object();
	code = ask_all(&connection, organisations);
	if (code == EXIT_DONE) {
		json_object_set_new(sheet, "broker", json_string(connection.profile->broker_name));
		json_object_set_new(sheet, "data_ms", json_integer((json_int_t)time(NULL) * 1000));
		json_object_set(sheet, "organisations", organisations);
		if (json_array_size(organisations) == 0) {
			fprintf(stderr, "cpis %s: the broker knows nobody to ring: nothing was written\n", line->command->name);
			code = EXIT_REFUSED;
		}
	}
	connection_close(&connection);
	if (code == EXIT_DONE)
		code = draw(line, sheet);
	if (code == EXIT_DONE && line->json)
		output_json(json_pack("{s:s, s:O, s:s}", "outcome", "OK", "sheet", sheet, "file", command_value(line, "out")));
	else if (code == EXIT_DONE)
		printf("%s: %zu organisations.\n", command_value(line, "out"), json_array_size(organisations));
	json_decref(organisations);
	json_decref(sheet);
	return code;
}
