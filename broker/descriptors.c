// Descriptors from process to process.
#include "broker/descriptors.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "proto/invariant.h"

union control {
	struct cmsghdr head;
	char room[CMSG_SPACE(DESCRIPTORS_AT_ONCE * sizeof(int))];
};

bool descriptors_send(int socket, const void *data, size_t bytes, const int *descriptors, size_t count)
{
	union control control = {0};
	struct iovec part = {(void *)(uintptr_t)data, bytes};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	INVARIANT(count <= DESCRIPTORS_AT_ONCE);
	if (count > 0) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(count * sizeof *descriptors);
		*CMSG_FIRSTHDR(&message) = (struct cmsghdr){
			.cmsg_len = CMSG_LEN(count * sizeof *descriptors), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), descriptors, count * sizeof *descriptors);
	}
	ssize_t sent;
	do
		sent = sendmsg(socket, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)bytes;
}

ssize_t descriptors_receive(int socket, void *data, size_t bytes, int flags, int ret_descriptors[DESCRIPTORS_AT_ONCE], size_t *ret_count)
{
	union control control = {0};
	struct iovec part = {data, bytes};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	ssize_t received;
	*ret_count = 0;
	do
		received = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
	while (received < 0 && errno == EINTR);
	const struct cmsghdr *head = received < 0 ? NULL : CMSG_FIRSTHDR(&message);
	if (head != NULL && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS) {
		// What there is no room for the kernel has closed.
		*ret_count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(ret_descriptors, CMSG_DATA(head), *ret_count * sizeof(int));
	}
	return received;
}
