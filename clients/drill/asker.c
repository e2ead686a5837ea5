// A profile, a client, a session.
#include "clients/drill/asker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/profile.h"
#include "clients/drill/place.h"
#include "proto/wire.h"

struct asker {
	char path[DRILL_PATH_BYTES + 64];
	struct profile *profile;
	struct cpis_client *client;
	bool signed_in;
};

static void leave(struct asker *asker)
{
	cpis_close(asker->client);
	profile_free(asker->profile);
	asker->client = NULL;
	asker->profile = NULL;
	asker->signed_in = false;
}

struct asker *asker_new(struct drill *drill, const char *profile)
{
	char name[64], detail[PROFILE_DETAIL_BYTES] = "";
	struct asker *asker = calloc(1, sizeof *asker);
	if (asker == NULL) {
		drill_fail(drill, "no memory");
		return NULL;
	}
	snprintf(name, sizeof name, "%s.yaml", profile);
	place_path(drill, name, asker->path);
	if (profile_load(asker->path, &asker->profile, detail))
		return asker;
	drill_fail(drill, "%s", detail);
	free(asker);
	return NULL;
}

void asker_free(struct asker *asker)
{
	if (asker != NULL)
		leave(asker);
	free(asker);
}

void asker_renew(struct asker *asker)
{
	leave(asker);
}

// What a client remembers of the log is its own here: several share a folder.
static enum cpis_status connect_again(struct asker *asker)
{
	char detail[CPIS_DETAIL_BYTES] = "", why[PROFILE_DETAIL_BYTES] = "";
	struct cpis_options options;
	if (asker->client != NULL)
		return CPIS_OK;
	if (asker->profile == NULL && !profile_load(asker->path, &asker->profile, why))
		return CPIS_USAGE;
	profile_connect_options(asker->profile, 0, &options);
	options.checkpoint_file = NULL;
	return cpis_connect(&options, &asker->client, detail);
}

static struct asker_answer judge(enum cpis_status status, const Cpis__V1__Reply *reply)
{
	struct asker_answer answer = {.answered = status == CPIS_OK, .status = status};
	if (status != CPIS_OK)
		return answer;
	answer.told = reply->outcome == CPIS__V1__OUTCOME__OK;
	snprintf(answer.reason, sizeof answer.reason, "%s",
		 reply->reason_code[0] != '\0' || answer.told ? reply->reason_code : wire_outcome_name(reply->outcome));
	cpis_reply_free(reply);
	return answer;
}

static struct asker_answer ask(struct asker *asker, const char *nhs_number, uint32_t deadline_ms)
{
	const Cpis__V1__Reply *reply = NULL;
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	flag.nhs_number = (char *)(uintptr_t)nhs_number;
	if (asker->profile->care_setting != NULL)
		flag.care_setting = strcmp(asker->profile->care_setting, "ambulance") == 0 ? CPIS__V1__CARE_SETTING__AMBULANCE
											      : CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT;
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &flag;
	enum cpis_status status = cpis_call(asker->client, &request, deadline_ms, &reply);
	return judge(status, reply);
}

struct asker_answer asker_flag(struct asker *asker, const char *nhs_number, uint32_t deadline_ms)
{
	enum cpis_status status = connect_again(asker);
	if (status != CPIS_OK)
		return (struct asker_answer){.status = status};
	if (!asker->signed_in) {
		const Cpis__V1__Reply *reply = NULL;
		status = cpis_session_open(asker->client, asker->profile->staff_certificate, asker->profile->staff_key,
					   asker->profile->role, deadline_ms, &reply);
		struct asker_answer opened = judge(status, reply);
		if (!opened.told)
			return opened;
		asker->signed_in = true;
	}
	return ask(asker, nhs_number, deadline_ms);
}
