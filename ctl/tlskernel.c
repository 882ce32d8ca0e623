// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's half of TLS: keys into a socket. It fails open by nature: without
 * the cipher's module setsockopt() returns ENOENT and the socket goes on in clear
 * text. Here every failure shuts the socket down, and what was set is read back.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls.h"

#ifndef TCP_ULP
#define TCP_ULP		31
#endif
#ifndef SOL_TLS
#define SOL_TLS		282
#endif

#define NO_TLS	"this kernel has no TLS: modprobe tls (CONFIG_TLS)"

static bool ulp_failed(int err, char *why, size_t len)
{
	if (err == ENOENT)
		snprintf(why, len, NO_TLS);
	else if (err == ENOPROTOOPT || err == EOPNOTSUPP)
		snprintf(why, len, "only TCP connections can be encrypted");
	else
		snprintf(why, len, "the kernel's TLS refuses this socket: %s",
			 strerror(err));
	return false;
}

static bool set_ulp(int fd, char *why, size_t len)
{
	if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls") - 1))
		return ulp_failed(errno, why, len);
	return true;
}

static const char *cipher_module(int cipher)
{
	return cipher == TLS_CIPHER_AES_GCM_128 ? "gcm" : "chacha20poly1305";
}

static bool set_keys(int fd, int direction, const struct tls_direction *d,
		     char *why, size_t len)
{
	struct tls_crypto_info back = { 0 };
	socklen_t back_len = sizeof(back);

	if (setsockopt(fd, SOL_TLS, direction, &d->info, d->len)) {
		snprintf(why, len, "the kernel does not %s this cipher (%s): modprobe %s",
			 direction == TLS_TX ? "send with" : "receive with",
			 strerror(errno), cipher_module(d->info.cipher_type));
		return false;
	}
	if (getsockopt(fd, SOL_TLS, direction, &back, &back_len) ||
	    back.version != d->info.version ||
	    back.cipher_type != d->info.cipher_type) {
		snprintf(why, len, "the kernel took the keys and does not use them");
		return false;
	}
	return true;
}

static bool set_both(int fd, const struct tls_direction *tx,
		     const struct tls_direction *rx, char *why, size_t len)
{
	return set_ulp(fd, why, len) && set_keys(fd, TLS_TX, tx, why, len) &&
	       set_keys(fd, TLS_RX, rx, why, len);
}

bool tls_offload(int fd, struct tls_secrets *secrets, struct tls_result *res)
{
	char why[TLS_TEXT_MAX];
	bool good;
	int on = 1;

	good = set_both(fd, &secrets->tx, &secrets->rx, why, sizeof(why));
	explicit_bzero(secrets, sizeof(*secrets));
	if (good) {
		/* our side never pads; a kernel that does not know it copies once more */
		setsockopt(fd, SOL_TLS, TLS_RX_EXPECT_NO_PAD, &on, sizeof(on));
		res->reason = TLS_OK;
		return true;
	}
	/* half of it would be clear text in the other direction */
	shutdown(fd, SHUT_RDWR);
	res->reason = TLS_NO_OFFLOAD;
	text_copy(res->text, why, sizeof(res->text));
	return false;
}

/* ---- what can it do? --------------------------------------------------------- */

/* Two ends of one connection; false where there is no loopback. */
static bool loopback_pair(int sv[2])
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool good = false;

	sv[0] = -1;
	sv[1] = -1;
	if (listener < 0)
		return false;
	if (bind(listener, (struct sockaddr *)&at, len) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&at, &len))
		goto out;
	sv[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sv[0] < 0 || connect(sv[0], (struct sockaddr *)&at, len))
		goto out;
	sv[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	good = sv[1] >= 0;
out:
	if (!good && sv[0] >= 0)
		close(sv[0]);
	close(listener);
	return good;
}

static bool try_cipher(int cipher, char *why, size_t len)
{
	struct tls_direction d = { 0 };
	bool good;
	int sv[2];

	d.info.version = TLS_1_3_VERSION;
	d.info.cipher_type = (unsigned short)cipher;
	d.len = cipher == TLS_CIPHER_AES_GCM_128 ? sizeof(d.gcm) : sizeof(d.chacha);
	/* the keys are zeroes, the connection never carries a byte */
	if (!loopback_pair(sv))
		return true;
	good = set_both(sv[0], &d, &d, why, len);
	close(sv[0]);
	close(sv[1]);
	return good;
}

/* On a socket that is not connected TLS says so, if it is there at all. */
static bool ulp_there(char *why, size_t len)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int err = 0;

	if (fd < 0) {
		snprintf(why, len, "no TCP socket: %s", strerror(errno));
		return false;
	}
	if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls") - 1))
		err = errno;
	close(fd);
	return !err || err == ENOTCONN || ulp_failed(err, why, len);
}

bool tls_kernel_check(unsigned int *ciphers, char *why, size_t len)
{
	char gcm_why[TLS_TEXT_MAX];

	*ciphers = 0;
	if (!ulp_there(why, len))
		return false;
	if (try_cipher(TLS_CIPHER_AES_GCM_128, gcm_why, sizeof(gcm_why)))
		*ciphers |= TLS_CAN_AES_GCM;
	if (try_cipher(TLS_CIPHER_CHACHA20_POLY1305, why, len))
		*ciphers |= TLS_CAN_CHACHA;
	if (!*ciphers)
		text_copy(why, gcm_why, len);
	return *ciphers != 0;
}
