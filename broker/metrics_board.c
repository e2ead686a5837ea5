// A sequence lock over shared memory: odd while it is written to.
#include "broker/metrics_board.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)
// A picture takes a microsecond to write, once a second.
#define TRIES 1000u

struct metrics_board {
	enum sandbox_mode sandbox;
	enum log_format log_format;
	_Atomic uint64_t alive_ms;
	_Atomic uint64_t sequence; // 0: nothing has been put yet
	struct metrics metrics;
};

struct metrics_board *metrics_board_new(enum sandbox_mode sandbox, enum log_format log_format, int *ret_fd)
{
	int fd = memfd_create("cpis-metrics", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return NULL;
	struct metrics_board *board = MAP_FAILED;
	if (ftruncate(fd, sizeof *board) == 0)
		board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	// After the mapping that may be written to: there will be no other.
	if (board == MAP_FAILED || fcntl(fd, F_ADD_SEALS, SEALS) != 0) {
		int saved = errno;
		if (board != MAP_FAILED)
			munmap(board, sizeof *board);
		close(fd);
		errno = saved;
		return NULL;
	}
	board->sandbox = sandbox;
	board->log_format = log_format;
	*ret_fd = fd;
	return board;
}

const struct metrics_board *metrics_board_map(int fd)
{
	struct stat status;
	// One that could be cut short would end its reader by a signal.
	if (fstat(fd, &status) != 0 || status.st_size != sizeof(struct metrics_board) || (fcntl(fd, F_GET_SEALS) & SEALS) != SEALS)
		return NULL;
	const struct metrics_board *board = mmap(NULL, sizeof *board, PROT_READ, MAP_SHARED, fd, 0);
	return board == MAP_FAILED ? NULL : board;
}

void metrics_board_free(const struct metrics_board *board)
{
	if (board != NULL)
		munmap((void *)(uintptr_t)board, sizeof *board);
}

void metrics_board_alive(struct metrics_board *board, uint64_t now_ms)
{
	atomic_store_explicit(&board->alive_ms, now_ms, memory_order_relaxed);
}

void metrics_board_put(struct metrics_board *board, const struct metrics *metrics)
{
	atomic_fetch_add(&board->sequence, 1);
	atomic_thread_fence(memory_order_seq_cst);
	memcpy(&board->metrics, metrics, sizeof *metrics);
	atomic_thread_fence(memory_order_seq_cst);
	atomic_fetch_add(&board->sequence, 1);
}

enum sandbox_mode metrics_board_sandbox(const struct metrics_board *board)
{
	return board->sandbox;
}

enum log_format metrics_board_log_format(const struct metrics_board *board)
{
	return board->log_format;
}

uint64_t metrics_board_alive_ms(const struct metrics_board *board)
{
	return atomic_load_explicit(&board->alive_ms, memory_order_relaxed);
}

bool metrics_board_get(const struct metrics_board *board, struct metrics *ret)
{
	for (unsigned i = 0; i < TRIES; i++) {
		uint64_t before = atomic_load(&board->sequence);
		if (before == 0)
			return false;
		if (before % 2 != 0)
			continue;
		atomic_thread_fence(memory_order_seq_cst);
		memcpy(ret, &board->metrics, sizeof *ret);
		atomic_thread_fence(memory_order_seq_cst);
		if (atomic_load(&board->sequence) == before)
			return true;
	}
	return false;
}
