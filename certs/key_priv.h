// OpenSSL's view of a signing key, for issuing certificates. Inside certs/ only.
#ifndef CPIS_CERTS_KEY_PRIV_H
#define CPIS_CERTS_KEY_PRIV_H

#include <openssl/evp.h>

#include "certs/key.h"

// Borrowed.
EVP_PKEY *signing_key_evp(const struct signing_key *key);

#endif
