// The process that serves metrics and health by HTTP on a loopback address: started and, when it ends, started again by the keeper
// (front_keeper.h). It has a socket and a board to read from, no key, no file and no way to the core.
#ifndef CPIS_BROKER_METRICS_PROCESS_H
#define CPIS_BROKER_METRICS_PROCESS_H

#define METRICS_ARGUMENT "--metrics"

// With its two descriptors at FRONT_DESCRIPTOR. The exit code.
int metrics_process_run(void);

#endif
