// SPDX-License-Identifier: Apache-2.0
// libFuzzer's driver, as its interface documents it: the program keeps its own main.
#ifndef SONDE_CFUZZER_H
#define SONDE_CFUZZER_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*test)(const uint8_t *data, size_t size));

#endif
