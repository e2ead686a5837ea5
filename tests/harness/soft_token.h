// A PKCS#11 token for tests: SoftHSM2 (Debian's package), with its token in a throw-away directory. Nothing here returns an error:
// what goes wrong is printed and the process aborts.
#ifndef CPIS_TESTS_SOFT_TOKEN_H
#define CPIS_TESTS_SOFT_TOKEN_H

#define SOFT_TOKEN_LABEL "cpis-test"
#define SOFT_TOKEN_PIN "271828"

// Makes the token in `directory`, which is there, and points SOFTHSM2_CONF of this process and its children to it.
void soft_token_init(const char *directory);
// Makes a key pair on it: `type` as pkcs11-tool names it, e.g. "EC:edwards25519".
void soft_token_make_key(const char *type, const char *label, const char *id);
// What pkcs11-tool does with these arguments, logged in.
void soft_token_tool(const char *arguments);

#endif
