"""Offline purses over HTTP: enrolled, loaded, paid with while the server is dead, deposited, settled; kill -9 between any two of these loses nothing and repeats nothing."""
import base64
import subprocess
import sys
import threading
import unittest

from platform_under_test import Platform
from purse_messages import Purse, object_id, sealed_for_a_mule, text, verify
from shop import Shop

PROGRAM = sys.argv.pop(1)
DEPOSIT = 100_000


class Purses(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.platform = Platform(PROGRAM)
        cls.shop = Shop(cls.platform, deposit=str(DEPOSIT))

    @classmethod
    def tearDownClass(cls):
        assert cls.platform.stop() == 0, "the program did not end cleanly"

    def crash(self):
        self.platform.kill()
        self.platform.start()

    def get(self, path):
        return self.platform.call("GET", path, expect=200)[1]

    def enrol(self, wallet):
        purse = Purse()
        made = self.platform.make("/v1/purses", {"wallet": wallet, "suite": 1, "key": purse.public.hex()})
        purse.ordinal = made["ordinal"]
        return purse

    def load(self, purse, amount, key):
        answer = self.platform.call("POST", f"/v1/purses/{purse.ordinal}/loads", {"amount": str(amount), "asset": "CNY"}, 201, [f"Idempotency-Key: {key}"])[1]
        return base64.b64decode(answer["certificate"])

    def deposit(self, items, purse=None):
        body = {"items": [text(item) for item in items]} | ({"purse": purse.ordinal} if purse else {})
        return self.platform.call("POST", "/v1/purses/deposits", body, 200)[1]["data"]

    def sync(self, purse, last_seen=0):
        return base64.b64decode(self.platform.call("POST", f"/v1/purses/{purse.ordinal}/sync", {"last_seen": last_seen}, 200)[1]["acknowledgement"])

    def wallets(self):
        """(Ana's, the shop's) totals."""
        return tuple(int(self.get(f"/v1/wallets/{wallet}")["total"]) for wallet in (self.shop.wallet["id"], self.shop.merchant["wallet"]))

    def in_purses(self, *purses):
        total = 0
        for purse in purses:
            seen = self.get(f"/v1/purses/{purse.ordinal}")
            total += sum(int(seen[name]) for name in ("loaded", "on_the_way", "collateral"))
        return total

    def test_a_whole_life_with_crashes(self):
        ana, shop = self.enrol(self.shop.wallet["id"]), self.enrol(self.shop.merchant["wallet"])
        issuer = bytes.fromhex(next(key["key"] for key in self.get("/v1/purses/root")["issuers"] if key["suite"] == 1))
        certificate = self.load(ana, 5_000, "first load")
        loaded = verify(certificate, issuer)
        self.assertEqual((loaded[0], loaded[3], loaded[4], loaded[8]), (1, ana.ordinal, ana.public, 5_000))
        self.assertEqual(self.wallets(), (DEPOSIT - 7_500, 0))  # and half of it as collateral: a software purse can be copied

        # The power goes. The purses pay each other without anybody.
        self.platform.kill()
        lot = object_id(certificate)
        notes = [ana.pay(shop, lot, 100 * i, 100) for i in range(20)]
        self.platform.start()
        self.assertEqual(self.load(ana, 5_000, "first load"), certificate, "the same certificate after a crash")
        self.assertEqual(self.wallets(), (DEPOSIT - 7_500, 0))

        # By the payer, without the payee's word: pending. The payee's receipt, carried by anybody, makes it final.
        self.assertEqual(self.deposit([notes[0]], ana)[0]["state"], "pending")
        self.crash()
        self.assertEqual(self.deposit([shop.receipt(notes[0]) + notes[0]])[0]["state"], "settled")
        self.crash()
        again = self.deposit([notes[0]], ana)[0]
        self.assertEqual((again["state"], again["replayed"]), ("settled", True))

        # Killed while the rest is handed in, again and again; what was answered and what was not is handed in once more.
        for _ in range(3):
            def hand_in():
                try:
                    self.deposit(notes, shop)
                except (subprocess.CalledProcessError, ValueError, AssertionError):
                    pass  # killed before it could answer

            sender = threading.Thread(target=hand_in)
            sender.start()
            sender.join(0.03)
            self.platform.kill()
            sender.join()
            self.platform.start()
        rows = self.deposit(notes, shop)
        self.assertEqual({(row["reason"], row["state"], row["amount"]) for row in rows}, {("ok", "settled", "100")})
        ack = verify(self.sync(shop), issuer)
        self.assertEqual((ack[0], ack[2], ack[3], ack[5]), (7, shop.ordinal, 1, 1))
        self.assertEqual(verify(self.sync(ana), issuer)[5], 20, "everything that Ana's purse said is settled")
        self.assertEqual(self.wallets(), (DEPOSIT - 7_500, 2_000))
        self.assertEqual(sum(self.wallets()) + self.in_purses(ana, shop), DEPOSIT)

        # Lost: on the blacklist at once; the rest comes back when the lot ends, once.
        self.assertEqual(self.platform.make(f"/v1/purses/{ana.ordinal}/lost", {}, 200)["state"], "lost")
        for _ in range(100):  # the list is a command of its own
            revoked = verify(base64.b64decode(self.get("/v1/purses/blacklist")["head"]), issuer)[5]
            if revoked == 1:
                break
        self.assertEqual(revoked, 1)
        self.platform.call("POST", "/v1/test_clock/advance", {"seconds": 15 * 86_400}, 200)
        for _ in range(50):
            if self.wallets() == (DEPOSIT - 2_000, 2_000):
                break
        self.crash()
        self.assertEqual(self.wallets(), (DEPOSIT - 2_000, 2_000))

    def test_two_notes_over_one_range_are_proven(self):
        ben, shop = self.enrol(self.shop.wallet["id"]), self.enrol(self.shop.merchant["wallet"])
        lot = object_id(self.load(ben, 100, "second load"))
        self.assertEqual([row["reason"] for row in self.deposit([ben.pay(shop, lot, 0, 10), ben.pay(shop, lot, 5, 10)])], ["ok", "ok"])
        self.crash()
        for _ in range(100):
            status, proof = self.platform.call("GET", f"/v1/purses/{ben.ordinal}/proof")
            if status == 200:
                break
        self.assertEqual((status, proof["purse"]), (200, ben.ordinal))
        self.assertEqual(self.get(f"/v1/purses/{ben.ordinal}")["state"], "frozen")

    def test_what_a_mule_brings_is_read_by_the_ledger_alone(self):
        cara, shop = self.enrol(self.shop.wallet["id"]), self.enrol(self.shop.merchant["wallet"])
        note = cara.pay(shop, object_id(self.load(cara, 100, "third load")), 0, 40)
        deposit_key = bytes.fromhex(self.get("/v1/purses/root")["deposit_key"])
        message = sealed_for_a_mule(shop.receipt(note) + note, deposit_key)
        self.crash()
        self.assertEqual(bytes.fromhex(self.get("/v1/purses/root")["deposit_key"]), deposit_key, "for ever the same")

        def bring(*messages):
            answer = self.platform.call("POST", "/v1/purses/carried", {"items": [text(one) for one in messages]}, 200)[1]
            return [row["reason"] for row in answer["data"]]
        bent = message[:-1] + bytes([message[-1] ^ 1])
        self.assertEqual(bring(bent, message, message), ["unreadable", "ok", "ok"])
        sold = self.get(f"/v1/payments?kind=offline&payee_wallet={self.shop.merchant['wallet']}")["data"]
        settled = [row for row in sold if row["offline"]["note"] == object_id(note).hex()]
        self.assertEqual([(row["state"], row["captured"]) for row in settled], [("captured", "40")], "final: the receipt is the payee's word")
        self.assertEqual(bring(message), ["ok"])

    def test_what_devices_saw_of_the_issuer(self):
        head = self.get("/v1/purses/blacklist")["head"]
        self.assertFalse(self.platform.call("POST", "/v1/purses/alarms", {"heads": head}, 200)[1]["contradiction"])
        self.assertEqual(self.get("/v1/purses/alarms")["data"], [])

    def test_junk_is_quarantined_and_changes_nothing(self):
        before = self.wallets()
        self.assertEqual([row["reason"] for row in self.deposit([b"\x00", b"\xff" * 4_600])], ["malformed", "too_large"])
        self.assertEqual([row["reason"] for row in self.get("/v1/purses/quarantine?limit=2")["data"]], ["too_large", "malformed"])
        self.assertEqual(self.wallets(), before)


if __name__ == "__main__":
    unittest.main(verbosity=2)
