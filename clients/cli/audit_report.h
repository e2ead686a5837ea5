// `cpis audit report ...`.
#ifndef CPIS_CLI_AUDIT_REPORT_H
#define CPIS_CLI_AUDIT_REPORT_H

int audit_report(int argc, char **argv); // an exit code

#endif
