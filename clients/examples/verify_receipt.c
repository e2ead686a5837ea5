// Shows, without a broker, that an answer was recorded: the receipt that flag_query.c kept against the log's key in the trust bundle.
//	verify_receipt TRUST_DIRECTORY RECEIPT_FILE
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <cpis.h>

#define RECEIPT_BYTES_MAX 65536

int main(int argc, char **argv)
{
	static uint8_t packed[RECEIPT_BYTES_MAX];
	if (argc != 3) {
		fprintf(stderr, "usage: verify_receipt TRUST_DIRECTORY RECEIPT_FILE\n");
		return 2;
	}
	FILE *file = fopen(argv[2], "rb");
	if (file == NULL) {
		perror(argv[2]);
		return 1;
	}
	size_t bytes = fread(packed, 1, sizeof packed, file);
	fclose(file);
	Cpis__V1__Receipt *receipt = cpis__v1__receipt__unpack(NULL, bytes, packed);
	if (receipt == NULL) {
		fprintf(stderr, "%s: this is not a receipt\n", argv[2]);
		return 1;
	}
	char detail[CPIS_DETAIL_BYTES];
	enum cpis_status status = cpis_verify_proof(argv[1], receipt, detail);
	if (status != CPIS_OK) {
		fprintf(stderr, "%s: %s\n", cpis_status_text(status), detail);
		cpis__v1__receipt__free_unpacked(receipt, NULL);
		return 1;
	}
	// Who and which child are in the record too, sealed: the broker's operators alone can open that.
	Cpis__V1__AuditRecord *record = cpis__v1__audit_record__unpack(NULL, receipt->record.len, receipt->record.data);
	if (record == NULL) {
		fprintf(stderr, "%s: it is in the log and cannot be read\n", argv[2]);
		cpis__v1__receipt__free_unpacked(receipt, NULL);
		return 1;
	}
	printf("record %" PRIu64 ": %s of %s asked %s, outcome %d\n", record->index, record->system_name, record->organisation,
	       record->broker_name, (int)record->outcome);
	cpis__v1__audit_record__free_unpacked(record, NULL);
	cpis__v1__receipt__free_unpacked(receipt, NULL);
	return 0;
}
