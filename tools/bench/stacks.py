# SPDX-License-Identifier: GPL-2.0-only
"""The devices that are compared: how each is made, and how a copy is lost and regained."""
import uuid

import plan

# disk of each target, counted from /dev/vda in both guests; all are equal
DISKS = ("raw", "alone", "local", "received", "written", "sync_all",
         "drbd-a", "drbd-b", "drbd-c", "md-nbd", "rec", "delta", "drbd-rec", "md-rec")


def disk(target):
    name = "raw" if target == "linear" else target
    return "vd" + chr(ord("a") + DISKS.index(name))


class Stack:
    """A device in guest a. `top` is its name there, `modules` whose code is in its path."""
    modules = ()
    ring_bytes = 0

    def __init__(self, pair, name):
        self.pair, self.a, self.b, self.name = pair, pair.a, pair.b, name
        self.top = disk(name)
        self.disk = f"/dev/{disk(name)}"

    def make(self):
        pass

    def group_bytes(self):
        """Bytes that went through its ring so far, or None."""
        return None


class Linear(Stack):
    modules = ("dm_mod",)

    def make(self):
        self.a.sh("modprobe dm_mod && dmsetup create --noudevsync linear --table "
                  f"\"0 $(blockdev --getsz {self.disk}) linear {self.disk} 0\" && "
                  "dmsetup mknodes")
        self.top = self.a.sh("basename $(readlink -f /dev/mapper/linear)").strip()
        if not self.top.startswith("dm-"):
            self.top = "dm-" + self.a.sh("dmsetup info -c --noheadings -o minor linear").strip()


class Swblock(Stack):
    """A volume run by hand: the authority record is in guest a, b is told."""
    modules = ("swblock",)
    port = 7900

    def __init__(self, pair, name, ring, size, config=None):
        super().__init__(pair, name)
        self.mode, self.policy, self.members = config or plan.CONFIG[name]
        self.label, self.lives = "b", 1
        self.ring_bytes, self.size = ring, size
        self.volume = str(uuid.uuid4())
        self.replica_a, self.replica_b = str(uuid.uuid4()), str(uuid.uuid4())
        Swblock.port += 1
        self.port = Swblock.port

    def format(self, guest, replica, name):
        guest.sh(f"swblockctl format {self.disk} --volume {self.name} --volume-uuid "
                 f"{self.volume} --replica {name} --replica-uuid {replica} --wal-size "
                 f"{self.ring_bytes} --size {self.size} --block-size 4096 --assume-zero --force && "
                 f"swblockctl add {self.disk}")

    def tell_b(self):
        """Guest b learns the record of guest a, as an operator would carry it there."""
        record = self.a.sh(f"swblockctl authority {self.name} -j")
        self.b.sh(f"cat >/run/{self.name}.json <<'END'\n{record}\nEND\n"
                  f"swblockctl adopt {self.name}/{self.label} --record /run/{self.name}.json -j "
                  f">/run/{self.name}.report")

    def assign(self):
        members = f"a,{self.label}:{self.replica_b}" if self.members == 2 else "a"
        self.a.sh(f"swblockctl assign {self.name} --members {members} --mode {self.mode} "
                  f"--policy {self.policy}")

    def make(self):
        self.format(self.a, self.replica_a, "a")
        if self.members == 2:
            self.format(self.b, self.replica_b, self.label)
        self.assign()
        self.promote()
        if self.members == 2:
            self.repair()
        self.top = "swblock" + self.a.sh(
            f"swblockctl status -j {self.name}/a | jq .members[0].minor").strip()

    def link(self, wait=300):
        """Both ends; until the peer is in sync."""
        # labels are known where the record is, so b names its peer in full
        self.b.sh(f"(swblockctl link {self.name}/{self.label} {self.replica_a} --listen "
                  f"10.9.0.2:{self.port} --insecure --timeout {wait} >/run/link-{self.name} 2>&1 &)\n"
                  f"until ss -ltn | grep -q :{self.port}; do pgrep -x swblockctl >/dev/null || "
                  f"{{ cat /run/link-{self.name}; exit 1; }}; done")
        self.a.sh(f"swblockctl link {self.name}/a {self.label} --connect 10.9.0.2:{self.port} "
                  f"--insecure --sync --timeout {wait}", wait=wait + 10)

    def group_bytes(self):
        return int(self.a.sh(f"swblockctl status -j {self.name}/a | "
                             "jq .members[0].stats.group_bytes"))

    # --- a copy lost and regained ---

    def lose(self):
        self.a.sh(f"swblockctl unlink {self.name}/a {self.label}")

    def regain(self):
        self.link()

    def wipe(self):
        """Guest b gets a new disk: another replica in the place of the old one, and blank."""
        self.lose()
        self.b.sh(f"swblockctl remove {self.name}/{self.label} --force")
        self.lives += 1
        self.replica_b, self.label = str(uuid.uuid4()), f"b{self.lives}"
        self.format(self.b, self.replica_b, self.label)
        self.assign()
        self.tell_b()

    def rebuild(self):
        self.a.sh(f"swblockctl rebuild {self.name}/a {self.label}")
        self.link()

    def demote(self):
        self.a.sh(f"swblockctl demote {self.name}/a")

    def promote(self):
        self.a.sh(f"swblockctl promote {self.name}/a")

    def repair(self):
        """What a new epoch leaves to be done: b adopts it, and is linked."""
        self.tell_b()
        self.link()


class Drbd(Stack):
    """DRBD 8.4 as Debian has it. Only what its guide asks for is set: no resync throttle."""
    modules = ("drbd", "lru_cache")
    port = 7788
    CONFIG = """resource %(name)s {
  net { protocol %(protocol)s; max-buffers 8000; max-epoch-size 8000; }
  disk { c-plan-ahead 0; resync-rate 4G; %(size)s }
  device minor %(minor)d;
  disk %(disk)s;
  meta-disk internal;
  on a { address 10.9.0.1:%(port)d; }
  on b { address 10.9.0.2:%(port)d; }
}
"""

    def __init__(self, pair, name, protocol, size=None):
        super().__init__(pair, name)
        self.protocol, self.size = protocol, size
        self.minor = DISKS.index(name)
        self.top = f"drbd{self.minor}"
        Drbd.port += 1
        self.port = Drbd.port

    @staticmethod
    def load(guest):
        guest.sh(f"hostname {guest.name} && modprobe drbd usermode_helper=/bin/true && "
                 "mkdir -p /etc/drbd.d /var/lib/drbd /var/lock /var/run/drbd && "
                 "printf 'global { usage-count no; }\\ncommon { }\\n' "
                 ">/etc/drbd.d/global_common.conf && rm -f /etc/drbd.d/*.res")

    def make(self):
        text = self.CONFIG % {"name": self.name, "protocol": self.protocol,
                              "size": f"size {self.size}s;" if self.size else "",
                              "minor": self.minor, "disk": self.disk, "port": self.port}
        for g in self.pair.both():
            g.sh(f"cat >/etc/drbd.d/{self.name}.res <<'END'\n{text}END\n"
                 f"drbdadm create-md --force {self.name} && drbdadm up {self.name}")
        # both are blank, so both are equal: no first copy
        self.a.until(f"{self.name} connected", f"drbdadm cstate {self.name} | grep -q ^Connected",
                     30)
        self.a.sh(f"drbdadm -- --clear-bitmap new-current-uuid {self.name} && "
                  f"drbdadm primary {self.name}")
        self.wait_in_sync()
        self.a.sh(f"[ -b /dev/{self.top} ] || mknod /dev/{self.top} b 147 {self.minor}")

    def wait_in_sync(self, wait=300):
        self.a.until(f"{self.name} in sync",
                     f"drbdadm dstate {self.name} | grep -q ^UpToDate/UpToDate && "
                     f"drbdadm cstate {self.name} | grep -q ^Connected", wait)

    def lose(self):
        self.a.sh(f"drbdadm disconnect {self.name}")

    def regain(self):
        self.a.sh(f"drbdadm connect {self.name}")
        self.wait_in_sync()

    def wipe(self):
        pass

    def rebuild(self):
        self.b.sh(f"drbdadm invalidate {self.name}")
        self.wait_in_sync()

    def demote(self):
        self.a.sh(f"drbdadm secondary {self.name}")

    def promote(self):
        self.a.sh(f"drbdadm primary {self.name}")

    def repair(self):
        pass


class MdNbd(Stack):
    """md-raid1 with a bitmap, as without one a lost copy is copied as a whole."""
    modules = ("raid1", "md_mod", "nbd")
    PORT = 10809
    EXPORTS = ("md-nbd", "md-rec")

    def __init__(self, pair, name, size=None):
        super().__init__(pair, name)
        self.size, self.index = size, self.EXPORTS.index(name)
        self.top, self.leg = f"md{120 + self.index}", f"/dev/nbd{self.index}"

    @classmethod
    def serve(cls, guest):
        exports = "".join(f"[{n}]\nexportname = /dev/{disk(n)}\nflush = true\nfua = true\n"
                          for n in cls.EXPORTS)
        guest.sh(f"cat >/run/nbd.conf <<'END'\n[generic]\nlistenaddr = 10.9.0.2\n"
                 f"port = {cls.PORT}\n{exports}END\nnbd-server -C /run/nbd.conf "
                 "</dev/null >/run/nbd.log 2>&1\n"
                 f"until ss -ltn | grep -q :{cls.PORT}; do sleep 0.1; done")

    def make(self):
        size = f"--size={self.size // 1024}" if self.size else ""
        self.a.sh("modprobe raid1 && modprobe nbd max_part=0 nbds_max=4")
        self.connect()
        self.a.sh(f"mdadm --create /dev/{self.top} --run --force --assume-clean --level=1 "
                  f"--metadata=1.2 --bitmap=internal --raid-devices=2 {size} "
                  f"{self.disk} {self.leg} </dev/null")
        self.a.until(f"/dev/{self.top}", f"[ -b /dev/{self.top} ]", 10)

    def connect(self):
        self.a.sh(f"nbd-client 10.9.0.2 {self.PORT} {self.leg} -N {self.name} -b 4096")

    def lose(self):
        self.a.sh(f"mdadm /dev/{self.top} --fail {self.leg} && "
                  f"mdadm /dev/{self.top} --remove {self.leg}")

    def wait_in_sync(self, wait=300):
        # the order to write comes through the superblock: the array may look idle at first
        self.a.until(f"{self.top} in sync", f"grep -A1 ^{self.top} /proc/mdstat | "
                     "grep -q '\\[UU\\]'", wait)

    def unthrottle(self):
        return (f"echo 4000000 >/sys/block/{self.top}/md/sync_speed_max; "
                f"echo 4000000 >/sys/block/{self.top}/md/sync_speed_min; ")

    def regain(self):
        self.a.sh(self.unthrottle() + f"mdadm /dev/{self.top} --re-add {self.leg}")
        self.wait_in_sync()

    def wipe(self):
        self.lose()
        self.a.sh(f"mdadm --zero-superblock {self.leg}")

    def rebuild(self):
        self.a.sh(self.unthrottle() + f"mdadm /dev/{self.top} --add {self.leg}")
        self.wait_in_sync()
