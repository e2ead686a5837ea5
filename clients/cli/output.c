// Text and JSON that several subcommands share.
#include "clients/cli/output.h"

#include <stdio.h>
#include <string.h>

#include "proto/date.h"

void output_json(json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(value);
}

json_t *output_envelope(const Cpis__V1__Reply *reply)
{
	json_t *envelope = json_pack("{s:s}", "outcome", wire_outcome_name(reply->outcome));
	if (reply->outcome != CPIS__V1__OUTCOME__OK) {
		json_object_set_new(envelope, "reason_code", json_string(reply->reason_code));
		json_object_set_new(envelope, "reason", json_string(reply->reason));
	}
	if (reply->rule[0] != '\0')
		json_object_set_new(envelope, "rule", json_string(reply->rule));
	if (reply->receipt != NULL) {
		json_object_set_new(envelope, "audit_index", json_integer((json_int_t)reply->receipt->index));
		json_object_set_new(envelope, "proof", json_string("checked"));
	}
	return envelope;
}

void output_receipt(const Cpis__V1__Reply *reply)
{
	if (reply->receipt != NULL)
		printf("Recorded as no. %llu in the audit log; proof checked.\n",
		       (unsigned long long)reply->receipt->index);
}

json_t *output_instant(uint64_t time_ms)
{
	char text[25];
	if (time_ms == 0)
		return json_null();
	instant_format(time_ms, text);
	return json_string(text);
}

void output_english_time(uint64_t time_ms, char out[17])
{
	struct english_time time = english_time_of(time_ms);
	char date[11];
	date_format(time.date, date);
	snprintf(out, 17, "%s %02u:%02u", date, time.minute_of_day / 60 % 24, time.minute_of_day % 60);
}

const char *output_care_setting(Cpis__V1__CareSetting setting, char out[40])
{
	size_t i = 0;
	for (const char *c = wire_care_setting_name(setting); *c != '\0' && i < 39; c++, i++)
		out[i] = *c == '_' ? ' ' : (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
	out[i] = '\0';
	return out;
}

json_t *output_access(const Cpis__V1__Access *access)
{
	json_t *value = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "name", access->name, "role_code",
				  access->role_code, "role_name", access->role_name, "organisation",
				  access->organisation, "organisation_name", access->organisation_name, "care_setting",
				  wire_care_setting_name(access->care_setting));
	json_object_set_new(value, "time", output_instant(access->time_ms));
	return value;
}
