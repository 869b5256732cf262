"""A machine with a SIM card and nothing but the broker syncs its purse: in pieces over its own session, without an API
key; through a cut in the middle, and through a server that is killed in the middle. Everything is settled once."""
import json
import pathlib
import shutil
import sys
import tempfile
import threading
import time
import unittest

from command_line import Sim
from platform_under_test import Platform
from purse_command import Purse, ended, transfer
from wire import ByteWire

PROGRAM = sys.argv.pop(1)
PASSPHRASE = {"JIAOZI_PURSE_PASSPHRASE": "correct horse battery"}
SALES = 12  # a deposit of about 700 bytes each: more than two envelopes
PRICE = 350


class Errands(unittest.TestCase):
    def setUp(self):
        self.platform = Platform(PROGRAM, "--hold", "30", same_ports=True)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="jiaozi-errands-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.addCleanup(self.platform.stop)
        first = Sim(self.platform, "vending", "--register", "--state", str(self.folder / "sim"))
        first.wait_for("online")
        self.assertEqual(first.stop(), 0)
        made = json.loads((self.folder / "sim" / "vending.json").read_text())
        self.device = made["device"]
        merchant = self.get(f"/v1/devices/{self.device}")["merchant"]
        self.till_wallet = self.get(f"/v1/merchants/{merchant}")["wallet"]
        self.till = self.purse("till", self.till_wallet, 0, "--device", self.device)
        self.ann = self.purse("ann", made["wallet"], 10_000)
        self.place = f"unix:{self.folder}/socket"
        # From here on the machine has its own key and the broker; no API key, and no address of the HTTP interface.
        self.till.where.update(JIAOZI_URL="http://127.0.0.1:9", JIAOZI_API_KEY="")

    def get(self, path):
        return self.platform.call("GET", path, expect=200)[1]

    def purse(self, name, wallet, amount, *options):
        purse = Purse(PROGRAM, self.folder / name, JIAOZI_URL=self.platform.url, JIAOZI_API_KEY=self.platform.key)
        purse.ok("load", "--wallet", wallet, "--amount", amount, *options)
        return purse

    def sell(self, times):
        for _ in range(times):
            transfer(self.ann, self.till, PRICE, self.place)

    def sync(self, broker=None, code=0):
        exit_code, out, err = self.till.run("sync", "--device-state", self.folder / "sim", "--mqtt", broker or f"127.0.0.1:{self.platform.mqtt_port}", "--json")
        self.assertEqual(exit_code, code, out + err)
        return json.loads(out) if out.strip() else err

    def settled(self, sales):
        deadline = time.monotonic() + 20
        while int(self.get(f"/v1/wallets/{self.till_wallet}")["total"]) != sales * PRICE:
            self.assertLess(time.monotonic(), deadline, self.get(f"/v1/wallets/{self.till_wallet}"))
            time.sleep(0.1)
        rows = self.get("/v1/payments?kind=offline&limit=100")["data"]
        self.assertEqual([(row["amount"], row["state"]) for row in rows], [(str(PRICE), "captured")] * sales)

    def test_a_deposit_larger_than_an_envelope(self):
        self.sell(SALES)
        synced = self.sync()
        self.assertEqual((synced["deposited"], synced["refused"], synced["put_off"], synced["received_not_settled"]), (SALES, [], [], "0"))
        self.settled(SALES)
        self.assertEqual(self.sync()["deposited"], 0)
        self.sell(1)
        self.assertEqual(self.sync()["deposited"], 1)
        self.settled(SALES + 1)

    def test_the_line_is_cut_in_the_middle(self):
        self.sell(SALES)
        cuts = []
        line = ByteWire(int(self.platform.mqtt_port), 5_000, lambda: cuts.append("cut"))
        self.addCleanup(line.close)
        self.assertEqual(self.sync(line.address)["deposited"], SALES)
        self.assertEqual(cuts, ["cut"])
        self.assertLess(line.seen, 3 * 5_000, "it went on where the server was")
        self.settled(SALES)

    def test_the_server_is_killed_in_the_middle(self):
        self.sell(SALES)

        def crash():
            self.platform.kill()
            threading.Thread(target=self.platform.start).start()
        for after in (5_000, 9_000):  # while pieces come; when nearly all of them are there
            line = ByteWire(int(self.platform.mqtt_port), after, crash)
            self.addCleanup(line.close)
            synced = self.sync(line.address)
            self.assertEqual((synced["refused"], synced["received_not_settled"]), ([], "0"))
        self.settled(SALES)

    def test_the_purse_is_killed_in_the_middle(self):
        self.sell(SALES)
        killed = []
        process = None
        line = ByteWire(int(self.platform.mqtt_port), 5_000, lambda: (process.kill(), killed.append(True)))
        self.addCleanup(line.close)
        process = self.till.begin("sync", "--device-state", self.folder / "sim", "--mqtt", line.address)
        process.communicate(timeout=60)
        self.assertEqual(killed, [True])
        self.assertEqual(self.sync(line.address)["deposited"], SALES)
        self.settled(SALES)

    def test_a_machine_carries_for_its_own_purse(self):
        machine = Sim(self.platform, "vending", "--device", self.device, "--state", str(self.folder / "sim"), "--purse", str(self.folder / "till"),
                      "--purse-carrier", f"unix:{self.folder}/slot", "--purse-price", str(PRICE), "--lose", "20", JIAOZI_URL="http://127.0.0.1:9", JIAOZI_API_KEY="", **PASSPHRASE)
        self.addCleanup(lambda: machine.process.poll() is None and machine.stop())
        machine.wait_for("online")
        for sale in range(2):
            self.assertEqual(self.ann.ok("pay", f"unix:{self.folder}/slot", "--at-most", PRICE, "--timeout", 30)["outcome"], "paid")
            machine.wait_for("deposited", patience=90)
        self.settled(2)
        self.assertEqual(machine.stop(), 0)

    def test_only_its_own_device_speaks_for_a_purse(self):
        self.sell(1)
        _, _, err = self.ann.run("sync", "--device-state", self.folder / "sim", "--mqtt", f"127.0.0.1:{self.platform.mqtt_port}")
        self.assertIn("--device", err)
        # It says that the machine speaks for it; the server knows better.
        settings = self.folder / "ann" / "purse.json"
        settings.write_text(json.dumps(json.loads(settings.read_text()) | {"device": self.device}))
        code, _, err = self.ann.run("sync", "--device-state", self.folder / "sim", "--mqtt", f"127.0.0.1:{self.platform.mqtt_port}")
        self.assertEqual(code, 4, err)
        self.assertIn("purse_not_found", err)
        code, _, err = self.till.run("sync", "--device-state", self.folder / "nowhere")
        self.assertEqual(code, 3, err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
