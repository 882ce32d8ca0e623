// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything the program says. Human text or one JSON document, never both; the
 * exit code follows from the error row, so that text and code cannot disagree.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "out.h"

const struct ctl_error err_usage = { "USAGE", CTL_USAGE };
const struct ctl_error err_no_object = { "NO_SUCH_OBJECT", CTL_NO_OBJECT };
const struct ctl_error err_ambiguous = { "AMBIGUOUS_NAME", CTL_NO_OBJECT };
const struct ctl_error err_failed = { "FAILED", CTL_FAILED };
const struct ctl_error err_kernel = { "KERNEL_REFUSED", CTL_FAILED };
const struct ctl_error err_system = { "SYSTEM_ERROR", CTL_FAILED };
const struct ctl_error err_store = { "STORE_ERROR", CTL_FAILED };
const struct ctl_error err_device = { "BAD_DEVICE", CTL_FAILED };
const struct ctl_error err_signature = { "SIGNATURE_FOUND", CTL_REFUSED };
const struct ctl_error err_in_use = { "IN_USE", CTL_REFUSED };
const struct ctl_error err_refused = { "REFUSED", CTL_REFUSED };
const struct ctl_error err_evidence = { "EVIDENCE_MISSING", CTL_REFUSED };
const struct ctl_error err_stale = { "RECORD_MOVED_ON", CTL_REFUSED };
const struct ctl_error err_timeout = { "TIMEOUT", CTL_TIMEOUT };
const struct ctl_error err_no_module = { "NO_MODULE", CTL_NO_MODULE };
const struct ctl_error err_hello = { "HELLO_FAILED", CTL_FAILED };
const struct ctl_error err_permission = { "NOT_PERMITTED", CTL_FAILED };
const struct ctl_error err_disk_case = { "ATTACH_REFUSED", CTL_FAILED };

void out_line(const struct ctl *ctl, const char *fmt, ...)
{
	va_list ap;

	if (ctl->json)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static json_t *json_vtext(const char *fmt, va_list ap)
{
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, ap);
	return json_string_nocheck(text);
}

void out_note(struct ctl *ctl, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (ctl->json) {
		if (!ctl->notes)
			ctl->notes = json_array();
		json_array_append_new(ctl->notes, json_vtext(fmt, ap));
	} else {
		fflush(stdout);
		fputs("note: ", stderr);
		vfprintf(stderr, fmt, ap);
		fputc('\n', stderr);
	}
	va_end(ap);
}

static void print_json(const json_t *value, size_t flags)
{
	json_dumpf(value, stdout, flags | JSON_PRESERVE_ORDER);
	putchar('\n');
	fflush(stdout);
}

int out_fail(struct ctl *ctl, const struct ctl_error *err, const char *hint,
	     const char *fmt, ...)
{
	va_list ap;

	if (ctl->failed)
		return err->exit;
	ctl->failed = true;
	va_start(ap, fmt);
	if (ctl->json) {
		json_t *body = json_object();
		json_t *top = json_object();

		json_object_set_new(body, "code", json_string(err->code));
		json_object_set_new(body, "message", json_vtext(fmt, ap));
		json_object_set_new(body, "hint",
				    hint ? json_string_nocheck(hint) : json_null());
		json_object_set_new(body, "exit", json_integer(err->exit));
		json_object_set_new(top, "error", body);
		if (ctl->notes)
			json_object_set(top, "notes", ctl->notes);
		print_json(top, ctl->streaming ? JSON_COMPACT : JSON_INDENT(2));
		json_decref(top);
	} else {
		fflush(stdout);
		fprintf(stderr, "swblockctl: %serror:%s ",
			isatty(STDERR_FILENO) ? out_bad(ctl) : "",
			isatty(STDERR_FILENO) ? out_plain(ctl) : "");
		vfprintf(stderr, fmt, ap);
		fputc('\n', stderr);
		if (hint)
			fprintf(stderr, "  %s\n", hint);
	}
	va_end(ap);
	return err->exit;
}

void out_set(struct ctl *ctl, const char *key, json_t *value)
{
	if (!ctl->result)
		ctl->result = json_object();
	json_object_set_new(ctl->result, key, value);
}

void out_stream(const struct ctl *ctl, json_t *value)
{
	if (ctl->json)
		print_json(value, JSON_COMPACT);
	json_decref(value);
}

void out_progress(const struct ctl *ctl, const char *what, uint64_t done,
		  uint64_t all)
{
	if (ctl->json || !isatty(STDERR_FILENO) || !all)
		return;
	fprintf(stderr, "\r%s %3" PRIu64 "%%%s", what, done * 100 / all,
		done >= all ? "\n" : "");
	fflush(stderr);
}

void out_finish(struct ctl *ctl)
{
	if (ctl->json && !ctl->failed && !ctl->streaming) {
		if (!ctl->result)
			ctl->result = json_object();
		if (ctl->notes)
			json_object_set(ctl->result, "notes", ctl->notes);
		print_json(ctl->result, JSON_INDENT(2));
	}
	json_decref(ctl->result);
	json_decref(ctl->notes);
	ctl->result = NULL;
	ctl->notes = NULL;
}

const char *out_bold(const struct ctl *ctl)
{
	return ctl->color ? "\033[1m" : "";
}

const char *out_good(const struct ctl *ctl)
{
	return ctl->color ? "\033[32m" : "";
}

const char *out_bad(const struct ctl *ctl)
{
	return ctl->color ? "\033[31m" : "";
}

const char *out_warn(const struct ctl *ctl)
{
	return ctl->color ? "\033[33m" : "";
}

const char *out_plain(const struct ctl *ctl)
{
	return ctl->color ? "\033[0m" : "";
}

json_t *json_uuid(const struct swb_uuid *u)
{
	char text[CTL_UUID_TEXT];

	if (swb_uuid_is_null(u))
		return json_null();
	uuid_text(u, text);
	return json_string(text);
}

json_t *json_u64(uint64_t v)
{
	return json_integer((json_int_t)v);
}

json_t *json_letter(uint8_t letter)
{
	char text[2] = { (char)letter, 0 };

	if (letter < 'A' || letter > 'Z')
		return json_null();
	return json_string(text);
}
