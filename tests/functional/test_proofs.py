"""Receipts, checkpoints and tiles of a real platform, checked by the program, by the Python verifier of this repository, and by pymerkle."""
import json
import pathlib
import random
import shutil
import subprocess
import sys
import unittest
import urllib.request

import pymerkle

from command_line import jiaozi
from platform_under_test import Platform

VERIFIER = pathlib.Path(__file__).resolve().parents[2] / "verify" / "jiaozi_verify.py"
sys.path.insert(0, str(VERIFIER.parent))
import jiaozi_verify  # noqa: E402

PROGRAM = sys.argv.pop(1)


class Proofs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.platform = Platform(PROGRAM, "--origin", "shop.example/journal")
        cls.files = cls.platform.folder
        cls.vkey = cls.platform.folder / "data" / "log" / "vkey"
        cls.key = jiaozi_verify.Key(cls.vkey.read_text())
        make = cls.platform.make
        people = [make("/v1/people", {"name": name}) for name in ("Ana", "Bo")]
        groups = [make("/v1/groups", {"kind": "family", "name": person["name"], "owner": person["id"]}) for person in people]
        cls.wallets = [make(f"/v1/groups/{group['id']}/wallets", {"name": "Purse", "asset": "CNY"}) for group in groups]
        cls.member = cls.platform.call("GET", f"/v1/groups/{groups[0]['id']}/members", expect=200)[1]["data"][0]
        make(f"/v1/wallets/{cls.wallets[0]['id']}/deposits", {"amount": "100000", "asset": "CNY"})
        cls.payments = [cls.pay(100 + i) for i in range(5)]

    @classmethod
    def tearDownClass(cls):
        assert cls.platform.stop() == 0, "the program did not end cleanly"

    @classmethod
    def pay(cls, amount):
        body = {"kind": "person", "payer_wallet": cls.wallets[0]["id"], "payer_member": cls.member["id"], "payee_wallet": cls.wallets[1]["id"], "asset": "CNY", "amount": str(amount)}
        return cls.platform.make("/v1/payments", body)["id"]

    def jiaozi(self, *arguments, expect=0, **more):
        code, out, said = jiaozi(self.platform, *arguments, **more)
        self.assertEqual(code, expect, out + said)
        return out, said

    def fetch(self, path):
        with urllib.request.urlopen(self.platform.url + path, timeout=30) as answer:
            return answer.read()

    def receipt(self, payment, name="receipt.json"):
        path = self.files / name
        self.jiaozi("receipt", "get", payment, "--out", str(path))
        return path

    def python_verifies(self, receipt):
        try:
            return jiaozi_verify.verify_receipt(receipt, self.key)
        except (jiaozi_verify.Refused, ValueError, KeyError, IndexError, TypeError, OverflowError, jiaozi_verify.struct.error):
            return None

    def test_1_a_receipt_verifies_with_the_key_alone(self):
        path = self.receipt(self.payments[2])
        out, _ = self.jiaozi("receipt", "verify", str(path), "--key", str(self.vkey), "--json", JIAOZI_URL="http://127.0.0.1:1", JIAOZI_API_KEY="")
        proved = json.loads(out)
        self.assertEqual(proved["payment"], self.payments[2])
        self.assertEqual(proved["log"], "shop.example/journal")
        self.assertEqual([(row["amount"], row["from"], row["to"]) for row in proved["movements"]], [("1.02 CNY", self.wallets[0]["id"], self.wallets[1]["id"])])
        # For people, in either language.
        self.assertIn("genuine", self.jiaozi("receipt", "verify", str(path), "--key", self.vkey.read_text())[0])
        self.assertIn("真实", self.jiaozi("receipt", "verify", str(path), "--key", str(self.vkey), LC_ALL="zh_CN.UTF-8")[0])
        # By the Python verifier, as a program of its own.
        done = subprocess.run([sys.executable, "-I", str(VERIFIER), "receipt", str(path), "--key", str(self.vkey)], capture_output=True, text=True, timeout=60, check=True)
        transfers = [part for command in json.loads(done.stdout)["commands"] for part in command["parts"] if part["kind"] == "transfer"]
        self.assertEqual([(part["amount"], part["result"]) for part in transfers], [(102, 0)])

    def test_2_a_receipt_tells_of_one_payment_only(self):
        text = self.receipt(self.payments[2]).read_text()
        parts = [jiaozi_verify.unbase64(part["part"]) for command in json.loads(text)["commands"] for part in command["disclosed"]]
        receipts = {payment: json.loads(self.receipt(payment, "other.json").read_text())["subject"] for payment in self.payments}
        for payment, subject in receipts.items():
            found = any(bytes.fromhex(subject)[::-1] in part or bytes.fromhex(subject) in part for part in parts)
            self.assertEqual(found, payment == self.payments[2])
        stranger = self.platform.make("/v1/people", {"name": "Stranger"})
        key = self.platform.make("/v1/api_keys", {"name": "theirs", "person": stranger["id"], "scopes": ["payments:read"]})["key"]
        self.jiaozi("receipt", "get", self.payments[2], expect=3, JIAOZI_API_KEY=key)

    def test_3_whatever_is_changed_in_a_receipt_both_verifiers_refuse_it(self):
        seed = random.SystemRandom().randrange(2**32)
        print(f"seed {seed}")
        dice = random.Random(seed)
        text = self.receipt(self.payments[2]).read_text().strip()
        self.assertIsNotNone(self.python_verifies(json.loads(text)))
        changed_file = self.files / "changed.json"
        for _ in range(150):
            at = dice.randrange(len(text))
            changed = text[:at] + dice.choice([c for c in "0123456789ABCDEFabcdefz{\"" if c != text[at]]) + text[at + 1:]
            try:
                value = json.loads(changed)
            except ValueError:
                value = None
            self.assertIsNone(value and self.python_verifies(value), f"character {at} changed: {changed}")
            changed_file.write_text(changed)
            code, out, _ = jiaozi(self.platform, "receipt", "verify", str(changed_file), "--key", str(self.vkey))
            self.assertNotEqual(code, 0, f"character {at} changed: {changed}\n{out}")

    def test_4_another_implementation_builds_the_same_tree_and_verifies_our_proofs(self):
        receipts = [json.loads(self.receipt(payment, f"{payment}.json").read_text()) for payment in self.payments]
        size, root = jiaozi_verify.open_checkpoint(receipts[-1]["checkpoint"], self.key)
        entries = []
        for bundle in range((size + 255) // 256):
            width = min(256, size - 256 * bundle)
            data = self.fetch(f"/tile/entries/{bundle:03}" + (f".p/{width}" if width < 256 else ""))
            self.assertEqual(len(data), 34 * width)
            entries += [data[i + 2:i + 34] for i in range(0, len(data), 34)]
        tree = pymerkle.InmemoryTree(algorithm="sha256")
        for entry in entries:
            tree.append_entry(entry)
        self.assertEqual(tree.get_root(size), root)
        leaves = self.fetch(f"/tile/0/000.p/{min(size, 255)}")
        self.assertEqual([leaves[i:i + 32] for i in range(0, len(leaves), 32)], [tree.get_leaf(i + 1) for i in range(min(size, 255))])
        for receipt in receipts:
            at, checkpoint_root = jiaozi_verify.open_checkpoint(receipt["checkpoint"], self.key)
            self.assertEqual(tree.get_root(at), checkpoint_root)
            for command in receipt["commands"]:
                leaf = tree.get_leaf(int(command["sequence"]))
                proof = tree.prove_inclusion(int(command["sequence"]), at)
                proof.path = [leaf] + [jiaozi_verify.unbase64(one) for one in command["inclusion"]]
                pymerkle.verify_inclusion(leaf, checkpoint_root, proof)
                if len(proof.path) > 1:
                    proof.path[-1] = bytes(32)
                    with self.assertRaises(pymerkle.InvalidProof):
                        pymerkle.verify_inclusion(leaf, checkpoint_root, proof)

    def test_5_the_log_only_grows_over_a_kill_and_a_restart(self):
        before = self.files / "before"
        self.jiaozi("checkpoint", "get", "--out", str(before))
        old = self.receipt(self.payments[0], "old.json")
        self.platform.kill()
        self.platform.start()
        self.pay(7)
        new = self.receipt(self.payments[0], "new.json")
        self.assertIn("consistent", self.jiaozi("checkpoint", "compare", str(before), "--key", str(self.vkey))[0])
        out, _ = self.jiaozi("checkpoint", "verify", str(before), "--key", str(self.vkey), "--json")
        self.assertEqual(json.loads(out)["log"], "shop.example/journal")
        for path in (old, new):
            self.jiaozi("receipt", "verify", str(path), "--key", str(self.vkey))
        # A checkpoint that was never signed, and one of another history.
        forged = before.read_text().replace("shop.example/journal\n", "shop.example/journa1\n", 1)
        (self.files / "forged").write_text(forged)
        self.jiaozi("checkpoint", "verify", str(self.files / "forged"), "--key", str(self.vkey), expect=6)
        done = subprocess.run([sys.executable, "-I", str(VERIFIER), "checkpoint", str(self.files / "forged"), "--key", str(self.vkey)], capture_output=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 1)

    def test_6_the_audit_from_nothing(self):
        data = self.files / "data"
        kept = self.files / "kept"
        self.jiaozi("checkpoint", "get", "--out", str(kept))
        report = json.loads(self.jiaozi("audit", "--data-dir", str(data), "--checkpoint", str(kept), "--json")[0])
        self.assertTrue(report["ok"], report["findings"])
        self.assertGreater(report["checkpoints"], 1)
        self.assertIn({"ledger": 156}, [{"ledger": row["ledger"]} for row in report["ledgers"]])
        self.assertIn("sound", self.jiaozi("audit", "--data", str(data))[0])
        self.assertIn("通过", self.jiaozi("audit", "--data", str(data), LC_ALL="zh_CN.UTF-8")[0])
        # One flipped bit in a copy.
        copy = self.files / "copy"
        shutil.copytree(data, copy, ignore=shutil.ignore_patterns("broker", "lock", "*.db*"))
        segment = copy / "journal" / "journal" / f"{1:020}.segment"
        with open(segment, "r+b") as file:
            file.seek(3000)
            byte = file.read(1)[0]
            file.seek(3000)
            file.write(bytes([byte ^ 0x10]))
        report = json.loads(self.jiaozi("audit", "--data", str(copy), "--json", expect=1)[0])
        first = report["findings"][0] if report["findings"][0]["check"] == "journal" else next(row for row in report["findings"] if row["check"] == "journal")
        self.assertEqual((first["file"], first["offset"], first["exact"]), (str(segment), 3000, True))

    def test_7_a_holder_is_counted_and_an_auditor_sees_one_wallet(self):
        data, proof, disclosure = (str(self.files / name) for name in ("data", "liability.json", "disclosure.json"))
        wallet = self.wallets[1]["id"]
        self.platform.call("GET", f"/v1/payments/{self.payments[0]}/receipt", expect=200)  # all that there is, is signed
        self.jiaozi("liabilities", "state", "--data", data, "--out", str(self.files / "statement"))
        self.jiaozi("liabilities", "prove", wallet, "--data", data, "--out", proof)
        self.assertIn("counted", self.jiaozi("liabilities", "verify", proof, "--key", str(self.vkey))[0])
        done = subprocess.run([sys.executable, "-I", str(VERIFIER), "liability", proof, "--key", str(self.vkey)], capture_output=True, text=True, timeout=60, check=True)
        balance = int(self.platform.call("GET", f"/v1/wallets/{wallet}", expect=200)[1]["available"])
        self.assertEqual((json.loads(done.stdout)["balance"], json.loads(done.stdout)["total"]), (str(balance), "100000"))
        pathlib.Path(proof).write_text(pathlib.Path(proof).read_text().replace(f'"balance":"{balance}"', f'"balance":"{balance + 1}"'))
        self.jiaozi("liabilities", "verify", proof, "--key", str(self.vkey), expect=6)
        self.jiaozi("disclose", "--data", data, "--wallet", wallet, "--out", disclosure)
        rows = json.loads(self.jiaozi("receipt", "verify", disclosure, "--key", str(self.vkey), "--json")[0])["movements"]
        self.assertTrue(rows and all(row["to"] == wallet for row in rows))
        self.assertIsNotNone(self.python_verifies(json.loads(pathlib.Path(disclosure).read_text())))


if __name__ == "__main__":
    unittest.main(verbosity=2)
