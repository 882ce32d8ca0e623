/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A test is TEST(situation, "one sentence: what must hold") { ... CHECK(..) }.
 * Output is TAP; the seed of random tests is printed and SEED=n repeats it.
 */
#ifndef SWB_TEST_HARNESS_H
#define SWB_TEST_HARNESS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct test {
	const char *name;
	const char *intent;
	void (*run)(void);
};

#define TESTS_MAX 128

static struct test test_list[TESTS_MAX];
static unsigned int test_count;
static unsigned int test_failures;	/* of the running test */
static uint64_t test_seed;

#define TEST(id, what)							\
	static void id(void);						\
	__attribute__((constructor)) static void id##_add(void)		\
	{								\
		test_list[test_count++] = (struct test){ #id, what, id };	\
	}								\
	static void id(void)

#define CHECK(cond)							\
	do {								\
		if (!(cond) && test_failures++ < 10)			\
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond);	\
	} while (0)

#define CHECK_EQ(a, b)							\
	do {								\
		unsigned long long va = (unsigned long long)(a);	\
		unsigned long long vb = (unsigned long long)(b);	\
		if (va != vb && test_failures++ < 10)			\
			printf("# %s:%d: %s is %llu, not %llu (%s)\n",	\
			       __FILE__, __LINE__, #a, va, vb, #b);	\
	} while (0)

/* splitmix64 */
static inline uint64_t rnd(void)
{
	uint64_t z = (test_seed += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static inline uint64_t rnd_below(uint64_t n)
{
	return rnd() % n;
}

int main(void)
{
	const char *env = getenv("SEED");
	uint64_t seed = env ? strtoull(env, NULL, 0) : 20261122;
	unsigned int failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..%u\n# seed %llu\n", test_count,
	       (unsigned long long)seed);
	for (unsigned int i = 0; i < test_count; i++) {
		struct test *t = &test_list[i];

		test_seed = seed;
		test_failures = 0;
		t->run();
		printf("%s %u - %s: %s\n", test_failures ? "not ok" : "ok",
		       i + 1, t->name, t->intent);
		failed += test_failures != 0;
	}
	return failed != 0;
}

#endif /* SWB_TEST_HARNESS_H */
