// The network's front: the process.
#ifndef CPIS_BROKER_FRONT_PROCESS_H
#define CPIS_BROKER_FRONT_PROCESS_H

// Serves the core at the other end of FRONT_DESCRIPTOR until that one is gone or says stop. The exit code.
int front_process_run(void);

#endif
