/* SPDX-License-Identifier: GPL-2.0-only */
/* TAP output for the tests of ctl/; single-threaded. */
#ifndef SWB_CTL_TESTS_TAP_H
#define SWB_CTL_TESTS_TAP_H

#include <stdio.h>
#include <stdlib.h>

static int tap_count, tap_failed;

#define ok(cond, ...) \
	do { \
		int tap_good = !!(cond); \
		printf("%sok %d - ", tap_good ? "" : "not ", ++tap_count); \
		printf(__VA_ARGS__); \
		putchar('\n'); \
		if (!tap_good) { \
			tap_failed++; \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond); \
		} \
		fflush(stdout); \
	} while (0)

static inline int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif /* SWB_CTL_TESTS_TAP_H */
