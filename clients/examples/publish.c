// A local authority publishes one child protection plan, a signed act.
//	publish AUTHORITY NHS_NUMBER BIRTH_DATE FAMILY_NAME GIVEN_NAMES START_DATE EMERGENCY_DUTY_TELEPHONE
#include "sign_in.h"

// Nothing is published for an authority that cannot be rung.
static void set_telephone(struct cpis_client *client, char *telephone)
{
	Cpis__V1__ContactsSetRequest contacts = CPIS__V1__CONTACTS_SET_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	contacts.emergency_duty_telephone = telephone;
	request.body_case = CPIS__V1__REQUEST__BODY_CONTACTS_SET;
	request.contacts_set = &contacts;
	enum cpis_status status = cpis_call_signed(client, &request, setting("CPIS_STAFF_KEY"), 5000, &reply);
	check(client, status, reply);
	cpis_reply_free(reply);
}

int main(int argc, char **argv)
{
	if (argc != 8) {
		fprintf(stderr, "usage: publish AUTHORITY NHS_NUMBER BIRTH_DATE FAMILY_NAME GIVEN_NAMES START_DATE TELEPHONE\n");
		return 2;
	}
	struct cpis_client *client = sign_in();
	set_telephone(client, argv[7]);

	Cpis__V1__PlanRecord plan = CPIS__V1__PLAN_RECORD__INIT, *plans[] = {&plan};
	Cpis__V1__PublishRequest publish = CPIS__V1__PUBLISH_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	plan.nhs_number = argv[2];
	plan.type = CPIS__V1__PLAN_TYPE__CPP;
	plan.birth_date = argv[3];
	plan.family_name = argv[4];
	plan.given_names = argv[5];
	plan.start_date = argv[6];
	plan.row = 1;
	publish.authority = argv[1];
	publish.n_records = 1;
	publish.records = plans;
	request.body_case = CPIS__V1__REQUEST__BODY_PUBLISH;
	request.publish = &publish;
	enum cpis_status status = cpis_call_signed(client, &request, setting("CPIS_STAFF_KEY"), 5000, &reply);
	check(client, status, reply);
	for (size_t i = 0; i < reply->publish->n_rejected; i++)
		fprintf(stderr, "row %u: %s: %s\n", reply->publish->rejected[i]->row, reply->publish->rejected[i]->field,
			reply->publish->rejected[i]->detail);
	printf("%u of %u stored\n", reply->publish->stored, reply->publish->received);
	int code = reply->publish->stored == reply->publish->received ? 0 : 1;
	cpis_reply_free(reply);
	cpis_close(client);
	return code;
}
