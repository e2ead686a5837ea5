// What cpis-fhir asks for its callers, asked through libcpis alone: the sessions of the same tokens, the same question, and nothing to
// do with HTTP or JSON. For each line of its standard input, a number, the person of that place in TOKENS asks once; then it says "done".
//
// usage: direct PROFILE TOKENS NHS_NUMBER; TOKENS is a file with one token a line
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/profile.h"
#include "clients/libcpis/cpis.h"

#define PEOPLE_MAX 64
#define CALL_MS 10000
#define LINE_BYTES 8300

struct person {
	uint8_t token[CPIS_TOKEN_BYTES_MAX];
	size_t token_bytes;
};

struct asker {
	struct cpis_client *client;
	const char *nhs_number;
	struct person people[PEOPLE_MAX];
	size_t people_count;
};

static int complain(const char *what, const char *detail)
{
	fprintf(stderr, "direct: %s: %s\n", what, detail);
	return 2;
}

static bool keep(struct person *person, ProtobufCBinaryData token)
{
	if (token.len == 0 || token.len > sizeof person->token)
		return token.len == 0; // none: the one before is good
	memcpy(person->token, token.data, token.len);
	person->token_bytes = token.len;
	return true;
}

static bool sign_in(struct asker *asker, const char *path)
{
	char line[LINE_BYTES];
	FILE *file = fopen(path, "re");
	bool good = file != NULL;
	while (good && asker->people_count < PEOPLE_MAX && fgets(line, sizeof line, file) != NULL) {
		const Cpis__V1__Reply *reply = NULL;
		line[strcspn(line, "\n")] = '\0';
		good = cpis_session_open_token(asker->client, line, "", "", "", CALL_MS, &reply) == CPIS_OK &&
		       reply->outcome == CPIS__V1__OUTCOME__OK && keep(&asker->people[asker->people_count], reply->session_open->session_token);
		asker->people_count++;
		cpis_reply_free(reply);
	}
	if (file != NULL)
		fclose(file);
	return good && asker->people_count > 0;
}

static bool ask(struct asker *asker, size_t number)
{
	struct person *person = &asker->people[number % asker->people_count];
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	flag.nhs_number = (char *)(uintptr_t)asker->nhs_number;
	flag.care_setting = CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT;
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &flag;
	bool good = cpis_set_session_token(asker->client, person->token, person->token_bytes) &&
		    cpis_call(asker->client, &request, CALL_MS, &reply) == CPIS_OK && reply->outcome == CPIS__V1__OUTCOME__OK && reply->flag->flag &&
		    keep(person, reply->session_token);
	cpis_reply_free(reply);
	return good;
}

int main(int argc, char **argv)
{
	static struct asker asker;
	char detail[1024] = "", line[32];
	struct profile *profile = NULL;
	struct cpis_options options;
	if (argc != 4 || !profile_load(argv[1], &profile, detail))
		return complain("usage: direct PROFILE TOKENS NHS_NUMBER", detail);
	profile_connect_options(profile, 0, &options);
	if (cpis_connect(&options, &asker.client, detail) != CPIS_OK)
		return complain("no connection", detail);
	asker.nhs_number = argv[3];
	if (!sign_in(&asker, argv[2]))
		return complain("a session was not opened", cpis_detail(asker.client));
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof line, stdin) != NULL) {
		if (!ask(&asker, strtoul(line, NULL, 10)))
			return complain("a question was not answered", cpis_detail(asker.client));
		puts("done");
		fflush(stdout);
	}
	cpis_close(asker.client);
	profile_free(profile);
	return 0;
}
