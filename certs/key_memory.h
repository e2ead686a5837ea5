// Memory for secret keys: pages of their own between guard pages, locked (never in the swap space) and left out of core files;
// wiped when freed. It is OpenSSL's secure heap, which OpenSSL itself uses for the private keys and MAC keys that it holds.
// What a cipher makes of a key for its own use (AES round keys) lies in common memory: for that see privileges_lock_memory.
#ifndef CPIS_CERTS_KEY_MEMORY_H
#define CPIS_CERTS_KEY_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

// Before the first key and the first thread; asked again it says the same. False when the pages cannot be locked; keys then lie in them all the same, or,
// when there are none, in common memory.
__attribute__((warn_unused_result)) bool key_memory_init(void);
// Zeroed. NULL: there is no memory.
void *key_memory_new(size_t bytes);
// Wipes. Accepts NULL.
void key_memory_free(void *memory, size_t bytes);

#endif
