/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the program says: text for people, one JSON document for machines,
 * errors in either form. Nothing else writes to stdout or stderr.
 */
#ifndef SWB_CTL_OUT_H
#define SWB_CTL_OUT_H

#include "ctl.h"

/**
 * struct ctl_error - words of an error code
 * @code: upper-case word of the "code" member, for scripts
 * @exit: exit code that goes with it
 */
struct ctl_error {
	const char *code;
	int exit;
};

/* One row per way to fail; swblockctl(8) lists them. */
extern const struct ctl_error err_usage, err_no_object, err_ambiguous,
	err_failed, err_kernel, err_system, err_store, err_device, err_signature,
	err_in_use, err_refused, err_evidence, err_stale, err_timeout,
	err_no_module, err_hello, err_permission, err_disk_case;

/**
 * out_line() - a line for people; silent with -j
 * @ctl: context
 * @fmt: printf format, without newline
 */
void out_line(const struct ctl *ctl, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * out_note() - something worth knowing that is no result
 * @ctl: context
 * @fmt: printf format, without newline
 *
 * Goes to stderr, or into "notes" with -j.
 */
void out_note(struct ctl *ctl, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * out_fail() - say why the verb failed
 * @ctl: context
 * @err: row of the table above
 * @hint: what to do next, or NULL
 * @fmt: printf format, without newline
 *
 * With -j it is {"error":{"code":..,"message":..,"hint":..}} on stdout, and the
 * result so far is dropped. The first error of a run is the one printed.
 *
 * Return: the exit code of @err.
 */
int out_fail(struct ctl *ctl, const struct ctl_error *err, const char *hint,
	     const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Put one member into the result of the verb; consumes @value. */
void out_set(struct ctl *ctl, const char *key, json_t *value);

/* One line of a JSON stream, at once; consumes @value. */
void out_stream(const struct ctl *ctl, json_t *value);

/* Progress on a terminal: rewritten in place, silent elsewhere. */
void out_progress(const struct ctl *ctl, const char *what, uint64_t done,
		  uint64_t all);

/* Print the result, if -j and no error was printed. */
void out_finish(struct ctl *ctl);

/* Escape sequences, or empty strings without colour. */
const char *out_bold(const struct ctl *ctl);
const char *out_good(const struct ctl *ctl);
const char *out_bad(const struct ctl *ctl);
const char *out_warn(const struct ctl *ctl);
const char *out_plain(const struct ctl *ctl);

json_t *json_uuid(const struct swb_uuid *u);
json_t *json_u64(uint64_t v);
/* A case letter, null where there is none. */
json_t *json_letter(uint8_t letter);

#endif /* SWB_CTL_OUT_H */
