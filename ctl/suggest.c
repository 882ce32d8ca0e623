// SPDX-License-Identifier: GPL-2.0-only
/* "Did you mean": the known word that is nearest to an unknown one. Pure. */
#include <string.h>

#include "ctl.h"

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	a = a < b ? a : b;
	return a < c ? a : c;
}

/* Edit distance with transpositions; words here are short. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int d[25][25];
	size_t la = strlen(a), lb = strlen(b), i, j;

	if (la > 24 || lb > 24)
		return 99;
	for (i = 0; i <= la; i++)
		d[i][0] = (unsigned int)i;
	for (j = 0; j <= lb; j++)
		d[0][j] = (unsigned int)j;
	for (i = 1; i <= la; i++) {
		for (j = 1; j <= lb; j++) {
			d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1,
				       d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < d[i][j])
				d[i][j] = d[i - 2][j - 2] + 1;
		}
	}
	return d[la][lb];
}

const char *opt_suggest(const char *word, const char *const *words)
{
	unsigned int best = (unsigned int)strlen(word) / 3 + 1, n;
	const char *found = NULL;

	for (; *words; words++) {
		n = distance(word, *words);
		/* "stat" means "status" however far the two are apart */
		if (strlen(word) >= 3 && !strncmp(word, *words, strlen(word)))
			n = 1;
		if (n <= best && (!found || n < best)) {
			best = n;
			found = *words;
		}
	}
	return found;
}
