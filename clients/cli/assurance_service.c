// Assurance from how the service runs: its policy, its certificates, who is held back, what waits, whom to ring.
#include <string.h>

#include "clients/cli/assurance.h"
#include "clients/cli/commands.h"
#include "proto/ods_code.h"

#define CERTIFICATE_DAYS 30u
#define LISTS_DAYS 7u // they are made for a month, anew each week

static int say_policy(struct assurance *assurance)
{
	Cpis__V1__PolicyShowRequest show = CPIS__V1__POLICY_SHOW_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	struct assurance_asker *asker;
	char source[ASSURANCE_SOURCE_BYTES], why[ASSURANCE_SOURCE_BYTES], loaded[11];
	request.body_case = CPIS__V1__REQUEST__BODY_POLICY_SHOW;
	request.policy_show = &show;
	int code = assurance_ask(assurance, ASSURANCE_SERVICE, &request, &reply, &asker, why);
	if (code != EXIT_DONE)
		return code;
	if (reply == NULL) {
		assurance_without(assurance, 9, "the access policy in force", why);
		return EXIT_DONE;
	}
	assurance_command(asker, source, "policy show");
	assurance_date(reply->policy_show->loaded_ms, loaded);
	assurance_say(assurance, 9, false, json_string(reply->policy_show->version), source, "the access policy in force");
	assurance_say(assurance, 9, false, json_string(loaded[0] == '\0' ? "the broker's own file" : loaded), source,
		      "when it was put in force");
	cpis_reply_free(reply);
	return EXIT_DONE;
}

static int say_quarantine(struct assurance *assurance)
{
	Cpis__V1__QuarantineListRequest list = CPIS__V1__QUARANTINE_LIST_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	struct assurance_asker *asker;
	char source[ASSURANCE_SOURCE_BYTES], why[ASSURANCE_SOURCE_BYTES];
	request.body_case = CPIS__V1__REQUEST__BODY_QUARANTINE_LIST;
	request.quarantine_list = &list;
	int code = assurance_ask(assurance, ASSURANCE_OWN, &request, &reply, &asker, why);
	if (code != EXIT_DONE)
		return code;
	if (reply == NULL) {
		assurance_without(assurance, 6, "systems and people that are held back", why);
		return EXIT_DONE;
	}
	assurance_command(asker, source, "quarantine list");
	assurance_say(assurance, 6, false, json_integer((json_int_t)reply->quarantine_list->n_entries), source,
		      "systems, people and certificates held back now%s", reply->quarantine_list->more ? " (there are more)" : "");
	cpis_reply_free(reply);
	return EXIT_DONE;
}

// ------------------------------------------------------------------ operations

static void say_end(struct assurance *assurance, uint64_t until_ms, uint64_t days, const char *source, const char *what)
{
	char until[11];
	assurance_date(until_ms, until);
	if (until_ms == 0)
		assurance_without(assurance, 9, what, "the broker does not know it");
	else
		assurance_say(assurance, 9, until_ms < assurance->now_ms + days * ASSURANCE_DAY_MS, json_string(until), source, "%s", what);
}

static void say_running(struct assurance *assurance, const Cpis__V1__OperationsShowReply *shown, const char *source)
{
	const struct Cpis__V1__WaitingItems *waiting = shown->waiting;
	char started[11], witnessed[11];
	assurance_date(shown->started_ms, started);
	assurance_date(shown->log->witnessed_ms, witnessed);
	assurance_say(assurance, 1, false, json_integer((json_int_t)shown->log->size), source, "records in the audit log");
	json_t *figure = assurance_say(assurance, 4, shown->expiring > 0, json_integer(shown->expiring), source,
				       "enrolled systems whose certificate ends within 60 days");
	for (size_t i = 0; i < shown->n_expiring_soonest; i++)
		assurance_name(figure, "%s/%s", shown->expiring_soonest[i]->organisation, shown->expiring_soonest[i]->system_name);
	assurance_say(assurance, 4, false, json_integer(shown->systems), source, "systems enrolled and good");
	assurance_say(assurance, 6, false, json_integer((json_int_t)shown->edge->refused), source, "connections refused since %s", started);
	if (shown->log->witnesses_wanted && shown->log->witnessed_ms == 0)
		assurance_say(assurance, 6, true, json_string("never"), source, "when witnesses last cosigned the log");
	else if (shown->log->witnesses_wanted)
		assurance_say(assurance, 6, shown->log->witnessed_ms + ASSURANCE_DAY_MS < assurance->now_ms, json_string(witnessed), source,
			      "when witnesses last cosigned the log");
	else
		assurance_without(assurance, 6, "when witnesses last cosigned the log", "no witnesses are asked for");
	assurance_say(assurance, 7, waiting->older > 0, json_integer(waiting->older), source,
		      "notifications that nobody has acknowledged for more than three days%s", waiting->more ? " (or more: not all were counted)" : "");
	assurance_say(assurance, 7, false, json_integer((json_int_t)shown->failed_commits), source, "commits that failed since %s", started);
	assurance_say(assurance, 8, false, json_string(shown->version), source, "version of the broker that answers");
	say_end(assurance, shown->certificate_until_ms, CERTIFICATE_DAYS, source, "when the broker's certificate ends");
	say_end(assurance, shown->revocation_until_ms, LISTS_DAYS, source, "when the first revocation list goes out of date");
}

static int say_operations(struct assurance *assurance)
{
	Cpis__V1__OperationsShowRequest show = CPIS__V1__OPERATIONS_SHOW_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	struct assurance_asker *asker;
	char source[ASSURANCE_SOURCE_BYTES], why[ASSURANCE_SOURCE_BYTES];
	request.body_case = CPIS__V1__REQUEST__BODY_OPERATIONS_SHOW;
	request.operations_show = &show;
	int code = assurance_ask(assurance, ASSURANCE_SERVICE, &request, &reply, &asker, why);
	if (code != EXIT_DONE)
		return code;
	if (reply == NULL) {
		assurance_without(assurance, 4, "enrolled systems and their certificates", why);
		assurance_without(assurance, 6, "refused connections and witnesses", why);
		assurance_without(assurance, 7, "notifications that nobody acknowledges", why);
		assurance_without(assurance, 8, "version of the broker", why);
		return EXIT_DONE;
	}
	snprintf(source, sizeof source, "OPERATIONS_SHOW as %s (the operators' page of cpis-web)", asker->line.profile);
	say_running(assurance, reply->operations_show, source);
	cpis_reply_free(reply);
	return EXIT_DONE;
}

// ------------------------------------------------------------------ contacts

static int say_contacts(struct assurance *assurance)
{
	char after[ODS_CODE_BYTES_MAX + 1] = "", source[ASSURANCE_SOURCE_BYTES] = "", why[ASSURANCE_SOURCE_BYTES];
	json_t *silent = json_array(), *stale = json_array();
	json_int_t authorities = 0;
	int code = EXIT_DONE;
	bool known = false;
	for (bool more = true; more && code == EXIT_DONE;) {
		Cpis__V1__ContactsShowRequest show = CPIS__V1__CONTACTS_SHOW_REQUEST__INIT;
		Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
		const Cpis__V1__Reply *reply = NULL;
		struct assurance_asker *asker;
		show.every_organisation = true;
		show.after = after;
		request.body_case = CPIS__V1__REQUEST__BODY_CONTACTS_SHOW;
		request.contacts_show = &show;
		code = assurance_ask(assurance, ASSURANCE_SERVICE, &request, &reply, &asker, why);
		known = reply != NULL;
		if (!known)
			break;
		assurance_command(asker, source, "--json contacts sheet --out contacts.pdf");
		more = reply->contacts_show->more && reply->contacts_show->n_organisations > 0;
		for (size_t i = 0; i < reply->contacts_show->n_organisations; i++) {
			const Cpis__V1__OrganisationContacts *one = reply->contacts_show->organisations[i];
			snprintf(after, sizeof after, "%s", one->organisation);
			authorities += one->authority;
			if (one->authority && one->n_contacts == 0)
				json_array_append_new(silent, json_string(one->organisation));
			else if (one->authority && one->contacts[0]->stale)
				json_array_append_new(stale, json_string(one->organisation));
		}
		cpis_reply_free(reply);
	}
	if (code == EXIT_DONE && !known) {
		assurance_without(assurance, 7, "whom to ring at each authority", why);
	} else if (code == EXIT_DONE) {
		size_t i;
		json_t *name;
		json_t *figure = assurance_say(assurance, 7, json_array_size(silent) > 0, json_integer((json_int_t)json_array_size(silent)), source,
					       "of %lld authorities: with nobody to ring", (long long)authorities);
		json_array_foreach(silent, i, name)
			assurance_name(figure, "%s", json_string_value(name));
		figure = assurance_say(assurance, 7, json_array_size(stale) > 0, json_integer((json_int_t)json_array_size(stale)), source,
				       "of %lld authorities: with numbers that nobody confirmed for too long", (long long)authorities);
		json_array_foreach(stale, i, name)
			assurance_name(figure, "%s", json_string_value(name));
	}
	json_decref(silent);
	json_decref(stale);
	return code;
}

int assurance_service(struct assurance *assurance)
{
	int code = say_policy(assurance);
	if (code == EXIT_DONE)
		code = say_quarantine(assurance);
	if (code == EXIT_DONE)
		code = say_operations(assurance);
	return code == EXIT_DONE ? say_contacts(assurance) : code;
}
