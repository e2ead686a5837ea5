// Signing keys named by a file's path or by a PKCS#11 URI (RFC 7512), as staff's are: on a smart card or a token the key is used
// and never seen. Through p11-kit, which finds the module; only programs that call this link it.
#ifndef CPIS_CERTS_KEY_TOKEN_H
#define CPIS_CERTS_KEY_TOKEN_H

#include <stdbool.h>

#include "certs/identity.h"

// "pkcs11:..."; anything else is a path.
bool signing_key_is_token(const char *where);

// From a file as signing_key_load does, or from a token: the one private Ed25519 key that the URI describes, on a token that is
// present, in a module that the URI names (module-path) or that p11-kit is configured with. The PIN comes from the URI's
// pin-source (a file that only its owner reads) or pin-value; nobody is asked. It is wiped after use. `detail` says in words what
// is wrong, without the PIN. The key stays logged in until it is freed; one thread at a time.
// Ed25519 as in PKCS#11 3.0: CKM_EDDSA, with the public key beside the private one under the same CKA_ID.
__attribute__((warn_unused_result)) enum certs_status signing_key_open(const char *where, struct signing_key **ret,
									char detail[CERTS_DETAIL_BYTES]);

#endif
