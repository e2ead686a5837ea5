// What a trust bundle's directory holds, for those who make one. Inside certs/ only.
#ifndef CPIS_CERTS_TRUST_PRIV_H
#define CPIS_CERTS_TRUST_PRIV_H

#include "certs/identity.h"

// The folder in a bundle that holds the authorities to come.
#define TRUST_NEXT "next"

// Certificates and lists of the three authorities of one generation.
extern const char *const trust_files[];
extern const size_t trust_files_count;

// CERTS_CHAIN when the two bundles have an authority's key in common: that would be no change of authorities.
__attribute__((warn_unused_result)) enum certs_status trust_check_others(const char *directory, const char *next_directory,
									  char detail[CERTS_DETAIL_BYTES]);

#endif
