"""Machines that sell to purses while there is no server, and people who pay by one command, online or with the purse,
while server and machine are killed in the middle. Everything is paid once; the wallets say so to the unit."""
import json
import pathlib
import shutil
import sys
import tempfile
import time
import unittest

from command_line import Sim
from platform_under_test import Platform
from purse_command import Between, Purse, ended
from wire import PostWire

PROGRAM = sys.argv.pop(1)
PASSPHRASE = {"JIAOZI_PURSE_PASSPHRASE": "correct horse battery"}
IN_PURSE = 10_000
COLLATERAL = IN_PURSE // 2  # a software purse puts that up


class Machines(unittest.TestCase):
    def setUp(self):
        self.platform = Platform(PROGRAM, "--hold", "30", same_ports=True)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="jiaozi-machines-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.addCleanup(self.platform.stop)
        self.machine = None
        self.addCleanup(lambda: self.machine and self.machine.process.poll() is None and self.machine.stop())

    def get(self, path):
        return self.platform.call("GET", path, expect=200)[1]

    def total(self, wallet):
        return int(self.get(f"/v1/wallets/{wallet}")["total"])

    def wait_for_total(self, wallet, wanted, patience=20):
        deadline = time.monotonic() + patience
        while self.total(wallet) != wanted and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertEqual(self.total(wallet), wanted)

    def purse(self, name, wallet, amount):
        purse = Purse(PROGRAM, self.folder / name, JIAOZI_URL=self.platform.url, JIAOZI_API_KEY=self.platform.key)
        purse.ok("load", "--wallet", wallet, "--amount", amount)
        return purse

    def install(self, kind, price):
        """The machine as its merchant installs it, and a person of the family that can pay at it."""
        self.kind, self.price, self.slot = kind, price, self.folder / "slot"
        first = Sim(self.platform, kind, "--register", "--state", str(self.folder / "sim"))
        first.wait_for("online")
        self.assertEqual(first.stop(), 0)
        made = json.loads((self.folder / "sim" / f"{kind}.json").read_text())
        self.device, self.wallet, self.member = made["device"], made["wallet"], made["member"]
        self.till_wallet = self.get(f"/v1/merchants/{self.get(f'/v1/devices/{self.device}')['merchant']}")["wallet"]
        self.till = self.purse("machine", self.till_wallet, 0)
        self.ann = self.purse("ann", self.wallet, IN_PURSE)
        self.before = self.total(self.wallet)
        self.power_on()
        self.machine.wait_for("online")

    def power_on(self):
        self.machine = Sim(self.platform, self.kind, "--register", "--state", str(self.folder / "sim"), "--purse", str(self.folder / "machine"),
                           "--purse-carrier", f"unix:{self.slot}", "--purse-price", str(self.price), **PASSPHRASE)

    def network_is_cut(self):
        self.platform.kill()
        self.machine.wait_for("offline")

    def pay(self, place=None, timeout=30):
        return self.ann.ok("pay", f"unix:{place or self.slot}", "--at-most", self.price, "--timeout", timeout)

    def buy(self, code=0, timeout=20):
        """What the person does, whatever the network does."""
        exit_code, out, err = self.ann.run("pay", f"unix:{self.slot}", "--at", self.device, "--member", self.member, "--at-most", self.price, "--timeout", timeout, "--json")
        self.assertEqual(exit_code, code, out + err)
        return json.loads(out)

    def torn(self, from_payer, from_payee):
        between = Between(self.folder / "between", self.slot, from_payer, from_payee)
        unknown = ended(self.ann.begin("pay", f"unix:{between.place}", "--at-most", self.price, "--timeout", 5), 7)
        between.gone()
        self.assertEqual(unknown["outcome"], "unknown")

    def sells_while_the_server_is_dead(self, kind, price):
        self.install(kind, price)
        self.network_is_cut()
        for _ in range(4):
            paid = self.pay()
            self.assertEqual((paid["outcome"], paid["settled"]), ("paid", False))
            sold = self.machine.wait_for("sold_to_purse")
            self.assertEqual((sold["amount"], sold["detail"]), (str(price), "accepted, not settled"))

        # Credited, and the receipt is lost with the machine's power: unknown for the payer, paid when the machine is back.
        self.torn(from_payer=1, from_payee=1)
        self.machine.wait_for("sold_to_purse")
        self.machine.kill()
        self.assertEqual((self.ann.show()["unknown"], self.ann.show()["payments_unknown"]), (str(price), 1))
        self.power_on()
        self.assertEqual(self.ann.show()["unknown"], str(price), "a machine that starts again tells nobody by itself")
        self.assertEqual(self.ann.ok("pay", f"unix:{self.slot}", "--resume", "--timeout", 20)["outcome"], "paid")

        # The note never arrives, and the machine is killed while it waits: unknown, then voided, and the machine sells on.
        self.torn(from_payer=0, from_payee=1)
        self.machine.kill()
        self.power_on()
        self.assertEqual(self.ann.show()["unknown"], str(price))
        self.assertEqual(self.ann.run("pay", f"unix:{self.slot}", "--resume", "--timeout", 20)[0], 4)
        self.assertEqual((self.ann.show()["unknown"], self.ann.show()["void_held"]), ("0", str(price)))
        self.assertEqual(self.pay()["outcome"], "paid")
        self.machine.wait_for("sold_to_purse")

        self.platform.start()
        handed_in = self.machine.wait_for("deposited")
        self.assertEqual((handed_in["amount"], handed_in["detail"]), (str(6 * price), ""))
        self.wait_for_total(self.till_wallet, 6 * price)  # six sales, each paid once
        synced = self.ann.ok("sync")
        self.assertEqual((synced["refused"], synced["unknown"]), ([], "0"))
        # The voided amount is the wallet's again or can be spent; nothing is anywhere else.
        shown = self.ann.show()
        seen = self.get(f"/v1/purses/{shown['purse']}")
        self.assertEqual(self.total(self.wallet) + int(seen["loaded"]) + int(seen["on_the_way"]) + int(seen["collateral"]),
                         self.before + IN_PURSE + COLLATERAL - 6 * price)
        self.assertEqual(self.machine.stop(), 0)

    def test_a_vending_machine_sells_while_the_server_is_dead(self):
        self.sells_while_the_server_is_dead("vending", 350)

    def test_a_gate_opens_while_the_server_is_dead(self):
        self.sells_while_the_server_is_dead("gate", 500)

    def test_one_command_pays_online_or_with_the_purse(self):
        self.install("vending", 350)
        paid = self.buy()
        self.assertEqual((paid["way"], paid["outcome"], paid["settled"]), ("online", "paid", True))
        self.assertEqual(self.machine.wait_for("settled")["captured"], "350")
        self.network_is_cut()
        paid = self.buy()
        self.assertEqual((paid["way"], paid["outcome"], paid["settled"]), ("purse", "paid", False))
        self.machine.wait_for("sold_to_purse")
        self.platform.start()
        self.machine.wait_for("deposited")
        self.wait_for_total(self.till_wallet, 700)
        self.ann.ok("sync")
        self.assertEqual((self.total(self.wallet), self.ann.show()["spendable"]), (self.before - 350, str(IN_PURSE - 350)))

        # The machine is away and the server is not: the purse.
        self.machine.kill()
        self.machine = None
        time.sleep(4)  # longer than the server takes it for alive
        receiving = self.till.begin("receive", f"unix:{self.slot}", "--amount", 350, "--timeout", 30)
        self.assertEqual(self.buy()["way"], "purse")
        self.assertEqual(ended(receiving)["outcome"], "credited")

    def test_the_server_dies_in_the_middle_of_an_online_payment(self):
        self.install("vending", 350)
        wire = PostWire(int(self.platform.ports[0]))
        self.addCleanup(wire.close)
        self.ann.where["JIAOZI_URL"] = wire.url
        for sales, cut in enumerate(("before the server has it", "before the answer is back"), 1):
            with self.subTest(cut):
                wire.cut = cut
                unknown = self.buy(7, timeout=3)
                self.assertEqual((unknown["way"], unknown["outcome"]), ("online", "unknown"))
                self.platform.kill()
                unknown = self.buy(7, timeout=3)
                self.assertEqual((unknown["way"], unknown["earlier"]), ("online", True), "asked again, and not from the purse")
                shown = self.ann.show()
                self.assertEqual(shown["spendable"], str(IN_PURSE))
                self.assertEqual([(one["way"], one["amount"]) for one in shown["purchases_unknown"]], [("online", "350")])
                wire.cut = None
                self.platform.start()
                self.machine.wait_for("online", patience=60)
                paid = self.buy(timeout=40)
                self.assertEqual((paid["way"], paid["outcome"], paid["earlier"]), ("online", "paid", True))
                self.wait_for_total(self.till_wallet, sales * 350)  # once
                shown = self.ann.show()
                self.assertEqual((shown["spendable"], shown["purchases_unknown"]), (str(IN_PURSE), []))
        self.assertEqual(self.machine.stop(), 0)

    def test_a_purchase_nobody_can_clear_up_is_forgotten_only_by_somebody_who_is_sure(self):
        self.install("vending", 350)
        wire = PostWire(int(self.platform.ports[0]))
        self.addCleanup(wire.close)
        self.ann.where["JIAOZI_URL"] = wire.url
        wire.cut = "before the server has it"
        unknown = self.buy(7, timeout=3)
        self.assertEqual((unknown["way"], unknown["outcome"]), ("online", "unknown"))
        waiting = self.ann.show()["purchases_unknown"]
        self.assertEqual(len(waiting), 1)
        forget = ("forget", "--at", self.device, "--slot", waiting[0]["slot"])
        exit_code, out, err = self.ann.run(*forget)
        self.assertNotEqual(exit_code, 0)
        self.assertIn("--sure", out + err)
        self.assertEqual(self.ann.show()["purchases_unknown"], waiting, "a refusal changes nothing")
        exit_code, out, err = self.ann.run(*forget, "--sure")
        self.assertEqual(exit_code, 0, out + err)
        shown = self.ann.show()
        self.assertEqual((shown["purchases_unknown"], shown["spendable"]), ([], str(IN_PURSE)))
        self.assertNotEqual(self.ann.run(*forget, "--sure")[0], 0, "there is nothing left to forget")
        self.assertEqual(self.machine.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
