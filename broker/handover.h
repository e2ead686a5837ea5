// One broker takes the place of another that runs, of an older version or with another configuration, and no request is refused for
// it: the new one reads and checks everything, and asks the old one, which tells whoever waits to ask again in a moment, commits,
// closes the store, and gives its listening sockets away. Connections wait in the kernel's queue until the new one serves; then the
// old one ends. When the new one ends before that, the old one takes everything back and serves on. Never have both the store open:
// its own lock sees to that, not this.
//
// They talk over a pair of sockets that the new one makes and sends to the old one's handover_socket, a Unix datagram socket of the
// broker's user, mode 0600: the old one has no need to accept connections, which its sandbox denies it. What is said (text, one message each):
//
//	new to old   "take over 1 VERSION"
//	old to new   "yes", or "no: SENTENCE" and nothing more
//	old to new   "yours ENDPOINT NEXT-ENDPOINT" ("-": none), as the configuration has them, then the sockets (front_sockets.h).
//	             The store is closed
//	new to old   "serving"
//	old to new   "ended", in place of waiting for that, when it was told to stop
#ifndef CPIS_BROKER_HANDOVER_H
#define CPIS_BROKER_HANDOVER_H

#include "broker/process.h"

// ------------------------------------------------------------------ the new one

// Asks whoever runs with this handover_socket, and waits until the store and the sockets are ours. True, and no sockets, when nobody
// runs. False with a sentence: what runs goes on. Before the store is opened.
__attribute__((warn_unused_result)) bool handover_take(struct broker *broker, struct front_sockets *ret, char detail[PROCESS_DETAIL_BYTES]);
// From now on this broker can be asked, but nobody finds it before handover_serve. With the store open, before calls are limited. Where
// it cannot be, that is told as a warning.
void handover_listen(struct broker *broker);
// It serves. False with a sentence: the old one has taken everything back, and this one must end.
__attribute__((warn_unused_result)) bool handover_serve(struct broker *broker, char detail[PROCESS_DETAIL_BYTES]);

// ------------------------------------------------------------------ the old one

// Whether somebody who may has asked. What to wait with is `broker->wake`.
__attribute__((warn_unused_result)) bool handover_asked(struct broker *broker);
enum handover_end {
	HANDOVER_GIVEN,      // another broker serves: end
	HANDOVER_TAKEN_BACK, // serve on
	HANDOVER_LOST,       // neither: the log says why
};
// After the front has stopped and everything was committed. Waits for the new one, HANDOVER_SERVE_MS at most.
__attribute__((warn_unused_result)) enum handover_end handover_give(struct broker *broker);

// Accepts one that never listened.
void handover_close(struct broker *broker);

// How long the new one waits for an answer, and then for the store.
#define HANDOVER_ANSWER_MS 5000
#define HANDOVER_STORE_MS 30000
// How long the old one waits for the new one to serve. A large store takes seconds to open.
#define HANDOVER_SERVE_MS 60000
// How long the new one waits for the old one to have told the service manager so.
#define HANDOVER_END_MS 1000
// And then for its lock on the store.
#define HANDOVER_LOCK_MS 2000
// When whoever is told that the broker hands over may ask again.
#define HANDOVER_RETRY_AFTER_MS 100u

#endif
