/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TLS 1.3 with a pre-shared key on a connected socket, and the keys that it
 * made handed to the kernel (kTLS), so that hello and frames are plain reads and
 * writes afterwards. docs/design/links.md says against whom this protects.
 *
 * There is no way through here that leaves a socket in clear text: whatever
 * fails, the socket is shut down before the function returns.
 */
#ifndef SWB_CTL_TLS_H
#define SWB_CTL_TLS_H

#include <linux/tls.h>

#include "ctl.h"

#define TLS_KEY_BYTES		32
#define TLS_ID_MAX		64	/* with NUL */
#define TLS_ID_DEFAULT		"swblock"
#define TLS_KEYS_MAX		32
#define TLS_TEXT_MAX		200

/** enum tls_reason - why there is no encrypted link; a fixed list */
enum tls_reason {
	TLS_OK			= 0,
	TLS_TIMEOUT		= 1,
	TLS_CLOSED		= 2,	/* the other end hung up */
	TLS_IO_ERROR		= 3,
	TLS_PLAINTEXT		= 4,	/* swblock, but without TLS */
	TLS_NOT_TLS		= 5,	/* neither TLS nor swblock */
	TLS_NO_KEY		= 6,	/* TLS without a pre-shared key */
	TLS_UNKNOWN_KEY		= 7,	/* an identity that is not in our file */
	TLS_WRONG_KEY		= 8,	/* the right identity, another key */
	TLS_ALTERED		= 9,	/* replayed, or changed on its way */
	TLS_BAD_PEER		= 10,	/* other violations of TLS */
	TLS_REFUSED		= 11,	/* the other side ended it by an alert */
	TLS_LEFTOVER		= 12,	/* bytes behind the handshake */
	TLS_NO_OFFLOAD		= 13,	/* the kernel does not take the keys */
	TLS_NO_MEMORY		= 14,
	__TLS_REASON_MAX,
};

enum tls_role { TLS_CLIENT, TLS_SERVER };

/* sets of ciphers */
#define TLS_CAN_AES_GCM		1u
#define TLS_CAN_CHACHA		2u

/** struct tls_key - one pre-shared key and the name that goes over the wire */
struct tls_key {
	char id[TLS_ID_MAX];
	uint8_t key[TLS_KEY_BYTES];
};

/**
 * struct tls_keys - the keys of a file, in its order
 *
 * A client uses the first. A server takes all of them, so that a key can be
 * replaced while links are up: add it everywhere, put it first everywhere,
 * remove the old one everywhere.
 */
struct tls_keys {
	unsigned int count;
	struct tls_key key[TLS_KEYS_MAX];
};

/** struct tls_direction - what the kernel is told for one direction */
struct tls_direction {
	union {
		struct tls_crypto_info info;
		struct tls12_crypto_info_aes_gcm_128 gcm;
		struct tls12_crypto_info_chacha20_poly1305 chacha;
	};
	socklen_t len;
};

/** struct tls_secrets - the outcome of a handshake; wipe it */
struct tls_secrets {
	struct tls_direction tx;
	struct tls_direction rx;
};

/**
 * struct tls_result - how it ended
 * @reason: TLS_OK, or why not
 * @by_peer: the other side refused
 * @text: one sentence
 * @key_id: identity of the key that was used
 * @cipher: TLS_CIPHER_*
 */
struct tls_result {
	enum tls_reason reason;
	bool by_peer;
	char text[TLS_TEXT_MAX];
	char key_id[TLS_ID_MAX];
	int cipher;
};

const char *tls_reason_text(enum tls_reason reason);

/**
 * tls_keys_load() - read a key file
 * @path: lines of [ID:]KEY; KEY is 32 bytes in hex or base64, # begins a comment
 * @keys: filled; wipe it with tls_keys_wipe()
 * @why: sentence, if it is refused
 * @len: size of @why
 *
 * Refused: a file that others than owner and group may read or others than the
 * owner may write, that belongs to neither root nor us, without a key, or with
 * one identity twice.
 */
bool tls_keys_load(const char *path, struct tls_keys *keys, char *why, size_t len);
/** tls_keys_add() - one more; false if full, or the identity has another key */
bool tls_keys_add(struct tls_keys *keys, const struct tls_key *key);
const struct tls_key *tls_keys_find(const struct tls_keys *keys, const char *id);
void tls_keys_wipe(struct tls_keys *keys);

/**
 * tls_kernel_check() - can this kernel take over both directions?
 * @ciphers: TLS_CAN_*, those that it takes; 0 if it returns false
 * @why: sentence with the remedy
 * @len: size of @why
 *
 * Tries each cipher on a connection of its own over loopback, which also loads the
 * modules. Where loopback is down only the presence of TLS itself is tested.
 */
bool tls_kernel_check(unsigned int *ciphers, char *why, size_t len);

/**
 * tls_handshake() - the handshake only
 * @fd: connected stream socket
 * @role: the side that connected is the client
 * @keys: at least one
 * @ciphers: TLS_CAN_*, 0 for all
 * @deadline_ns: CLOCK_BOOTTIME
 * @secrets: filled on success
 * @res: how it ended
 *
 * Not one byte behind the handshake has been read or written. On failure the
 * socket is shut down.
 */
bool tls_handshake(int fd, enum tls_role role, const struct tls_keys *keys,
		   unsigned int ciphers, uint64_t deadline_ns,
		   struct tls_secrets *secrets, struct tls_result *res);

/** tls_offload() - both directions into the kernel, or the socket is shut down */
bool tls_offload(int fd, struct tls_secrets *secrets, struct tls_result *res);

/** tls_run() - both of them; wipes what it knew */
bool tls_run(int fd, enum tls_role role, const struct tls_keys *keys,
	     uint64_t deadline_ns, struct tls_result *res);

#endif /* SWB_CTL_TLS_H */
