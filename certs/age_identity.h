// A member of staff's Ed25519 key as the program age(1) takes it: as a recipient of encrypted files, and to open them. age derives an
// X25519 key from it, for which it mixes in the public key (its ssh-ed25519 recipients). A key on a token cannot open anything: it signs.
#ifndef CPIS_CERTS_AGE_IDENTITY_H
#define CPIS_CERTS_AGE_IDENTITY_H

#include "certs/key.h"

#define AGE_RECIPIENT_BYTES 96

// "ssh-ed25519 AAAA...", of the public key.
void age_recipient(const uint8_t public_key[KEY_BYTES], char out[AGE_RECIPIENT_BYTES]);

// The private key in OpenSSH's form, in memory that only this process and what it starts can read: a descriptor that is handed on to
// programs, which read it as /proc/self/fd/N. Give it to age_identity_close. CERTS_WRONG_KEY_TYPE: no Ed25519 key in a file.
__attribute__((warn_unused_result)) enum certs_status age_identity_open(const char *key_path, int *ret_descriptor);
// Wipes and closes it.
void age_identity_close(int descriptor);

#endif
