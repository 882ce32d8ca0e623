/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /metrics: how the members of this host stand, in Prometheus' text format 0.0.4.
 * docs/design/observability.md lists what is in it; names and labels are an API.
 */
#ifndef SWB_CTL_METRICS_H
#define SWB_CTL_METRICS_H

#include <stdio.h>

#include "daemon.h"

/**
 * metrics_page() - ask the kernel, and write all of it
 * @d: the daemon
 * @len: filled: bytes
 *
 * A kernel that does not answer, or a member that goes meanwhile, is missing in
 * it; swblock_module_up tells the former.
 *
 * Return: to be freed; NULL without memory.
 */
char *metrics_page(const struct daemon *d, size_t *len);

/** metrics_label() - the value of a label, quoted and escaped */
void metrics_label(FILE *out, const char *text);

/**
 * metrics_hist() - samples of one histogram
 * @out: to here
 * @name: of the family
 * @labels: those of all its samples, "a=\"b\""
 * @h: the histogram; its edges are whole octaves, so counts are exact
 */
void metrics_hist(FILE *out, const char *name, const char *labels,
		  const struct swb_lat_hist *h);

#endif /* SWB_CTL_METRICS_H */
