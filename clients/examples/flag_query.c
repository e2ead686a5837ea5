// Is this child known to children's social care?
//	flag_query NHS_NUMBER [RECEIPT_FILE]
// With a file the answer's receipt is kept: that the question was recorded can be shown with it later (verify_receipt.c).
#include "sign_in.h"

static void keep(const Cpis__V1__Receipt *receipt, const char *path)
{
	size_t bytes = cpis__v1__receipt__get_packed_size(receipt);
	uint8_t *packed = malloc(bytes);
	FILE *file = fopen(path, "wb");
	if (packed == NULL || file == NULL) {
		perror(path);
		exit(1);
	}
	cpis__v1__receipt__pack(receipt, packed);
	size_t written = fwrite(packed, 1, bytes, file);
	free(packed);
	if (fclose(file) != 0 || written != bytes) {
		perror(path);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: flag_query NHS_NUMBER [RECEIPT_FILE]\n");
		return 2;
	}
	struct cpis_client *client = sign_in();
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	flag.nhs_number = argv[1];
	flag.care_setting = CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT;
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &flag;
	enum cpis_status status = cpis_call(client, &request, 2000, &reply);
	check(client, status, reply);
	puts(reply->flag->flag ? "known" : "not known");
	if (argc > 2)
		keep(reply->receipt, argv[2]);
	cpis_reply_free(reply);
	cpis_close(client);
	return 0;
}
