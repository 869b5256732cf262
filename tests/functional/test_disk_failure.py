"""The real program when the disk fails: libfiu makes system calls of the running process fail, and then no longer."""
import json
import os
import pathlib
import stat
import subprocess
import sys
import unittest
import uuid

from platform_under_test import Platform
from shop import Shop

PROGRAM = sys.argv.pop(1)
PRELOADED = [pathlib.Path("/usr/lib/fiu") / name for name in ("fiu_run_preload.so", "fiu_posix_preload.so")]
ENOSPC, EIO = 28, 5
WRITE, SYNC = "posix/io/rw/pwritev", "posix/io/sync/fdatasync"  # as the journal writes and syncs


class FailingPlatform(Platform):
    """A platform whose system calls can be made to fail, from the start or while it runs."""

    def __init__(self, *options, enabled=""):
        self.enabled = enabled
        super().__init__(PROGRAM, *options)

    def start(self):
        wrapper = self.folder / "under-libfiu"
        # The allocators of the C and C++ libraries, behind libfiu and before jemalloc: libfiu's wrapper of malloc and jemalloc's own start call each other for ever.
        preload = ":".join([*map(str, PRELOADED), "libstdc++.so.6", "libc.so.6"])
        wrapper.write_text(f'#!/bin/sh\nexec env LD_PRELOAD={preload} FIU_CTRL_FIFO={self.folder}/fiu FIU_ENABLE="{self.enabled}" {PROGRAM} "$@"\n')
        wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
        self.program = str(wrapper)
        super().start()

    def control(self, command):
        subprocess.run(["fiu-ctrl", "-f", str(self.folder / "fiu"), "-c", command, str(self.process.pid)], check=True, timeout=30)

    def pay(self, order, key):
        return self.call("POST", "/v1/payments", order, headers=[f"Idempotency-Key: {key}"])


class DiskFailure(unittest.TestCase):
    def setUp(self):
        self.platform = None

    def tearDown(self):
        if self.platform:
            self.platform.kill()
            self.platform.stop()

    def start(self):
        """A family with two wallets, and an order from one to the other: it goes to the journal and nowhere else."""
        self.platform = FailingPlatform()
        self.shop = Shop(self.platform, deposit="10000")
        pocket = self.platform.make(f"/v1/groups/{self.shop.group['id']}/wallets", {"name": "Pocket", "asset": "CNY"})["id"]
        return self.platform, lambda amount: {"kind": "person", "payer_wallet": self.shop.wallet["id"], "payer_member": self.shop.member["id"], "payee_wallet": pocket, "amount": str(amount), "asset": "CNY"}

    def stops_and_loses_nothing(self, point, errno):
        platform, order = self.start()
        self.assertEqual(platform.call("GET", "/healthz")[0], 200)
        self.assertEqual(platform.pay(order(1), uuid.uuid4())[0], 201)

        platform.control(f"enable name={point},failinfo={errno}")
        key = uuid.uuid4()
        status, problem = platform.pay(order(77), key)
        self.assertGreaterEqual(status, 500, problem)

        # Clear about its state, and what to do.
        status, health = platform.call("GET", "/healthz")
        self.assertEqual(status, 503, problem)
        self.assertIn(os.strerror(errno), json.dumps(health))
        self.assertIn("restart", json.dumps(health))
        # Nothing is taken any more, not even when the disk is well again: what the failure left is unknown.
        platform.control(f"disable name={point}")
        status, problem = platform.pay(order(5), uuid.uuid4())
        self.assertEqual(status, 503, problem)
        # Reads go on, and show nothing that is not durable.
        self.assertEqual(self.shop.balance()[0], 9999)
        self.assertEqual(platform.call("GET", "/v1/payments")[0], 200)

        platform.kill()
        platform.start()
        self.assertEqual(platform.call("GET", "/healthz")[0], 200)
        self.assertIn(self.shop.balance()[0], (9999, 9922))
        status, _ = platform.pay(order(77), key)
        self.assertLess(status, 300)
        self.assertEqual(self.shop.balance()[0], 9922, "asked again with the same key: done once")

    def test_a_full_disk_at_a_write(self):
        self.stops_and_loses_nothing(WRITE, ENOSPC)

    def test_a_write_error(self):
        self.stops_and_loses_nothing(WRITE, EIO)

    def test_a_sync_error(self):
        self.stops_and_loses_nothing(SYNC, EIO)

    def test_a_full_disk_at_a_sync(self):
        self.stops_and_loses_nothing(SYNC, ENOSPC)

    def test_short_reads_and_writes_are_completed(self):
        points = ("posix/io/rw/pread/reduce", "posix/io/rw/pwritev/reduce", "posix/io/rw/pwrite/reduce")
        platform, order = self.start()
        for point in points:
            platform.control(f"enable_random name={point},probability=0.5")
        for _ in range(50):
            self.assertEqual(platform.pay(order(1), uuid.uuid4())[0], 201)
        platform.kill()
        platform.enabled = "\n".join(f"enable_random name={point},probability=0.5" for point in points)
        platform.start()
        self.assertEqual(self.shop.balance()[0], 9950)


if __name__ == "__main__":
    if not all(path.exists() for path in PRELOADED):
        print("SKIPPED: libfiu is not installed; apt-get install fiu-utils libfiu0 (./test.sh installs it)")
        sys.exit(77)
    unittest.main(verbosity=2)
