// `cpis-broker --describe WHAT`: tables for people, as Markdown, from the tables that the program itself goes by. The manual
// pages are built with them, and tests/system/manual.sh holds the README files to them.
#ifndef CPIS_BROKER_DESCRIBE_H
#define CPIS_BROKER_DESCRIBE_H

#include <stdbool.h>
#include <stdio.h>

// False: there is no such topic, and nothing was printed. "topics" lists them.
__attribute__((warn_unused_result)) bool describe(const char *topic, FILE *out);

#endif
