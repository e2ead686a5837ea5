// What every backend of the store shares.
#include "broker/store.h"

const char *store_status_text(enum store_status status)
{
	switch (status) {
#define X(name, sentence)                                                                            \
	case name:                                                                                   \
		return sentence;
		STORE_STATUS_TABLE(X)
#undef X
	}
	return "an unknown status";
}
