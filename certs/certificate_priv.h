// Reading certificates, lists and their fields through OpenSSL. Inside certs/ only.
#ifndef CPIS_CERTS_CERTIFICATE_PRIV_H
#define CPIS_CERTS_CERTIFICATE_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "certs/identity.h"

// Writes "<place>: <status sentence>: <why>" (without the last part when `why` is NULL), cut to fit at a character.
// Returns `status`, so that a refusal is one statement.
enum certs_status certificate_refuse(char detail[CERTS_DETAIL_BYTES], enum certs_status status, const char *place,
				     const char *why);

// Exactly one certificate or list, to the last byte. The caller frees.
__attribute__((warn_unused_result)) enum certs_status certificate_from_der(const uint8_t *der, size_t der_bytes,
									    X509 **ret);
__attribute__((warn_unused_result)) enum certs_status certificate_from_file(const char *path, X509 **ret);
__attribute__((warn_unused_result)) enum certs_status certificate_list_from_file(const char *path, X509_CRL **ret);

// False when the field is not what RFC 5280 allows.
__attribute__((warn_unused_result)) bool certificate_time_ms(const ASN1_TIME *time, uint64_t *ret);
__attribute__((warn_unused_result)) bool certificate_serial_of(const X509 *certificate, struct certificate_serial *ret);

// Well-formed UTF-8 without control characters (the rule of proto/text.h, which certs/ does not see), 1 to
// IDENTITY_NAME_BYTES_MAX bytes, no space at either end.
bool certificate_name_is_clean(const uint8_t *text, size_t text_bytes);
// The first CN. False when there is none or it is not clean.
bool certificate_common_name(const X509 *certificate, char out[IDENTITY_NAME_BYTES_MAX + 1]);
// "certificate of <CN>", or without the CN when that is not fit to print.
#define CERTIFICATE_PLACE_BYTES (IDENTITY_NAME_BYTES_MAX + 24)
void certificate_place(const X509 *certificate, char out[CERTIFICATE_PLACE_BYTES]);

#endif
