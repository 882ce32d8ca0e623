#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A kernel without TLS, or whose TLS lacks the cipher: a link with a key is refused with
# the remedy before anybody is asked, and no byte leaves in clear text.
# timeout: 200
. "$SWB_TOP/selftests/lib.sh"
. "$SWB_TOP/selftests/helpers/volume.sh"
. "$SWB_TOP/selftests/helpers/link.sh"
. "$SWB_TOP/selftests/helpers/tls.sh"

require_tool gcc
wire
make_key "$swb_tmp/key"
two best_effort
# this kernel, but with an answer of another one to setsockopt()
cat >"$swb_tmp/old.c" <<'EOC'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int setsockopt(int fd, int level, int name, const void *val, socklen_t len)
{
	int (*real)(int, int, int, const void *, socklen_t) = dlsym(RTLD_NEXT, "setsockopt");
	const char *lacks = getenv("KERNEL_LACKS");

	if ((!strcmp(lacks, "tls") && level == 6 && name == 31) ||
	    (!strcmp(lacks, "cipher") && level == 282 && name == 1) ||
	    (!strcmp(lacks, "receive") && level == 282 && name == 2)) {
		errno = ENOENT;
		return -1;
	}
	return real(fd, level, name, val, len);
}
EOC
must gcc -shared -fPIC -o "$swb_tmp/old.so" "$swb_tmp/old.c" -ldl

# lacks WHAT WORD: on the side that listens, then on the side that connects
lacks()
{
	local preload=(env "LD_PRELOAD=$swb_tmp/old.so" "KERNEL_LACKS=$1")

	"${preload[@]}" swblockctl link vol/b a --listen "$tls_addr" --netns swbb \
		--key "$swb_tmp/key" --timeout 10 >"$swb_tmp/listen.out" 2>&1
	check_same "$1: the listener refuses" 1 $?
	check "$1: and says what to do" grep -q "$2" "$swb_tmp/listen.out"
	quoted "$(cat "$swb_tmp/listen.out")"
	"${preload[@]}" swblockctl link vol/a b --connect "$tls_addr" --netns swba \
		--key "$swb_tmp/key" --timeout 10 >"$swb_tmp/connect.out" 2>&1
	check_same "$1: so does the caller" 1 $?
	check "$1: and says what to do, too" grep -q "$2" "$swb_tmp/connect.out"
}

lacks tls "modprobe tls"
if modprobe -q tls; [ -e /sys/module/tls ] || [ "$SWB_KERNEL" = uml ]; then
	lacks cipher "modprobe gcm"
	lacks receive "modprobe gcm"
fi
check "no link came of it" detached a b
finish
