"""Witnesses that follow the log of a real platform: what they cosign, who demands it, and a platform set back that they refuse."""
import json
import os
import shutil
import subprocess
import sys
import time
import unittest

from command_line import jiaozi
from platform_under_test import Platform
from shop import Shop

PROGRAM = sys.argv.pop(1)


def curl(url, body=None):
    """(status, text)"""
    words = ["curl", "-sS", "-w", "\n%{http_code}", url]
    if body is not None:
        words += ["--data-binary", "@-", "-H", "Content-Type: text/plain"]
    done = subprocess.run(words, input=body, capture_output=True, timeout=60, check=True, text=True)
    text, _, status = done.stdout.rpartition("\n")
    return int(status), text


class Witnesses(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.platform = Platform(PROGRAM, "--origin", "shop.example/journal")
        cls.files = cls.platform.folder
        cls.data = cls.files / "data"
        cls.vkey = cls.data / "log" / "vkey"
        cls.shop = Shop(cls.platform, deposit="10000")
        make = cls.platform.make
        other = make("/v1/people", {"name": "Bo"})
        group = make("/v1/groups", {"kind": "family", "name": "Theirs", "owner": other["id"]})
        purse = make(f"/v1/groups/{group['id']}/wallets", {"name": "Purse", "asset": "CNY"})
        body = {"kind": "person", "payer_wallet": cls.shop.wallet["id"], "payer_member": cls.shop.member["id"], "payee_wallet": purse["id"], "asset": "CNY", "amount": "1"}
        cls.payment = make("/v1/payments", body)["id"]
        cls.keys = []
        for name in ("one", "two", "three"):
            made = cls.run_json("witness", "init", cls.files / name, "--name", f"{name}.example", "--log", cls.vkey)
            cls.keys.append(made["key"])

    @classmethod
    def tearDownClass(cls):
        cls.platform.stop()

    @classmethod
    def run_json(cls, *words, expect=0, **more):
        code, out, said = jiaozi(cls.platform, *map(str, words), "--json", **more)
        assert code == expect, f"{words}: {code}, expected {expect}: {out}{said}"
        return json.loads(out) if out.strip() else said

    def receipt(self, name):
        code, _, said = jiaozi(self.platform, "receipt", "get", self.payment, "--out", str(self.files / name))
        self.assertEqual(code, 0, said)
        return self.files / name

    def deposit(self, amount):
        self.platform.make(f"/v1/wallets/{self.shop.wallet['id']}/deposits", {"amount": str(amount), "asset": "CNY"})

    def witness(self, name, expect=0, **more):
        return self.run_json("witness", "run", self.files / name, "--once", "--out", self.files / f"{name}.cosigned", expect=expect, **more)

    def demand(self, receipt, *words, expect=0):
        return self.run_json("receipt", "verify", receipt, "--key", self.vkey, *words, expect=expect)

    def test_1_a_quorum_of_cosignatures_is_demanded(self):
        receipt = self.receipt("receipt.json")  # it makes the log sign all there is, and nothing comes after it
        for name in ("one", "two"):
            self.assertEqual(self.witness(name)["witness"], f"{name}.example")
        witnesses = [word for key in self.keys for word in ("--witness", key)]
        cosigned = [word for name in ("one", "two") for word in ("--cosigned", self.files / f"{name}.cosigned")]
        # Of the same checkpoint: no network is needed.
        self.demand(receipt, *witnesses, *cosigned, "--quorum", "2")
        self.assertIn("three.example", self.demand(receipt, *witnesses, *cosigned, expect=6))
        self.demand(receipt, *witnesses, *cosigned[:2], "--quorum", "2", expect=6)
        self.demand(receipt, *witnesses, "--quorum", "1", expect=6)
        self.demand(receipt, "--witness", self.keys[0], "--witness", self.keys[0], *cosigned[:2], expect=6)
        self.demand(receipt, "--witness", self.vkey, *cosigned, expect=2)
        checkpoint = self.files / "one.cosigned"
        self.run_json("checkpoint", "verify", checkpoint, "--key", self.vkey, "--witness", self.files / "one" / "vkey")
        self.run_json("checkpoint", "verify", checkpoint, "--key", self.vkey, "--witness", self.files / "two" / "vkey", expect=6)

    def test_2_a_receipt_is_covered_by_a_later_cosigned_checkpoint(self):
        receipt = self.receipt("earlier.json")
        for amount in range(1, 6):
            self.deposit(amount)
        self.receipt("later.json")
        self.witness("one")
        words = ("--witness", self.keys[0], "--cosigned", self.files / "one.cosigned")
        self.assertIn("--server", self.demand(receipt, *words, expect=2))
        self.demand(receipt, *words, "--server", self.platform.url)

    def test_3_a_witness_is_one_process_and_remembers(self):
        self.run_json("witness", "init", self.files / "one", "--name", "one.example", "--log", self.vkey, expect=5)
        self.assertEqual((self.files / "one" / "checkpoint").read_text(), (self.files / "one.cosigned").read_text())
        old = self.files / "one.cosigned.old"
        shutil.copy(self.files / "one.cosigned", old)
        self.deposit(7)
        self.receipt("again.json")
        self.witness("one")
        self.assertIn("shrunk", self.run_json("witness", "run", self.files / "one", "--checkpoint", old, expect=5))
        code, out, _ = jiaozi(self.platform, "witness", "run", str(self.files / "two"), LC_ALL="zh_CN.UTF-8")
        self.assertEqual(code, 0)
        self.assertIn("已联署", out)

    def serving(self, name):
        """A witness that is asked: another process, on a port of its own."""
        ready = self.files / f"{name}.url"
        ready.unlink(missing_ok=True)
        process = subprocess.Popen([PROGRAM, "witness", "serve", str(self.files / name), "--port", "0", "--ready-file", str(ready), "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        deadline = time.monotonic() + 30
        while not ready.exists() or not ready.read_text():
            self.assertIsNone(process.poll())
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        return process, ready.read_text().strip()

    def ask(self, url, key, out, expect=0):
        return self.run_json("checkpoint", "cosign", "--key", self.vkey, "--witness", key, "--witness-url", url, "--url", self.platform.url, "--out", out, expect=expect)

    def ask_as_before(self):
        process, url = self.serving("asked")
        self.ask(url, (self.files / "asked" / "vkey").read_text().strip(), self.files / "asked.cosigned")
        process.kill()
        process.wait()

    def test_3b_a_log_asks_a_witness(self):
        key = self.run_json("witness", "init", self.files / "asked", "--name", "asked.example", "--log", self.vkey)["key"]
        process, url = self.serving("asked")
        out = self.files / "asked.cosigned"
        first = self.ask(url, key, out)
        self.assertEqual(json.loads(process.stdout.readline())["size"], first["size"])
        self.assertEqual(curl(url + "/checkpoint"), (200, out.read_text()))
        # It dies whenever it likes: what it cosigned it still knows, and the log may have forgotten.
        process.kill()
        self.deposit(3)
        receipt = self.receipt("asked.json")
        process, url = self.serving("asked")
        elsewhere = self.files / "asked-anew.cosigned"
        second = self.ask(url, key, elsewhere)
        self.assertGreater(int(second["size"]), int(first["size"]))
        self.demand(receipt, "--witness", key, "--cosigned", elsewhere)
        self.assertEqual(self.ask(url, key, elsewhere)["size"], second["size"], "once more is no harm")
        # What the protocol says to others than our own command.
        note = elsewhere.read_text()
        self.assertEqual(curl(url + "/add-checkpoint", f"old 0\n\n{note}"), (409, second["size"] + "\n"))
        self.assertEqual(curl(url + "/add-checkpoint", f"old {second['size']}\n\n{note}")[0], 200)
        self.assertEqual(curl(url + "/add-checkpoint", f"old {int(second['size']) + 1}\n\n{note}")[0], 400)
        self.assertEqual(curl(url + "/add-checkpoint", f"old {first['size']}\n\n{out.read_text()}"), (409, second["size"] + "\n"))
        self.assertEqual(curl(url + "/add-checkpoint", f"old 0\n\nanother.example/log\n{note.partition(chr(10))[2]}")[0], 404)
        text, _, signatures = note.partition("\n\n")
        self.assertEqual(curl(url + "/add-checkpoint", f"old 0\n\n{text[:-1]}\n\n{signatures}")[0], 400)
        self.assertEqual(curl(url + "/add-checkpoint", f"old {second['size']}\n\n{text.replace(second['size'], str(int(second['size']) + 1), 1)}\n\n{signatures}")[0], 403)
        self.assertEqual(curl(url + "/add-checkpoint", "x" * 30_000)[0], 413)
        self.assertEqual(curl(url + "/add-checkpoint", "old 0\n")[0], 400)
        self.assertEqual(curl(url + "/elsewhere")[0], 404)

    def test_4_a_platform_set_back_and_continued_otherwise_is_refused(self):
        backup, kept = self.files / "backup", self.files / "kept"
        self.run_json("backup", backup, "--data", self.data)
        for amount in (5, 6, 7):
            self.deposit(amount)
        self.receipt("before.json")
        self.witness("one")
        self.ask_as_before()
        remembered = (self.files / "one" / "checkpoint").read_text()
        self.platform.kill()
        self.data.rename(kept)
        self.run_json("restore", backup, "--data", self.data)
        for secret in ("keystore.key", "operator.key"):
            shutil.copy(kept / secret, self.data / secret)
        self.platform.start()
        self.receipt("shrunk.json")
        self.assertIn("shrunk", self.witness("one", expect=5))
        _, asked = self.serving("asked")
        key = (self.files / "asked" / "vkey").read_text().strip()
        self.assertIn("set back", self.ask(asked, key, self.files / "set-back.cosigned", expect=5))
        for _ in range(12):
            self.deposit(9)
        self.receipt("forked.json")
        self.assertIn("two histories", self.witness("one", expect=1))
        self.assertIn("two histories", self.ask(asked, key, self.files / "forked.cosigned", expect=1))
        self.assertEqual((self.files / "one" / "checkpoint").read_text(), remembered)
        self.assertTrue([name for name in os.listdir(self.files / "one") if name.startswith("fork-")])
        # The new history's receipt has a good signature, and no cosigned checkpoint to stand on.
        words = ("--witness", self.keys[0], "--cosigned", self.files / "one" / "checkpoint", "--server", self.platform.url)
        self.demand(self.files / "forked.json", *words, expect=6)
        self.demand(self.files / "before.json", *words)


if __name__ == "__main__":
    unittest.main(verbosity=2)
