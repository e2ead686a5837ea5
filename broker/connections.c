// TCP connections by descriptor.
#include "broker/connections.h"

#include <arpa/inet.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "broker/limits.h"

#define STATE_LISTEN 10 // TCP_LISTEN of the kernel's tcp_states.h

struct connection {
	int fd;
	uint64_t received;  // bytes
	uint32_t silent_ms; // since the last of them
};

static unsigned descriptors(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > FRONT_DESCRIPTORS_MAX)
		return FRONT_DESCRIPTORS_MAX;
	return (unsigned)limit.rlim_cur;
}

// False: no TCP connection.
static bool look_at(int fd, struct connection *ret)
{
	struct tcp_info info = {0};
	socklen_t bytes = sizeof info;
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &bytes) != 0 || info.tcpi_state == STATE_LISTEN)
		return false;
	*ret = (struct connection){fd, info.tcpi_bytes_received, info.tcpi_last_data_recv};
	return true;
}

// Whoever is cut off first stands first.
static int by_worth(const void *left, const void *right)
{
	const struct connection *a = left, *b = right;
	bool a_shook = a->received >= CONNECTIONS_HANDSHAKE_BYTES, b_shook = b->received >= CONNECTIONS_HANDSHAKE_BYTES;
	if (a_shook != b_shook)
		return a_shook ? 1 : -1;
	return a->silent_ms < b->silent_ms ? 1 : a->silent_ms > b->silent_ms ? -1 : 0;
}

size_t connections_cut_off(size_t count)
{
	unsigned most = descriptors();
	size_t found = 0, cut = 0;
	struct connection *all = calloc(most, sizeof *all);
	if (all == NULL)
		return 0;
	for (unsigned fd = 0; fd < most; fd++)
		found += look_at((int)fd, &all[found]);
	qsort(all, found, sizeof *all, by_worth);
	for (size_t i = 0; i < found && i < count; i++)
		cut += shutdown(all[i].fd, SHUT_RDWR) == 0;
	free(all);
	return cut;
}

static void name_peer(int fd, uint64_t received, char ret[ATTEMPT_EXAMPLE_BYTES])
{
	struct sockaddr_in6 from = {0};
	socklen_t bytes = sizeof from;
	char address[INET6_ADDRSTRLEN] = "?";
	if (getpeername(fd, (struct sockaddr *)&from, &bytes) != 0)
		return;
	const struct sockaddr_in *old = (const struct sockaddr_in *)&from;
	if (from.sin6_family == AF_INET)
		inet_ntop(AF_INET, &old->sin_addr, address, sizeof address);
	else if (IN6_IS_ADDR_V4MAPPED(&from.sin6_addr))
		inet_ntop(AF_INET, &from.sin6_addr.s6_addr[12], address, sizeof address);
	else
		inet_ntop(AF_INET6, &from.sin6_addr, address, sizeof address);
	snprintf(ret, ATTEMPT_EXAMPLE_BYTES, "%s:%u, %llu MB", address, ntohs(from.sin6_port), (unsigned long long)(received >> 20));
}

void connections_name_largest(char ret[ATTEMPT_EXAMPLE_BYTES])
{
	struct connection largest = {.fd = -1}, one;
	unsigned most = descriptors();
	for (unsigned fd = 0; fd < most; fd++)
		if (look_at((int)fd, &one) && (largest.fd < 0 || one.received > largest.received))
			largest = one;
	ret[0] = '\0';
	if (largest.fd >= 0)
		name_peer(largest.fd, largest.received, ret);
}
