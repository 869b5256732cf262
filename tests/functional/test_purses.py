"""Offline purses, the whole story: loaded at the server, paid and spent on while the server is stopped, synced; the
wallets are right. Then what must not work: a copy that spends twice, a restored folder, a wrong key for a proof."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

from command_line import environment
from platform_under_test import Platform
from purse_command import Purse, free_port, transfer
from shop import Shop

PROGRAM = sys.argv.pop(1)
SUITES = {1: "ed25519", 2: "p256", 3: "sm2"}


def balance(platform, wallet):
    return int(platform.call("GET", f"/v1/wallets/{wallet}", expect=200)[1]["available"])


def wait_for(condition, patience=30):
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "not reached"
        time.sleep(0.1)


class Purses(unittest.TestCase):
    def setUp(self):
        self.platform = Platform(PROGRAM)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="jiaozi-purses-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.addCleanup(self.platform.stop)
        self.shop = Shop(self.platform)
        self.place = f"unix:{self.folder}/socket"

    def wallet(self, deposit=0):
        wallet = self.platform.make(f"/v1/groups/{self.shop.group['id']}/wallets", {"name": "w", "asset": "CNY"})["id"]
        if deposit:
            self.platform.make(f"/v1/wallets/{wallet}/deposits", {"amount": str(deposit), "asset": "CNY"})
        return wallet

    def purse(self, name, wallet, amount):
        purse = Purse(PROGRAM, self.folder / name, JIAOZI_URL=self.platform.url, JIAOZI_API_KEY=self.platform.key)
        self.assertEqual(purse.ok("load", "--wallet", wallet, "--amount", amount)["spendable"], str(amount))
        return purse

    def server_is_back(self, *purses):
        self.platform.start()
        for purse in purses:
            purse.where["JIAOZI_URL"] = self.platform.url

    def test_load_pay_offline_spend_on_sync(self):
        wallets = [self.wallet(20000), self.wallet(), self.wallet()]
        ann, bob, eve = self.purse("ann", wallets[0], 10000), self.purse("bob", wallets[1], 0), self.purse("eve", wallets[2], 0)
        # 20,000 less what is in the purse, less half of it again: a purse of class A0 puts that up as collateral.
        self.assertEqual(balance(self.platform, wallets[0]), 5000)

        self.platform.kill()  # no server, no network
        paid, received = transfer(ann, bob, 350, f"tcp:127.0.0.1:{free_port()}")
        self.assertEqual((paid["outcome"], paid["settled"]), ("paid", False))
        self.assertEqual((received["outcome"], received["settled"]), ("credited", False))
        transfer(ann, bob, 150, self.place)
        transfer(bob, eve, 200, f"file:{self.folder}/exchange")  # spent on: it was received a moment ago
        shown = bob.show()
        self.assertEqual((shown["spendable"], shown["received_not_settled"]), ("300", "500"))
        self.assertEqual(ann.run("sync")[0], 7)

        self.server_is_back(ann, bob, eve)
        for purse in (eve, bob, ann):
            synced = purse.ok("sync")
            self.assertEqual((synced["refused"], synced["received_not_settled"], synced["unknown"]), ([], "0", "0"))
        wait_for(lambda: balance(self.platform, wallets[2]) == 200)
        wait_for(lambda: balance(self.platform, wallets[1]) == 300)
        self.assertEqual(balance(self.platform, wallets[0]), 5000)
        self.assertEqual(ann.show()["spendable"], "9500")
        self.assertEqual(bob.ok("sync")["deposited"], 0, "what is settled is not handed in again")

    def test_yesterdays_folder_is_set_right_by_a_sync(self):
        wallets = [self.wallet(20000), self.wallet()]
        ann, bob = self.purse("ann", wallets[0], 1000), self.purse("bob", wallets[1], 0)
        shutil.copytree(ann.folder, self.folder / "yesterday")
        transfer(ann, bob, 100, self.place)
        shutil.rmtree(ann.folder)
        shutil.move(self.folder / "yesterday", ann.folder)
        self.assertEqual(ann.show()["state"], "suspect")
        bob.ok("sync")
        ann.ok("sync")
        self.assertEqual(ann.show()["state"], "active")
        ann.ok("load", "--amount", 500)
        transfer(ann, bob, 200, self.place)
        bob.ok("sync")
        wait_for(lambda: balance(self.platform, wallets[1]) == 300)

    def test_a_copy_that_spends_twice_is_proven(self):
        wallets = [self.wallet(20000), self.wallet(), self.wallet()]
        cheat, bob, eve = self.purse("cheat", wallets[0], 1000), self.purse("bob", wallets[1], 0), self.purse("eve", wallets[2], 0)
        for suffix in ("", ".anchor"):
            shutil.copytree(f"{cheat.folder}{suffix}", f"{self.folder}/copy{suffix}")
        transfer(cheat, bob, 400, self.place)
        for suffix in ("", ".anchor"):
            shutil.rmtree(f"{cheat.folder}{suffix}")
            shutil.move(f"{self.folder}/copy{suffix}", f"{cheat.folder}{suffix}")
        transfer(cheat, eve, 500, self.place)
        number = cheat.show()["purse"]
        bob.run("sync")
        eve.run("sync")
        proof = self.platform.call("GET", f"/v1/purses/{number}/proof", expect=200)[1]
        (self.folder / "proof.json").write_text(json.dumps(proof))
        root = self.platform.call("GET", "/v1/purses/root", expect=200)[1]["issuers"]
        issuers = [word for key in root for word in ("--issuer", f"{SUITES[key['suite']]}:{key['key']}")]
        self.platform.kill()  # another machine: nothing but the issuer's keys
        done = subprocess.run([PROGRAM, "purse", "verify-proof", str(self.folder / "proof.json"), *issuers, "--json"],
                              env=os.environ | {"LC_ALL": "C.UTF-8"}, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["purse"], number)

    def test_lost(self):
        wallet = self.wallet(20000)
        ann = self.purse("ann", wallet, 1000)
        number = ann.show()["purse"]
        done = subprocess.run([PROGRAM, "purse", "lost", "--number", str(number)], env=environment(self.platform), capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.platform.call("GET", f"/v1/purses/{number}", expect=200)[1]["state"], "lost")


if __name__ == "__main__":
    unittest.main(verbosity=2)
