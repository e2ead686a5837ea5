// `cpis contacts`: whom to ring at a local authority, published once and confirmed from time to time.
#include <stdio.h>

#include "clients/cli/commands.h"
#include "clients/cli/connection.h"
#include "clients/cli/contacts_sheet.h"
#include "clients/cli/output.h"

static char *text(const char *value)
{
	return (char *)(uintptr_t)(value == NULL ? "" : value);
}

static int change(const struct command_line *line, Cpis__V1__ContactsSetRequest *contacts, const char *done)
{
	struct connection connection;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	int code = connection_sign_in(line, &connection);
	if (code != EXIT_DONE)
		return code;
	request.body_case = CPIS__V1__REQUEST__BODY_CONTACTS_SET;
	request.contacts_set = contacts;
	code = connection_call_signed(&connection, &request, &reply);
	if (code == EXIT_DONE) {
		if (line->json) {
			json_t *value = output_envelope(reply);
			json_object_set_new(value, "replaced", json_boolean(reply->contacts_set->replaced));
			output_json(value);
		} else {
			puts(done);
			output_receipt(reply);
		}
		cpis_reply_free(reply);
	}
	connection_close(&connection);
	return code;
}

static int run_set(const struct command_line *line)
{
	Cpis__V1__ContactsSetRequest contacts = CPIS__V1__CONTACTS_SET_REQUEST__INIT;
	contacts.emergency_duty_telephone = text(command_value(line, "emergency-duty"));
	contacts.office_hours_telephone = text(command_value(line, "office-hours"));
	contacts.from_date = text(command_value(line, "from"));
	return change(line, &contacts, "The contacts are set.");
}

static int run_confirm(const struct command_line *line)
{
	Cpis__V1__ContactsSetRequest contacts = CPIS__V1__CONTACTS_SET_REQUEST__INIT;
	contacts.confirm_only = true;
	return change(line, &contacts, "The contacts are confirmed.");
}

static void print(const Cpis__V1__Contacts *contacts)
{
	char confirmed[17];
	output_english_time(contacts->last_confirmed_ms, confirmed);
	printf("from %s: emergency duty team %s", contacts->from_date, contacts->emergency_duty_telephone);
	if (contacts->office_hours_telephone[0] != '\0')
		printf(", office hours %s", contacts->office_hours_telephone);
	printf("\n  confirmed %s by %s%s\n", confirmed, contacts->confirmed_by,
	       contacts->stale ? ": TOO LONG AGO, ring them and use `cpis contacts confirm`" : "");
}

static void show(const struct command_line *line, const Cpis__V1__Reply *reply)
{
	const Cpis__V1__ContactsShowReply *body = reply->contacts_show;
	json_t *list = json_array();
	for (size_t i = 0; i < body->n_contacts; i++) {
		if (line->json)
			json_array_append_new(list, contacts_value(body->contacts[i]));
		else
			print(body->contacts[i]);
	}
	if (line->json) {
		json_t *value = output_envelope(reply);
		json_object_set(value, "contacts", list);
		output_json(value);
	} else if (body->n_contacts == 0) {
		puts("There are no contacts: nothing can be published.");
	}
	json_decref(list);
}

static int run_show(const struct command_line *line)
{
	struct connection connection;
	Cpis__V1__ContactsShowRequest body = CPIS__V1__CONTACTS_SHOW_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	int code = connection_sign_in(line, &connection);
	if (code != EXIT_DONE)
		return code;
	body.authority = text(command_value(line, "authority"));
	request.body_case = CPIS__V1__REQUEST__BODY_CONTACTS_SHOW;
	request.contacts_show = &body;
	code = connection_call(&connection, &request, &reply);
	if (code == EXIT_DONE)
		show(line, reply);
	cpis_reply_free(reply);
	connection_close(&connection);
	return code;
}

static const struct command_option set_options[] = {
	{"emergency-duty", "NUMBER", "the emergency duty team's telephone", OPTION_REQUIRED},
	{"office-hours", "NUMBER", "the office's, Monday to Friday 09:00 to 17:00", OPTION_OPTIONAL},
	{"from", "DATE", "in force from this date on (default: today)", OPTION_OPTIONAL},
	{0},
};

static const struct command_option show_options[] = {
	{"authority", "ODS", "another authority's (default: the own one's)", OPTION_OPTIONAL},
	{0},
};

static const struct command_option sheet_options[] = {
	{"out", "FILE", "the PDF; one that is there is replaced when the new one is complete", OPTION_REQUIRED},
	{"valid-days", "N", "after how many days the sheet says that it is to be thrown away (default: 31)", OPTION_OPTIONAL},
	{0},
};

static const struct command commands[] = {
	{.name = "contacts set",
	 .operands = "",
	 .help = "Says whom to ring, now or from a date on. One entry of the same date is replaced. Signed by you.",
	 .options = set_options,
	 .run = run_set},
	{.name = "contacts confirm",
	 .operands = "",
	 .help = "Says that the numbers in force are still right. Signed by you.",
	 .run = run_confirm},
	{.name = "contacts show",
	 .operands = "",
	 .help = "Shows the numbers in force and those to come, and when they were last confirmed.",
	 .options = show_options,
	 .run = run_show},
	{.name = "contacts sheet",
	 .operands = "",
	 .help = "Draws a PDF with whom to ring at every organisation: office hours, emergency duty team, incident team, and who else\n"
		 "by severity. For paper, beside the telephone, for the day when nothing works. Drawn by cpis-contact-sheet.",
	 .options = sheet_options,
	 .run = contacts_sheet},
};

int command_contacts(int argc, char **argv)
{
	return command_dispatch_group("contacts", "Whom to ring at a local authority.", commands,
				      sizeof commands / sizeof commands[0], argc, argv);
}
