"""Checkpoints of a real platform anchored to files, URLs and a contract on a real EVM node; forks and cut logs found by them."""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

import anvil
from command_line import jiaozi
from platform_under_test import Platform
from shop import Shop

PROGRAM = sys.argv.pop(1)
NODE = anvil.installed()
CONTRACT = pathlib.Path(__file__).resolve().parents[2] / "contracts" / "CheckpointAnchor"


class Anchors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.platform = Platform(PROGRAM, "--origin", "shop.example/journal")
        cls.files = cls.platform.folder
        cls.data = cls.files / "data"
        cls.shop = Shop(cls.platform, deposit="10000")
        cls.chain = anvil.Anvil(NODE, cls.files)
        cls.place = anvil.Place()
        cls.account, cls.other = cls.chain.accounts[:2]

    @classmethod
    def tearDownClass(cls):
        cls.chain.stop()
        cls.place.stop()
        cls.platform.stop()

    def run_json(self, *words, expect=0, **more):
        code, out, said = jiaozi(self.platform, *map(str, words), "--json", **({"JIAOZI_RPC": self.chain.url} | more))
        self.assertEqual(code, expect, out + said)
        return json.loads(out) if out.strip() else said

    def deposit(self, amount):
        self.platform.make(f"/v1/wallets/{self.shop.wallet['id']}/deposits", {"amount": str(amount), "asset": "CNY"})
        # All there is becomes signed: a receipt waits for that.
        self.platform.call("GET", f"/v1/payments/{self.payment}/receipt", expect=200)

    def anchor_everywhere(self, **more):
        return [
            self.run_json("anchor", "file", self.files / "anchors", "--data", self.data, **more),
            self.run_json("anchor", "url", self.place.url, "--server", self.platform.url, "--key", self.data / "log" / "vkey", **more),
            self.run_json("anchor", "evm", "--contract", self.contract, "--from", self.account, "--data", self.data, **more),
        ]

    def audit(self, *places, data=None, expect=0):
        options = [word for place in places for word in ("--anchors", place)]
        return self.run_json("audit", "--data", data or self.data, *options, expect=expect)

    def make_payment(self):
        people = [self.platform.make("/v1/people", {"name": name}) for name in ("Ana", "Bo")]
        groups = [self.platform.make("/v1/groups", {"kind": "family", "name": one["name"], "owner": one["id"]}) for one in people]
        wallets = [self.platform.make(f"/v1/groups/{one['id']}/wallets", {"name": "Purse", "asset": "CNY"}) for one in groups]
        member = self.platform.call("GET", f"/v1/groups/{groups[0]['id']}/members", expect=200)[1]["data"][0]
        self.platform.make(f"/v1/wallets/{wallets[0]['id']}/deposits", {"amount": "100", "asset": "CNY"})
        body = {"kind": "person", "payer_wallet": wallets[0]["id"], "payer_member": member["id"], "payee_wallet": wallets[1]["id"], "asset": "CNY", "amount": "1"}
        return self.platform.make("/v1/payments", body)["id"]

    def test_1_the_committed_code_is_what_the_compiler_makes(self):
        self.assertEqual(anvil.compiled(CONTRACT.with_suffix(".sol")), CONTRACT.with_suffix(".bin").read_text())

    def test_2_anchored_once_and_found_by_the_audit(self):
        cls = type(self)
        deployed = self.run_json("anchor", "deploy", "--from", self.account)
        self.assertEqual(deployed["chain_id"], 31337)
        cls.contract, cls.payment = deployed["contract"], self.make_payment()
        self.deposit(1)
        first = self.anchor_everywhere()
        self.assertEqual([one["already"] for one in first], [False] * 3)
        self.assertEqual(len({(one["size"], one["root"]) for one in first}), 1)
        self.assertEqual([one["already"] for one in self.anchor_everywhere()], [True] * 3)
        self.assertEqual(self.place.posts, 1)
        self.deposit(2)
        later = self.anchor_everywhere()
        self.assertEqual([one["already"] for one in later], [False] * 3)
        self.assertGreater(int(later[0]["size"]), int(first[0]["size"]))
        cls.places = [one["place"] for one in later]
        self.assertEqual(cls.places[2].lower(), f"eip155:31337:{self.contract}/{self.account}".lower())
        report = self.audit(*self.places)
        self.assertTrue(report["ok"])
        self.assertEqual(report["anchors"], 6)
        # From outside, without the data, and in words.
        checked = self.run_json("anchor", "check", *self.places, "--server", self.platform.url, "--key", self.data / "log" / "vkey")
        self.assertEqual((checked["ok"], checked["anchors"]), (True, 6))
        for language, word in (("C.UTF-8", "anchored before"), ("zh_CN.UTF-8", "此前已锚定")):
            code, out, _ = jiaozi(self.platform, "anchor", "file", str(self.files / "anchors"), "--data", str(self.data), LC_ALL=language)
            self.assertEqual(code, 0)
            self.assertIn(word, out)

    def test_3_a_place_that_can_only_be_written_is_remembered(self):
        place = anvil.Place()
        place.readable = False
        words = ("anchor", "url", place.url, "--data", self.data, "--remember", self.files / "remembered")
        self.assertFalse(self.run_json(*words)["already"])
        self.assertTrue(self.run_json(*words)["already"])
        self.assertEqual(place.posts, 1)
        self.assertTrue(self.audit(self.files / "remembered")["ok"])
        place.stop()

    def test_4_what_is_not_there_or_not_right_is_said(self):
        evm = ("anchor", "evm", "--from", self.account, "--data", self.data)
        nowhere = "0x" + "11" * 20
        self.assertIn("no contract", self.run_json(*evm, "--contract", nowhere, expect=3))
        # An account that the node has no key of; a node that is down; one that is no node, or answers without end.
        self.deposit(3)
        self.assertIn("refused", self.run_json("anchor", "evm", "--from", nowhere, "--data", self.data, "--contract", self.contract, expect=4))
        self.run_json(*evm, "--contract", self.contract, "--rpc", "http://127.0.0.1:1", expect=7)
        liar = anvil.Place()
        for answer, words in ((b"<html>", "not JSON"), (b"{}", "JSON-RPC"), (b"[" * (2 << 20), "larger than")):
            liar.answer = answer
            self.assertIn(words, self.run_json(*evm, "--contract", self.contract, "--rpc", liar.url, expect=2))
        liar.stop()
        # Another account has another list; another chain is not this one; an empty place is no place.
        report = self.audit(f"eip155:31337:{self.contract}/{self.other}", expect=1)
        self.assertEqual(report["findings"][0]["check"], "anchors")
        self.audit(self.places[2].replace("31337", "1"), expect=5)
        self.run_json("audit", "--data", self.data, "--anchors", self.files / "nothing", expect=3)
        self.anchor_everywhere()

    def test_5_a_transaction_that_no_block_takes_is_waited_for_and_not_sent_again(self):
        slow = anvil.Anvil(NODE, self.files, "--block-time", "2")
        deployed = self.run_json("anchor", "deploy", "--from", self.account, JIAOZI_RPC=slow.url)
        words = ("anchor", "evm", "--contract", deployed["contract"], "--from", self.account, "--data", self.data)
        self.deposit(4)
        self.assertIn("was sent", self.run_json(*words, "--timeout", "1", "--confirmations", "5", expect=7, JIAOZI_RPC=slow.url))
        again = self.run_json(*words, JIAOZI_RPC=slow.url)
        self.assertTrue(again["already"])
        self.assertIsNone(again["transaction"])
        self.anchor_everywhere()
        slow.stop()

    def test_6_a_fork_and_a_shrunk_log_are_found(self):
        platform, backup, kept = self.platform, self.files / "backup", self.files / "kept"
        self.run_json("backup", backup, "--data", self.data)
        for amount in (5, 6, 7):
            self.deposit(amount)
        anchored = self.anchor_everywhere()[0]
        vkey = (self.data / "log" / "vkey").read_text()
        # The keeper goes back to an older state, and on from there, with all of the keys.
        platform.kill()
        self.data.rename(kept)
        self.run_json("restore", backup, "--data", self.data)
        for secret in ("keystore.key", "operator.key"):
            shutil.copy(kept / secret, self.data / secret)
        platform.start()
        platform.call("GET", f"/v1/payments/{self.payment}/receipt", expect=200)
        self.assertEqual((self.data / "log" / "vkey").read_text(), vkey)
        self.assertTrue(self.audit()["ok"])  # by itself it is sound
        for place in self.places:
            report = self.audit(place, expect=1)
            self.assertEqual([(one["check"], one["file"]) for one in report["findings"]], [("anchors", place)])
            self.assertEqual(report["findings"][0]["difference"], {"size": int(anchored["size"]), "anchored_root": anchored["root"], "journal_root": None})
            self.assertIn("shrunk", report["findings"][0]["message"])
        # Nothing of it is published over what is there.
        for words in (("file", self.files / "anchors"), ("url", self.place.url), ("evm", "--contract", self.contract, "--from", self.account)):
            self.run_json("anchor", *words, "--data", self.data, expect=5)
        for _ in range(12):
            self.deposit(9)
        for place in self.places:
            report = self.audit(place, expect=1)
            difference = report["findings"][-1]["difference"]
            self.assertEqual((difference["size"], difference["anchored_root"]), (int(anchored["size"]), anchored["root"]))
            self.assertNotIn(difference["journal_root"], (None, anchored["root"]))
            self.assertIn("rewritten or forked", report["findings"][-1]["message"])
        checked = self.run_json("anchor", "check", *self.places, "--server", platform.url, "--key", vkey.strip(), expect=1)
        self.assertEqual({one["place"] for one in checked["findings"]}, set(self.places))
        code, out, _ = jiaozi(platform, "audit", "--data", str(self.data), "--anchors", str(self.files / "anchors"), LC_ALL="zh_CN.UTF-8")
        self.assertEqual(code, 1)
        self.assertIn("锚定", out)
        # The history that was anchored is still there, and still sound.
        self.assertTrue(self.audit(*self.places, data=kept)["ok"])

    def test_7_a_server_publishes_by_itself(self):
        contract = self.run_json("anchor", "deploy", "--from", self.other)["contract"]
        target = anvil.Place()
        secret = target.url.replace("http://", "http://me:hidden@")
        places = [self.files / "served", f"eip155:31337:{contract}/{self.other}@{self.chain.url}", secret, "http://127.0.0.1:1/down"]
        config = self.files / "serve.toml"
        config.write_text("[serve]\nanchors = " + json.dumps(list(map(str, places))) + "\nanchors-every = 1\n")
        platform = Platform(PROGRAM, "--config", str(config))
        shop = Shop(platform, deposit="5000")
        names = [str(places[0]), f"eip155:31337:{contract}/{self.other}".lower(), "http://" + target.url.split("/")[2], "http://127.0.0.1:1"]
        for amount in ("6", "7"):
            platform.make(f"/v1/wallets/{shop.wallet['id']}/deposits", {"amount": amount, "asset": "CNY"})
            platform.wait_for_metrics(lambda now: now["jiaozi_log_signed_commands"] == now["jiaozi_journal_sequence"])
            wanted = platform.metrics()["jiaozi_log_signed_commands"]
            platform.wait_for_metrics(lambda now: all(now.get(f'jiaozi_anchored_commands{{place="{name}"}}', -1) >= wanted for name in names[:3]))
        platform.wait_for_metrics(lambda now: now[f'jiaozi_anchor_failures_total{{place="{names[3]}"}}'] > 0)
        now = platform.metrics()
        self.assertEqual([now[f'jiaozi_anchor_failing{{place="{name}"}}'] for name in names], [0, 0, 0, 1])
        words = [word for place in (places[0], places[1], target.url) for word in ("--anchors", place)]
        self.assertTrue(self.run_json("audit", "--data", platform.folder / "data", *words)["ok"])
        # Started again it sends nothing twice; and what it logs shows no secret.
        notes = places[0].read_text()
        platform.kill()
        platform.start()
        platform.wait_for_metrics(lambda now: now[f'jiaozi_anchored_commands{{place="{names[2]}"}}'] >= wanted)
        self.assertTrue(places[0].read_text().startswith(notes))
        for text in (places[0].read_text(), target.text.decode()):
            sizes = re.findall(r"^jiaozi/[0-9a-f]{16}\n(\d+)\n", text, re.MULTILINE)
            self.assertGreaterEqual(len(sizes), 2)
            self.assertEqual(len(sizes), len(set(sizes)))
        said = (platform.folder / "log").read_text()
        self.assertIn("checkpoint anchored", said)
        self.assertIn("could not be anchored", said)
        self.assertNotIn("hidden", said)
        self.assertEqual(platform.stop(), 0)
        target.stop()
        # A setting that is none, or a place, is refused before anything starts.
        config.write_text("anchor = 'x'\n")
        done = subprocess.run([PROGRAM, "serve", "--data", str(self.files / "none"), "--config", str(config)], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("there is no setting anchor", done.stderr)
        done = subprocess.run([PROGRAM, "serve", "--data", str(self.files / "none"), "--anchors", "eip155:x"], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("eip155:CHAIN", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
