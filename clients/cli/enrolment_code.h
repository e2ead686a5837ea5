// The one-time code of an invitation, as people write it and read it out: 48 digits in eight groups of six,
// "385275-010164-...". A group is 16 of the code's 128 bits times 11, as in the recovery keys of disk encryption that operators
// know. Why not hexadecimal: B, C, D and E sound alike over a telephone, digits do not. Any single wrong digit and any two
// neighbours exchanged make a group that 11 does not divide, so that the group which was misheard is named at once, before
// anything is sent.
#ifndef CPIS_CLI_ENROLMENT_CODE_H
#define CPIS_CLI_ENROLMENT_CODE_H

#include <stdint.h>

#include "proto/limits.h"

#define ENROLMENT_CODE_GROUPS 8u
#define ENROLMENT_CODE_TEXT_BYTES 56 // 48 digits, 7 hyphens, NUL

void enrolment_code_format(const uint8_t code[ENROLMENT_CODE_BYTES], char out[ENROLMENT_CODE_TEXT_BYTES]);
// Spaces and hyphens may stand anywhere between digits. 0: `ret` is written; 1 to 8: that group is wrong; 9: not 48 digits.
__attribute__((warn_unused_result)) unsigned enrolment_code_parse(const char *text, uint8_t ret[ENROLMENT_CODE_BYTES]);

#endif
