"""What purses do for each other: a payment whose two sides never meet the network is settled because somebody they met
does; what is carried is handed in once in effect, whatever dies in between; two blacklists with one version are found
out by two purses that meet, and by a sync."""
import pathlib
import shutil
import sys
import tempfile
import time
import unittest

from platform_under_test import Platform
from purse_command import Purse, transfer
from shop import Shop
from wire import PostWire

PROGRAM = sys.argv.pop(1)


class Mules(unittest.TestCase):
    def setUp(self):
        self.platform = Platform(PROGRAM, same_ports=True)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="jiaozi-mules-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.addCleanup(self.platform.stop)
        self.shop = Shop(self.platform)
        self.place = f"unix:{self.folder}/socket"

    def get(self, path, platform=None):
        return (platform or self.platform).call("GET", path, expect=200)[1]

    def purse(self, name, amount):
        wallet = self.platform.make(f"/v1/groups/{self.shop.group['id']}/wallets", {"name": name, "asset": "CNY"})["id"]
        self.platform.make(f"/v1/wallets/{wallet}/deposits", {"amount": "20000", "asset": "CNY"})
        purse = Purse(PROGRAM, self.folder / name, JIAOZI_URL=self.platform.url, JIAOZI_API_KEY=self.platform.key)
        purse.ok("load", "--wallet", wallet, "--amount", amount)
        purse.wallet = wallet
        return purse

    def offline_payments(self):
        return sorted((int(row["amount"]), row["state"]) for row in self.get("/v1/payments?kind=offline")["data"])

    def available(self, purse):
        return int(self.get(f"/v1/wallets/{purse.wallet}")["available"])

    def wait_for(self, condition, patience=20):
        deadline = time.monotonic() + patience
        while not condition():
            self.assertLess(time.monotonic(), deadline, "not reached")
            time.sleep(0.1)

    def test_a_payment_of_two_who_never_meet_the_network_is_settled(self):
        ann, bob, mule = self.purse("ann", 1000), self.purse("bob", 100), self.purse("mule", 0)
        transfer(ann, bob, 300, self.place)
        transfer(bob, mule, 50, self.place)  # of Ann's 300
        self.assertEqual((mule.show()["carried"], bob.show()["carried"]), (1, 1), "each carries for the other")
        for locale, words in (("C.UTF-8", "carried for others"), ("zh_CN.UTF-8", "代他人携带")):
            self.assertIn(words, mule.run("show", LC_ALL=locale)[1])
        before = self.available(bob)
        shutil.rmtree(bob.folder)  # Bob's device is gone, and Ann's never has a network

        # The server dies with the request on its way, or with the answer; the purse then still carries it.
        wire = PostWire(int(self.platform.ports[0]), b"/v1/purses/carried")
        self.addCleanup(wire.close)
        mule.where["JIAOZI_URL"] = wire.url
        for cut in ("before the server has it", "before the answer is back"):
            with self.subTest(cut):
                wire.cut = cut
                synced = mule.ok("sync")
                self.assertEqual((synced["carried"], len(synced["put_off"])), (0, 1), "its own sync stands")
                self.platform.kill()
                self.platform.start()
                self.assertEqual(mule.show()["carried"], 1, "nothing is forgotten before the answer")
        self.assertGreaterEqual(wire.cuts, 2)
        wire.cut = None
        for locale, words in (("C.UTF-8", "handed in for others"), ("zh_CN.UTF-8", "代他人上交")):
            code, out, err = mule.run("sync", LC_ALL=locale)
            self.assertEqual(code, 0, err)
            (self.assertIn if locale == "C.UTF-8" else self.assertNotIn)(words, out)  # once: then there is nothing left
        self.assertEqual(mule.show()["carried"], 0)
        self.assertEqual(self.offline_payments(), [(50, "captured"), (300, "captured")])
        # What Bob has not spent on waits for his own word, or the note's deadline; it is his and nobody else's.
        bobs = self.get(f"/v1/purses?wallet={bob.wallet}")["data"][0]
        self.assertEqual((self.available(bob) - before, int(bobs["on_the_way"])), (0, 250))
        self.assertEqual(mule.ok("sync")["received_not_settled"], "0")

    def test_regulars_do_not_fill_up_with_the_same(self):
        ann, bob = self.purse("ann", 1000), self.purse("bob", 100)
        for _ in range(4):
            transfer(ann, bob, 10, self.place)
        # Each payment gives what is held to whoever pays, three times each at most: 1 + 2 + 3 + 3.
        self.assertEqual(ann.show()["carried"], 9)
        synced = ann.ok("sync")
        self.assertEqual((synced["carried"], synced["put_off"]), (9, []))
        self.assertEqual(self.offline_payments(), [(10, "captured")] * 4)
        self.assertEqual((bob.ok("sync")["refused"], bob.show()["received_not_settled"]), ([], "0"))

    def test_a_second_head_is_an_alarm(self):
        ann, bob, eve, lost = (self.purse(name, 1000) for name in ("ann", "bob", "eve", "lost"))
        # Somebody has copied the server, keys and all, and signs lists with them.
        self.platform.kill()
        other = Platform.__new__(Platform)
        other.program, other.options, other.same_ports, other.ports = PROGRAM, (), False, ("0", "0")
        other.folder = pathlib.Path(tempfile.mkdtemp(prefix="jiaozi-functional-"))
        shutil.copytree(self.platform.folder / "data", other.folder / "data")
        self.platform.start()
        other.start()
        self.addCleanup(other.stop)
        numbers = {purse: purse.show()["purse"] for purse in (ann, bob, eve, lost)}
        version = self.get("/v1/purses/blacklist")["version"]
        self.platform.make(f"/v1/purses/{numbers[lost]}/lost", {}, 200)
        other.make(f"/v1/purses/{numbers[eve]}/lost", {}, 200)
        for platform in (self.platform, other):
            self.wait_for(lambda: self.get("/v1/purses/blacklist", platform)["version"] == version + 1)
        ann.where["JIAOZI_URL"] = other.url
        ann.ok("sync")
        bob.ok("sync")
        self.assertEqual((ann.show()["blacklist"], bob.show()["blacklist"]), (version + 1, version + 1))
        transfer(ann, bob, 10, self.place)  # and they tell each other what they know
        for purse in (ann, bob):
            self.assertTrue(purse.show()["two_lists"])
        self.assertIn("alarm", bob.run("show")[1])
        self.assertIn("警报", bob.run("show", LC_ALL="zh_CN.UTF-8")[1])
        self.assertEqual(self.get("/v1/purses/alarms")["data"], [])
        self.assertTrue(bob.ok("sync")["two_lists"])
        self.assertIn("two blacklists", bob.run("sync")[1])
        self.assertIn("两份黑名单", bob.run("sync", LC_ALL="zh_CN.UTF-8")[1])
        self.assertEqual(len(self.get("/v1/purses/alarms")["data"]), 1, "one, however often it is handed in")
        self.wait_for(lambda: self.get("/v1/events?type=purse.two_lists")["data"])
        self.assertEqual(self.platform.metrics()["jiaozi_purse_two_lists"], 1)

        # And by a sync alone: the other list was taken from the copy, and the server has one with that version.
        eve.where["JIAOZI_URL"] = other.url
        eve.ok("sync")
        self.assertFalse(eve.show()["two_lists"])
        eve.where["JIAOZI_URL"] = self.platform.url
        synced = eve.ok("sync")
        self.assertEqual((synced["two_lists"], synced["put_off"]), (True, []))
        self.assertEqual(len(self.get("/v1/purses/alarms")["data"]), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
