// A broker that takes over (handover.h), started by a command that ends once it serves: what a service manager can run inside a unit
// (ExecReload= of systemd), whose main process it becomes. It is no child of that command's by then, but of the service manager, which so
// learns of its end.
#ifndef CPIS_BROKER_SUCCESSOR_H
#define CPIS_BROKER_SUCCESSOR_H

enum successor {
	SUCCESSOR_IS_THIS, // go on, and tell
	SUCCESSOR_SERVES,  // the command's end, well
	SUCCESSOR_FAILED,  // it ended before it served, and said why on standard error; or there is no process to be had
};

// Twice forked. Returns in the successor at once, with what it tells by; in the caller when that has told or ended. Before the first
// thread and before anything secret is read.
__attribute__((warn_unused_result)) enum successor successor_start(int *ret_told);
// It serves. Accepts a `*told` of -1, from a broker that nobody waits for; it is -1 afterwards. Within the core's sandbox.
void successor_tell(int *told);

#endif
