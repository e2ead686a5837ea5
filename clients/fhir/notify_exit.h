// How cpis-fhir-notify ends. The numbers are those of `cpis` (clients/cli/commands.h), each with what it means here: whoever runs
// it by `cpis inbox follow --exec` acknowledges an item for the first and for nothing else.
#ifndef CPIS_FHIR_NOTIFY_EXIT_H
#define CPIS_FHIR_NOTIFY_EXIT_H

#define NOTIFY_EXIT_TABLE(X)                                                                                                      \
	X(NOTIFY_TOLD, 0, "the endpoint has accepted it, and with it all that the item says")                                     \
	X(NOTIFY_USAGE, 1, "the command line, the settings, one of their files or the item is wrong; nothing was sent")           \
	X(NOTIFY_LATER, 2, "the endpoint could not be reached, did not answer in time or cannot answer now (408, 425, 429, 5xx); try again") \
	X(NOTIFY_REFUSED, 3, "the endpoint refuses it: any other status that is not 2xx, a redirect among them, or more answer than is read; somebody has to look into it") \
	X(NOTIFY_UNPROVEN, 4, "the endpoint's certificate does not hold for its name, or it offers no TLS 1.2; nothing was sent") \
	X(NOTIFY_HINTED, 5, "the endpoint has accepted a hint (`empty`, `id-only`): the item itself is still to be read")         \
	X(NOTIFY_FAILED, 6, "something else failed; the message says what")

enum notify_exit {
#define X(name, value, sentence) name = value,
	NOTIFY_EXIT_TABLE(X)
#undef X
};

#endif
