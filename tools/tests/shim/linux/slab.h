/* SPDX-License-Identifier: GPL-2.0-only */
/* The allocation calls that kmod/dirty.c uses. */
#ifndef SHIM_SLAB_H
#define SHIM_SLAB_H

#include <stdlib.h>

#define GFP_KERNEL 0
#define kvcalloc(n, size, gfp) calloc((n), (size))
#define kvfree(p) free(p)
#ifndef ENOMEM
#define ENOMEM 12
#endif

#endif /* SHIM_SLAB_H */
