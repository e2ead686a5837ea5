// Sentences for the statuses.
#include "certs/certs_status.h"

const char *certs_status_text(enum certs_status status)
{
	switch (status) {
#define X(name, sentence)                                                                            \
	case name:                                                                                   \
		return sentence;
		CERTS_STATUS_TABLE(X)
#undef X
	}
	return "?";
}
