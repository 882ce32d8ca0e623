/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /etc/swblock/swblockd.yaml as a struct. Every mistake in it is found, each
 * with file, line, column and a sentence; nothing is guessed. swblockd.yaml(5).
 */
#ifndef SWB_CTL_CONFIG_H
#define SWB_CTL_CONFIG_H

#include "ctl.h"
#include "core/decide.h"
#include "log.h"

#define CONFIG_DEFAULT		"/etc/swblock/swblockd.yaml"
#define CONFIG_TEXT_MAX		512
#define CONFIG_ERRORS_MAX	20

/**
 * struct config - what the file says, defaults filled in
 * @path: of the file
 * @node: name of this host; members name it in the wish
 * @store: address of the authority store, with its options
 * @store_create: an SQLite store that is missing is made
 * @store_timeout_ms: bound of one store call
 * @listen: HOST:PORT that peers connect to
 * @advertise: HOST:PORT under which peers reach us; @listen if not given
 * @key_file: pre-shared keys; empty: loopback only, and without encryption
 * @tune: patience of decide
 * @poll_ms: the store is read this often, even if nothing seems to change
 * @sign_ms: so often a sign of life is written; 0: by the shortest lease
 * @order_ms: an order to the kernel that had no outcome for so long is repeated
 * @hello_ms: bound of connecting, TLS and hello
 * @auto_rebuild: a peer that needs a rebuild gets it without an order
 * @level: log level
 * @runtime_dir: lock of the single instance
 * @swblockctl: program that formats members
 * @metrics_listen: HOST:PORT of /metrics, numeric; empty: none
 * @metrics_public: it may be an address that others reach
 */
struct config {
	char path[CONFIG_TEXT_MAX];
	char node[SWBLOCK_LABEL_MAX];
	char store[CONFIG_TEXT_MAX];
	bool store_create;
	uint32_t store_timeout_ms;
	char listen[CONFIG_TEXT_MAX];
	char advertise[CONFIG_TEXT_MAX];
	char key_file[CONFIG_TEXT_MAX];
	struct swb_decide_tune tune;
	uint32_t poll_ms;
	uint32_t sign_ms;
	uint32_t order_ms;
	uint32_t hello_ms;
	bool auto_rebuild;
	enum log_level level;
	char runtime_dir[CONFIG_TEXT_MAX];
	char swblockctl[CONFIG_TEXT_MAX];
	char metrics_listen[CONFIG_TEXT_MAX];
	bool metrics_public;
};

/**
 * struct config_errors - "FILE:LINE:COLUMN: sentence", in the order of the file
 * @count: how many; at most CONFIG_ERRORS_MAX are kept
 * @text: those
 */
struct config_errors {
	unsigned int count;
	char text[CONFIG_ERRORS_MAX][CONFIG_TEXT_MAX + 256];
};

/**
 * config_load() - read and check
 * @path: file
 * @cfg: filled, also where errors were found
 * @errors: what is wrong
 *
 * Return: true if nothing is wrong.
 */
bool config_load(const char *path, struct config *cfg,
		 struct config_errors *errors);

/** config_say() - the effective values, as a file that config_load() takes */
void config_say(const struct config *cfg);

/**
 * config_needs_restart() - what differs and cannot be changed by a reload
 *
 * Return: key, or NULL.
 */
const char *config_needs_restart(const struct config *old,
				 const struct config *fresh);

#endif /* SWB_CTL_CONFIG_H */
