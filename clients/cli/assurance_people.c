// Assurance from the role register: who holds what, who uses it, who was trained.
#include <string.h>

#include "clients/cli/assurance.h"
#include "clients/cli/commands.h"
#include "proto/limits.h"

struct people {
	struct assurance *assurance;
	json_t *overdue, *untold, *unused;   // arrays of "UID ROLE"
	json_int_t profiles, people, never_used, without_end;
	char last_uid[UID_DIGITS + 1];
};

static void take(struct people *people, const Cpis__V1__RoleProfile *profile)
{
	const struct assurance *assurance = people->assurance;
	char name[64];
	snprintf(name, sizeof name, "%.12s %.31s", profile->uid, profile->role_code);
	// They come by person.
	people->people += strcmp(people->last_uid, profile->uid) != 0;
	snprintf(people->last_uid, sizeof people->last_uid, "%s", profile->uid);
	people->profiles++;
	people->never_used += profile->last_used_ms == 0;
	people->without_end += profile->until_ms == 0;
	uint64_t since_ms = profile->last_used_ms > profile->from_ms ? profile->last_used_ms : profile->from_ms;
	if (since_ms + assurance->unused_days * ASSURANCE_DAY_MS < assurance->now_ms)
		json_array_append_new(people->unused, json_string(name));
	if (profile->trained_ms == 0)
		json_array_append_new(people->untold, json_string(name));
	else if (profile->trained_ms + assurance->training_days * ASSURANCE_DAY_MS < assurance->now_ms)
		json_array_append_new(people->overdue, json_string(name));
}

// False: nobody may ask, and `why` says it.
static int read_all(struct people *people, char source[ASSURANCE_SOURCE_BYTES], char why[ASSURANCE_SOURCE_BYTES], bool *ret)
{
	char uid[UID_DIGITS + 1] = "", role[ROLE_CODE_BYTES_MAX + 1] = "";
	for (bool more = true; more;) {
		Cpis__V1__RoleListRequest list = CPIS__V1__ROLE_LIST_REQUEST__INIT;
		Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
		const Cpis__V1__Reply *reply = NULL;
		struct assurance_asker *asker;
		list.after_uid = uid;
		list.after_role_code = role;
		request.body_case = CPIS__V1__REQUEST__BODY_ROLE_LIST;
		request.role_list = &list;
		int code = assurance_ask(people->assurance, ASSURANCE_OWN, &request, &reply, &asker, why);
		*ret = reply != NULL;
		if (code != EXIT_DONE || reply == NULL)
			return code;
		assurance_command(asker, source, "--json role list");
		more = reply->role_list->more && reply->role_list->n_profiles > 0;
		for (size_t i = 0; i < reply->role_list->n_profiles; i++) {
			take(people, reply->role_list->profiles[i]);
			snprintf(uid, sizeof uid, "%s", reply->role_list->profiles[i]->uid);
			snprintf(role, sizeof role, "%s", reply->role_list->profiles[i]->role_code);
		}
		cpis_reply_free(reply);
	}
	return EXIT_DONE;
}

// A figure that counts names, with the names.
static void say_names(struct assurance *assurance, unsigned standard, json_t *names, const char *source, const char *what)
{
	size_t i;
	json_t *name, *figure = assurance_say(assurance, standard, json_array_size(names) > 0, json_integer((json_int_t)json_array_size(names)),
					      source, "%s", what);
	json_array_foreach(names, i, name)
		assurance_name(figure, "%s", json_string_value(name));
}

static void say(struct people *people, const char *source)
{
	struct assurance *assurance = people->assurance;
	char what[160];
	assurance_say(assurance, 2, false, json_integer(people->people), source, "people with a role here");
	assurance_say(assurance, 2, false, json_integer(people->profiles), source, "role profiles that they hold");
	snprintf(what, sizeof what, "role profiles whose holder's training is more than %llu days ago", (unsigned long long)assurance->training_days);
	say_names(assurance, 3, people->overdue, source, what);
	say_names(assurance, 3, people->untold, source, "role profiles without a date of training");
	assurance_say(assurance, 3, false,
		      json_integer(people->profiles - (json_int_t)json_array_size(people->overdue) - (json_int_t)json_array_size(people->untold)),
		      source, "role profiles with training in time");
	snprintf(what, sizeof what, "role profiles that nobody used for %llu days or more", (unsigned long long)assurance->unused_days);
	say_names(assurance, 4, people->unused, source, what);
	assurance_say(assurance, 4, false, json_integer(people->never_used), source, "role profiles that were never used");
	assurance_say(assurance, 4, false, json_integer(people->without_end), source, "role profiles without an end date");
}

int assurance_people(struct assurance *assurance)
{
	struct people people = {.assurance = assurance, .overdue = json_array(), .untold = json_array(), .unused = json_array()};
	char source[ASSURANCE_SOURCE_BYTES] = "", why[ASSURANCE_SOURCE_BYTES];
	bool known = false;
	int code = read_all(&people, source, why, &known);
	if (code == EXIT_DONE && known) {
		say(&people, source);
	} else if (code == EXIT_DONE) {
		assurance_without(assurance, 2, "people and role profiles", why);
		assurance_without(assurance, 3, "training of who holds a role", why);
		assurance_without(assurance, 4, "use of role profiles", why);
	}
	json_decref(people.overdue);
	json_decref(people.untold);
	json_decref(people.unused);
	return code;
}
