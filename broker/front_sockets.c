// Listening sockets that outlive the front.
#include "broker/front_sockets.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/clock.h"
#include "broker/descriptors.h"

#define ALL_GIVEN ((uint8_t)LISTENERS)

bool front_sockets_give(const struct front_sockets *sockets, int pair)
{
	const uint8_t end = ALL_GIVEN;
	for (uint8_t which = 0; which < LISTENERS; which++)
		if (sockets->listening[which] > 0 && !descriptors_send(pair, &which, sizeof which, &sockets->listening[which], 1))
			return false;
	return descriptors_send(pair, &end, sizeof end, NULL, 0);
}

static bool listens(int descriptor)
{
	int accepts = 0, domain = 0, type = 0;
	socklen_t bytes = sizeof(int);
	return getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &bytes) == 0 && accepts != 0 &&
	       getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &bytes) == 0 && (domain == AF_INET || domain == AF_INET6) &&
	       getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &bytes) == 0 && type == SOCK_STREAM;
}

static void take_one(struct front_sockets *sockets, uint8_t which, int descriptor)
{
	// Whoever is woken for a connection that somebody else has taken must not wait for the next one.
	if (which < LISTENERS && which != LISTENER_ENROLMENT && sockets->listening[which] == 0 && listens(descriptor) &&
	    fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0) {
		int kept = fcntl(descriptor, F_DUPFD_CLOEXEC, 1);
		sockets->listening[which] = kept < 0 ? 0 : kept;
	}
	close(descriptor);
}

bool front_sockets_take(struct front_sockets *sockets, int pair, int timeout_ms)
{
	uint64_t now_ms = clock_monotonic_ms(), until_ms = now_ms + (uint64_t)timeout_ms;
	for (;; now_ms = clock_monotonic_ms()) {
		struct pollfd item = {.fd = pair, .events = POLLIN};
		int came[DESCRIPTORS_AT_ONCE];
		size_t count;
		uint8_t which;
		if (poll(&item, 1, now_ms < until_ms ? (int)(until_ms - now_ms) : 0) < 1 ||
		    descriptors_receive(pair, &which, sizeof which, MSG_DONTWAIT, came, &count) != (ssize_t)sizeof which)
			return false;
		for (size_t i = 0; i < count; i++)
			take_one(sockets, which, came[i]);
		if (which == ALL_GIVEN)
			return true;
	}
}

void front_sockets_close(struct front_sockets *sockets)
{
	for (enum listener which = 0; which < LISTENERS; which++) {
		if (sockets->listening[which] > 0)
			close(sockets->listening[which]);
		sockets->listening[which] = 0;
	}
}
