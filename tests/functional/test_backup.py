"""Backups of a platform that goes on taking payments, and what comes out of them."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

from platform_under_test import Platform
from shop import Shop

PROGRAM = sys.argv.pop(1)


def jiaozi(*words):
    """(exit code, JSON or None, standard error)"""
    done = subprocess.run([PROGRAM, *map(str, words), "--json"], capture_output=True, timeout=120, text=True)
    return done.returncode, json.loads(done.stdout) if done.stdout.strip() else None, done.stderr


class Backups(unittest.TestCase):
    def setUp(self):
        self.platform = Platform(PROGRAM)
        self.data = self.platform.folder / "data"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="jiaozi-backup-"))
        self.backup = self.folder / "backup"
        self.shop = Shop(self.platform, deposit="10000")

    def tearDown(self):
        self.platform.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def deposit(self, amount):
        self.platform.make(f"/v1/wallets/{self.shop.wallet['id']}/deposits", {"amount": str(amount), "asset": "CNY"})

    def succeed(self, *words):
        code, answer, said = jiaozi(*words)
        self.assertEqual(code, 0, said)
        return answer

    def restart_from_backup(self, *options):
        """Loses the data directory, makes it again from the backup, puts the two secrets back and starts."""
        self.platform.kill()
        lost = self.platform.folder / "lost"
        self.data.rename(lost)
        restored = self.succeed("restore", self.backup, "--data", self.data, *options)
        for secret in ("keystore.key", "operator.key"):
            shutil.copy(lost / secret, self.data / secret)
        self.platform.start()
        shutil.rmtree(lost)
        return restored

    def test_of_a_running_platform(self):
        stop = threading.Event()

        def busy():
            while not stop.is_set():
                self.deposit(1)

        traffic = threading.Thread(target=busy)
        traffic.start()
        try:
            for _ in range(5):
                made = self.succeed("backup", self.backup, "--data", self.data)
                verified = self.succeed("verify", self.backup)
                self.assertEqual((verified["entries"], verified["last_hash"]), (made["entries"], made["last_hash"]))
                self.assertGreaterEqual(verified["files"], 4)
        finally:
            stop.set()
            traffic.join()
        self.succeed("backup", self.backup, "--data", self.data)
        balance = self.shop.balance()
        restored = self.restart_from_backup()
        self.assertEqual(self.shop.balance(), balance)
        self.assertGreater(int(restored["sequence"]), 5)
        self.deposit(5)
        self.assertEqual(self.shop.balance()[0], balance[0] + 5)
        self.assertFalse((self.backup / "keystore.key").exists(), "the key that opens the keystore is not in a backup")

    def test_back_to_a_point_in_time(self):
        self.deposit(700)
        self.succeed("backup", self.backup, "--data", self.data)
        before = self.succeed("verify", self.backup)
        balance = self.shop.balance()
        self.deposit(9000)
        self.succeed("backup", self.backup, "--data", self.data)
        restored = self.restart_from_backup("--until-sequence", before["sequence"])
        self.assertEqual((restored["sequence"], restored["state_digest"]), (before["sequence"], before["state_digest"]))
        self.assertEqual(self.shop.balance(), balance)

        self.platform.kill()
        shutil.rmtree(self.data)
        by_time = self.succeed("restore", self.backup, "--data", self.data, "--until", before["last_entry_at"])
        self.assertLessEqual(int(by_time["sequence"]), int(before["sequence"]))  # the time is given in milliseconds
        self.assertGreaterEqual(int(by_time["sequence"]), int(before["sequence"]) - 1)

    def test_refusals_say_what_to_do(self):
        code, _, said = jiaozi("verify", self.backup)
        self.assertEqual(code, 3, said)
        self.succeed("backup", self.backup, "--data", self.data)
        code, _, said = jiaozi("verify", self.data)
        self.assertEqual(code, 5, said)
        self.assertIn("in use", said)
        code, _, said = jiaozi("restore", self.backup, "--data", self.data)
        self.assertEqual(code, 5, said)
        self.assertIn("new folder", said)
        for beyond in ("0", "1000000"):
            code, _, said = jiaozi("restore", self.backup, "--data", self.folder / "new", "--until-sequence", beyond)
            self.assertEqual(code, 3, said)
            self.assertFalse((self.folder / "new").exists(), "a refusal leaves nothing behind")
        code, _, said = jiaozi("backup", self.platform.folder, "--data", self.data)
        self.assertEqual(code, 5, said)

        segment = next((self.backup / "journal" / "journal").glob("*.segment"))
        content = bytearray(segment.read_bytes())
        content[len(content) // 2] ^= 1
        segment.write_bytes(content)
        code, _, said = jiaozi("verify", self.backup)
        self.assertEqual(code, 1, said)
        self.assertIn(str(segment), said)

    def test_of_a_stopped_server(self):
        self.platform.kill()
        checked = self.succeed("verify", self.data)
        self.assertEqual(checked["files"], 0)
        self.assertGreater(checked["entries"], 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
