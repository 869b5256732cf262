"""Offline purses, the whole story: loaded at the server, paid and spent on while the server is stopped, synced; the
wallets are right. Then what must not work: a copy that spends twice, a restored folder, a wrong key for a proof."""
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import cbor2

from command_line import environment, jiaozi
from platform_under_test import Platform
from purse_command import Purse, free_port, transfer
from shop import Shop

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "verify"))
import jiaozi_verify  # noqa: E402

PROGRAM = sys.argv.pop(1)
SUITES = {1: "ed25519", 2: "p256", 3: "sm2"}


def balance(platform, wallet):
    return int(platform.call("GET", f"/v1/wallets/{wallet}", expect=200)[1]["available"])


def note_payment(note):
    """The payment's id as text: FF and the note's first 15 bytes, in Crockford's base 32."""
    number, digits = int("ff" + note[:30], 16), ""
    for _ in range(26):
        number, rest = divmod(number, 32)
        digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[rest] + digits
    return "pay_" + digits


def signed_part(row):
    """Of the note in the row of a receipt, what its id is the hash of; empty if the row has only the id."""
    fields = cbor2.loads(row)[2]
    if len(fields) != 1 or len(fields[0][1]) == 32:
        return b""
    protected, _, payload, _ = cbor2.loads(fields[0][1])
    return protected + payload


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
        self.they_are_payments_like_any_other(wallets)

    def they_are_payments_like_any_other(self, wallets):
        listed = self.platform.call("GET", "/v1/payments?kind=offline&state=captured", expect=200)[1]["data"]
        self.assertEqual(sorted((int(row["amount"]), row["offline"]["hops"]) for row in listed), [(150, 1), (200, 2), (350, 1)])
        for row in listed:
            self.assertEqual((row["captured"], row["offline"]["state"], row["offline"]["owed"]), (row["amount"], "settled", "0"))
            self.assertEqual(row["id"], note_payment(row["offline"]["note"]))
            self.assertLessEqual(row["offline"]["made"], row["offline"]["settled"])
            self.assertEqual(self.platform.call("GET", f"/v1/payments/{row['id']}", expect=200)[1], row)
            events = self.platform.call("GET", f"/v1/events?object_id={row['id']}", expect=200)[1]["data"]
            self.assertEqual((events[0]["type"], events[0]["data"]), ("payment.captured", row))
        self.assertEqual({(row["payer_wallet"], row["payee_wallet"]) for row in listed}, {(wallets[0], wallets[1]), (wallets[1], wallets[2])})
        for_people = {locale: jiaozi(self.platform, "payments", "show", listed[0]["id"], LC_ALL=locale)[1] for locale in ("C.UTF-8", "zh_CN.UTF-8")}
        for text in for_people.values():
            self.assertIn("offline.note", text)
        self.assertIn("offline", jiaozi(self.platform, "payments", "list", "--kind", "offline", LC_ALL="zh_CN.UTF-8")[1])
        receipts = {}
        for row in listed:
            path = self.folder / f"{row['id']}.json"
            code, _, said = jiaozi(self.platform, "receipt", "get", row["id"], "--out", str(path))
            self.assertEqual(code, 0, said)
            receipts[path] = row
        vkey = self.platform.folder / "data" / "log" / "vkey"
        self.platform.kill()  # they verify with the log's key alone
        for path, row in receipts.items():
            for locale, what in (("C.UTF-8", "paid offline"), ("zh_CN.UTF-8", "离线付款")):
                done = subprocess.run([PROGRAM, "receipt", "verify", str(path), "--key", str(vkey), "--json"], env=os.environ | {"LC_ALL": locale}, capture_output=True, text=True, timeout=60)
                self.assertEqual(done.returncode, 0, done.stderr)
                proved = json.loads(done.stdout)
                self.assertEqual(proved["payment"], row["id"])
                self.assertIn(what, [movement["what"] for movement in proved["movements"]])
            verified = jiaozi_verify.verify_receipt(json.loads(path.read_text()), jiaozi_verify.Key(vkey.read_text()))
            notes = [part for command in verified["commands"] for part in command["parts"] if part["kind"] == "annotation"]
            self.assertTrue(any(hashlib.sha256(signed_part(bytes.fromhex(part["bytes"]))).hexdigest() == row["offline"]["note"] for part in notes))
        self.server_is_back()

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
