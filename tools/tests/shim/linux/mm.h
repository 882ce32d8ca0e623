/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_MM_H
#define SHIM_MM_H
#endif /* SHIM_MM_H */
