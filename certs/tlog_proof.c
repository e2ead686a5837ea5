// C2SP tlog-proof. Salt and record are its extra data: what the entry, a commitment, is made of.
#include "certs/tlog_proof.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/note_priv.h"

static char *add_base64(char *out, const uint8_t *data, size_t bytes)
{
	note_base64(data, bytes, out);
	return out + strlen(out);
}

char *tlog_proof_format(const struct tlog_proof *proof)
{
	size_t extra_bytes = sizeof proof->salt + proof->record_bytes;
	uint8_t *extra = malloc(extra_bytes);
	char *text = malloc(200 + BASE64_BYTES(extra_bytes) + proof->path.count * (BASE64_BYTES(MERKLE_HASH_BYTES) + 1) +
			    sizeof proof->note);
	if (extra != NULL && text != NULL) {
		memcpy(extra, proof->salt, sizeof proof->salt);
		memcpy(extra + sizeof proof->salt, proof->record, proof->record_bytes);
		char *out = add_base64(stpcpy(text, "c2sp.org/tlog-proof@v1\nextra "), extra, extra_bytes);
		out += sprintf(out, "\nindex %llu\n", (unsigned long long)proof->index);
		for (size_t i = 0; i < proof->path.count; i++) {
			out = add_base64(out, proof->path.hashes[i].bytes, MERKLE_HASH_BYTES);
			*out++ = '\n';
		}
		*out++ = '\n';
		strcpy(out, proof->note);
	} else {
		free(text);
		text = NULL;
	}
	free(extra);
	return text;
}

enum certs_status tlog_proof_verify(const struct tlog_proof *proof, const struct note_verifier *verifier,
				    struct checkpoint *ret_checkpoint)
{
	return receipt_verify(verifier, proof->index, proof->salt, proof->record, proof->record_bytes, proof->path.hashes,
			      proof->path.count, proof->note, strlen(proof->note), ret_checkpoint);
}
