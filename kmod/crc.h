/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * crc32c for the module: swb_crc32c() of core/port.h, with the faster of two
 * implementations chosen at load.
 */
#ifndef SWB_CRC_H
#define SWB_CRC_H

#include "core/port.h"

/** swb_crc_init() - measure and choose; before anything calls swb_crc32c() */
void swb_crc_init(void);
void swb_crc_exit(void);

#endif /* SWB_CRC_H */
