// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entry and exit of the module: brings the parts up in order of layers and takes
 * them down in the opposite order. Nothing else belongs here.
 *
 * Exit runs only when no volume exists: each holds the module.
 */
#include <linux/genetlink.h>
#include <linux/module.h>
#include <net/genetlink.h>
#include "blkdev.h"
#include "crc.h"
#include "debug.h"
#include "manage.h"
#include "netlink.h"
#include "peer.h"
#include "write.h"

static int __init swb_init(void)
{
	int err;

	swb_crc_init();
	err = swb_write_init();
	if (err)
		goto crc;
	err = swb_volume_init();
	if (err)
		goto write;
	err = swb_peer_init();
	if (err)
		goto volume;
	err = swb_blkdev_init();
	if (err)
		goto peer;
	swb_debug_init();
	err = swb_manage_init();
	if (err)
		goto debug;
	err = swb_netlink_init();
	if (err)
		goto manage;
	return 0;

manage:
	swb_manage_exit();
debug:
	swb_debug_exit();
	swb_blkdev_exit();
peer:
	swb_peer_exit();
volume:
	swb_volume_exit();
write:
	swb_write_exit();
crc:
	swb_crc_exit();
	return err;
}

static void __exit swb_exit(void)
{
	swb_netlink_exit();
	swb_manage_exit();
	swb_debug_exit();
	swb_blkdev_exit();
	swb_volume_exit();
	swb_recorder_exit();
	swb_peer_exit();
	swb_write_exit();
	swb_crc_exit();
}

module_init(swb_init);
module_exit(swb_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("swblock developers");
MODULE_DESCRIPTION("Replicated block device with a write-ahead log");
MODULE_VERSION("0.1");
MODULE_ALIAS_GENL_FAMILY(SWBLOCK_FAMILY_NAME);
