// The place where the core puts its metrics and another process reads them: memory that both have mapped, which only the core can
// write to. Neither ever waits for the other, and there is nothing to parse.
#ifndef CPIS_BROKER_METRICS_BOARD_H
#define CPIS_BROKER_METRICS_BOARD_H

#include "broker/metrics.h"

struct metrics_board;

// In the core. Makes the memory, and `ret_fd` to hand to the reader, the caller's to close. NULL: errno says why.
struct metrics_board *metrics_board_new(enum sandbox_mode sandbox, enum log_format log_format, int *ret_fd);
// In the reader: maps what it was handed, which must be sealed as the other does it. NULL: it is not.
const struct metrics_board *metrics_board_map(int fd);
void metrics_board_free(const struct metrics_board *board); // accepts NULL

// A sign of life; costs some nanoseconds. `now_ms` is monotonic.
void metrics_board_alive(struct metrics_board *board, uint64_t now_ms);
void metrics_board_put(struct metrics_board *board, const struct metrics *metrics);

// What the reader is set up with: as the core is.
enum sandbox_mode metrics_board_sandbox(const struct metrics_board *board);
enum log_format metrics_board_log_format(const struct metrics_board *board);
// Monotonic; 0: none yet.
uint64_t metrics_board_alive_ms(const struct metrics_board *board);
// The last picture, whole. False: there is none yet, or the core stands still in the middle of one.
__attribute__((warn_unused_result)) bool metrics_board_get(const struct metrics_board *board, struct metrics *ret);

#endif
