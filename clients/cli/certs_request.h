// `cpis certs`: what those who want certificates do, and what those who hold a trust bundle do when authorities change.
#ifndef CPIS_CLI_CERTS_REQUEST_H
#define CPIS_CLI_CERTS_REQUEST_H

#include "clients/cli/command_line.h"

int certs_request_curve(const struct command_line *line);
int certs_request_staff(const struct command_line *line);
int certs_adopt(const struct command_line *line);
int certs_finish_rotation(const struct command_line *line);

#endif
