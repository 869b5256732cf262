"""A journal of several segments: snapshots of it, its older part in an archive, and what works with and without that."""
import concurrent.futures
import http.client
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
import uuid

from platform_under_test import Platform
from shop import Shop

PROGRAM = sys.argv.pop(1)
FIRST_SEGMENT_BYTES = 4 << 20  # at most; later ones are greater
CALLERS = 4


def jiaozi(*words):
    """(exit code, JSON or None, standard error)"""
    done = subprocess.run([PROGRAM, *map(str, words), "--json"], capture_output=True, timeout=120, text=True)
    return done.returncode, json.loads(done.stdout) if done.stdout.strip() else None, done.stderr


class Snapshots(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="jiaozi-snapshots-"))
        self.archive = self.folder / "archive"

    def tearDown(self):
        self.platform.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def open(self, *options):
        self.platform = Platform(PROGRAM, *options)
        self.data = self.platform.folder / "data"
        self.journal = self.data / "journal" / "journal"
        self.shop = Shop(self.platform, deposit="10000")

    def segments(self, folder=None):
        return sorted((folder or self.journal).glob("*.segment"))

    def deposits(self, enough):
        """One unit at a time over connections that stay open, until enough() says so; answers how many were acknowledged."""
        where = urllib.parse.urlsplit(self.platform.url)
        path = f"/v1/wallets/{self.shop.wallet['id']}/deposits"
        body = json.dumps({"amount": "1", "asset": "CNY"})

        def caller(_):
            connection = http.client.HTTPConnection(where.hostname, where.port, timeout=60)
            made = 0
            while made % 50 != 0 or not enough():
                headers = {"Authorization": f"Bearer {self.platform.key}", "Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
                connection.request("POST", path, body, headers)
                answer = connection.getresponse()
                said = answer.read()
                self.assertEqual(answer.status, 201, said)
                made += 1
            connection.close()
            return made

        with concurrent.futures.ThreadPoolExecutor(CALLERS) as callers:
            return sum(callers.map(caller, range(CALLERS)))

    def fill_first_segment(self):
        return self.deposits(lambda: len([one for one in self.segments() if self.is_used(one)]) > 1)

    @staticmethod
    def is_used(segment):
        """The next segment is made ahead; it counts once an entry is in it."""
        with open(segment, "rb") as file:
            file.seek(4096)
            return any(file.read(64))

    def paid(self):
        """A payment from the family to another wallet; its id, and what the server says of it."""
        group = self.platform.make("/v1/groups", {"kind": "family", "name": "Friends", "owner": self.shop.person["id"]})
        payee = self.platform.make(f"/v1/groups/{group['id']}/wallets", {"name": "Pot", "asset": "CNY"})
        payment = self.platform.make("/v1/payments", {"kind": "person", "payer_wallet": self.shop.wallet["id"], "payer_member": self.shop.member["id"], "payee_wallet": payee["id"], "amount": "7", "asset": "CNY"})
        self.wait_until_listed(payment)
        return payment

    def wait_until_listed(self, payment):
        def listed(_):
            return payment["id"] in [one["id"] for one in self.platform.call("GET", "/v1/payments?limit=5", expect=200)[1]["data"]]
        self.platform.wait_for_metrics(listed)

    def expect_all_as_before(self, payment, balance):
        """A payment of before the journal's kept part, refunds of it, and purses."""
        found = self.platform.call("GET", f"/v1/payments/{payment['id']}", expect=200)[1]
        self.assertEqual((found["state"], found["amount"]), ("captured", "7"))
        self.platform.call("GET", "/v1/purses/root", expect=200)
        self.assertEqual(self.shop.balance(), balance)

    def books(self, service):
        return sorted((self.data / "journal" / "books" / service).glob("*.snapshot"))

    def succeed(self, *words):
        code, answer, said = jiaozi(*words)
        self.assertEqual(code, 0, said)
        return answer

    def refused(self, *words):
        code, _, said = jiaozi(*words)
        self.assertNotEqual(code, 0, words)
        return said

    def test_by_hand(self):
        self.open("--snapshot-every", "0")
        payment = self.paid()
        made = self.fill_first_segment()
        balance = self.shop.balance()
        self.assertEqual(balance[0], 10000 - 7 + made)
        self.assertIn("serve --snapshot-every", self.refused("snapshot", "--data", self.data))
        self.assertIn("serve --archive", self.refused("prune", "--data", self.data, "--archive", self.archive))
        self.platform.kill()

        before = self.succeed("verify", self.data)
        self.assertIn("make one first", self.refused("prune", "--data", self.data, "--archive", self.archive))
        snapshot = self.succeed("snapshot", "--data", self.data)
        self.assertGreater(int(snapshot["sequence"]), made)
        self.assertGreater(snapshot["bytes"], 0)
        self.assertEqual(len(self.books("settlement")), 1)
        shutil.rmtree(self.data / "journal" / "books")  # prune makes it, too
        pruned = self.succeed("prune", "--data", self.data, "--archive", self.archive)
        self.assertGreaterEqual(pruned["segments_removed"], 1)
        self.assertEqual(len(self.segments(self.archive)), pruned["segments_archived"])
        self.assertGreater(pruned["first_kept_entry"], 1)
        self.assertEqual(self.succeed("verify", self.data)["state_digest"], before["state_digest"])

        # A start needs no archive, and answers for what is there; twice, because the first may have left something.
        away = self.folder / "not-mounted"
        self.archive.rename(away)
        for _ in range(2):
            self.platform.start()
            self.expect_all_as_before(payment, balance)
            self.platform.kill()
        # Without the settlement book purses need the archive; everything else does not.
        shutil.rmtree(self.data / "journal" / "books")
        self.platform.start()
        self.assertEqual(self.platform.call("GET", "/v1/purses/root")[0], 503)
        self.assertEqual(self.shop.balance(), balance)
        self.platform.kill()
        away.rename(self.archive)

        self.platform.start()
        self.expect_all_as_before(payment, balance)
        self.assertEqual(self.deposits(lambda: True), 0)
        self.platform.make(f"/v1/wallets/{self.shop.wallet['id']}/deposits", {"amount": "5", "asset": "CNY"})
        self.assertEqual(self.shop.balance()[0], balance[0] + 5)
        self.platform.kill()

        self.archive.rename(away)
        self.assertIn(str(self.archive), self.refused("verify", self.data))
        away.rename(self.archive)
        segment = self.segments(self.archive)[0]
        content = bytearray(segment.read_bytes())
        content[len(content) // 2] ^= 1
        segment.write_bytes(content)
        self.assertIn(segment.name, self.refused("verify", self.data))
        content[len(content) // 2] ^= 1
        segment.write_bytes(content)
        self.assertEqual(self.succeed("verify", self.data)["entries"], before["entries"] + 1)

    def test_by_itself_while_running(self):
        self.open("--snapshot-every", "2", "--archive", str(self.archive))
        made = self.fill_first_segment()
        made += self.deposits(lambda: len(self.segments(self.archive)) > 0 and self.segments()[0].name not in {one.name for one in self.segments(self.archive)})
        self.assertGreaterEqual(len(list((self.data / "journal" / "snapshots").glob("*.snapshot"))), 1)
        self.platform.wait_for_metrics(lambda _: self.books("settlement") and self.books("payments"))
        balance = self.shop.balance()
        self.assertEqual(balance[0], 10000 + made)

        backup = self.folder / "backup"
        self.succeed("backup", backup, "--data", self.data)
        self.platform.kill()
        self.platform.start()
        self.assertEqual(self.shop.balance(), balance)

        # The backup holds the archived part too.
        self.platform.kill()
        shutil.rmtree(self.archive)
        lost = self.platform.folder / "lost"
        self.data.rename(lost)
        self.succeed("restore", backup, "--data", self.data)
        for secret in ("keystore.key", "operator.key"):
            shutil.copy(lost / secret, self.data / secret)
        self.platform.start()
        self.assertEqual(self.shop.balance(), balance)


if __name__ == "__main__":
    unittest.main(verbosity=2)
