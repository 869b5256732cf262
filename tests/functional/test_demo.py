"""The demo lives by itself, obeys the person who tries it, survives a kill, and ends when told to; and the command line."""
import json
import signal
import sys
import time
import unittest

from command_line import jiaozi
from platform_under_test import Platform

PROGRAM = sys.argv.pop(1)


class Demo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.platform = Platform(PROGRAM, "--demo", "--heartbeat", "5")
        cls.machines = cls.wait_online(5)

    @classmethod
    def tearDownClass(cls):
        assert cls.platform.stop() == 0, "the program did not end cleanly"

    @classmethod
    def wait_online(cls, count, patience=30):
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            machines = cls.platform.call("GET", "/v1/sandbox/devices", expect=200)[1]["data"]
            if len([machine for machine in machines if machine["online"]]) == count:
                return machines
            time.sleep(0.1)
        raise AssertionError(f"not all machines came online: {machines}")

    def jiaozi(self, *arguments, expect=0, **more):
        code, out, said = jiaozi(self.platform, *arguments, **more)
        self.assertEqual(code, expect, out + said)
        return out, said

    def payments(self):
        return self.platform.call("GET", "/v1/payments?limit=100", expect=200)[1]["data"]

    def wait_until(self, true, patience=60):
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if true():
                return
            time.sleep(0.2)
        raise AssertionError("it did not happen")

    def test_1_ana_buys_and_the_car_parks_by_themselves(self):
        self.wait_until(lambda: {"machine", "device"} <= {payment["kind"] for payment in self.payments() if payment["state"] == "captured"})

    def test_1_purses_pay_offline_and_settle(self):
        # The first round comes by itself: Bo pays Ana, she buys a drink with it, and the machine meets the network.
        def offline():
            return [payment for payment in self.payments() if payment["kind"] == "offline"]
        self.wait_until(lambda: {"captured"} == {payment["state"] for payment in offline()} and len(offline()) >= 2)
        devices = self.platform.call("GET", "/v1/devices", expect=200)[1]["data"]
        lobby = next(device["id"] for device in devices if device["name"].startswith("Lobby"))
        sold = [payment for payment in offline() if payment["device"] == lobby]
        self.assertEqual({payment["amount"] for payment in sold}, {"350"})
        self.assertTrue(any(payment["offline"]["hops"] == 2 for payment in sold) or any(payment["amount"] == "500" for payment in offline()))
        self.jiaozi("receipt", "get", sold[0]["id"])

    def test_1_the_overview_counts_the_machines(self):
        devices = self.platform.call("GET", "/v1/overview", expect=200)[1]["devices"]
        self.assertEqual({row["kind"]: (row["active"], row["online"]) for row in devices},
                         {"vending": (2, 2), "gate": (1, 1), "charger": (1, 1), "car": (1, 1)})

    def test_2_every_trigger_makes_its_event(self):
        for event in ("payment.captured", "payment.voided", "payment.declined", "payment.refunded", "wallet.deposited"):
            with self.subTest(event):
                made = json.loads(self.jiaozi("trigger", event, "--json")[0])
                made_id = made.get("payment") or made["id"]
                events = self.platform.call("GET", f"/v1/events?type={event}&limit=5", expect=200)[1]["data"]
                self.assertTrue(any(made_id in json.dumps(row) or made["id"] in json.dumps(row) for row in events), events)

    def test_3_a_fault_is_ordered_and_lifted(self):
        machine = self.machines[0]["device"]
        self.assertEqual(json.loads(self.jiaozi("sandbox", "fault", machine, "--fault", "silent", "--json")[0])["fault"], "silent")
        self.wait_until(lambda: not self.platform.call("GET", "/v1/sandbox/devices", expect=200)[1]["data"][0]["online"])  # three heartbeats after it was last heard
        self.jiaozi("sandbox", "fault", machine, "--fault", "none")
        self.jiaozi("trigger", "payment.captured")
        self.jiaozi("sandbox", "fault", "dev_00000000000000000000000000", "--fault", "none", expect=3)

    def test_4_the_child_has_limits(self):
        groups = self.platform.call("GET", "/v1/groups", expect=200)[1]["data"]
        members = self.platform.call("GET", f"/v1/groups/{groups[0]['id']}/members", expect=200)[1]["data"]
        people = {person["id"]: person["name"] for person in self.platform.call("GET", "/v1/people", expect=200)[1]["data"]}
        bo = next(member for member in members if people.get(member["person"]) == "Bo")
        wallet = next(row for row in self.platform.call("GET", "/v1/wallets", expect=200)[1]["data"] if row["group"] == groups[0]["id"])
        order = {"kind": "machine", "payer_wallet": wallet["id"], "payer_member": bo["id"], "device": self.machines[0]["device"], "slot": 1, "quantity": 3}
        status, problem = self.platform.call("POST", "/v1/payments", order, headers=["Idempotency-Key: bo"])
        self.assertEqual((status, problem["code"]), (402, "limit_per_payment"))

    def test_5_exit_codes(self):
        self.jiaozi("payments", "show", "pay_00000000000000000000000001", expect=3)
        self.jiaozi("payments", "shwo", expect=2)
        self.jiaozi("payments", "list", expect=6, JIAOZI_API_KEY="sk_test_00000000000000000000000000000000")
        self.jiaozi("payments", "list", expect=7, JIAOZI_URL="http://127.0.0.1:1")

    def test_6_chinese(self):
        self.assertIn("付款", self.jiaozi("--help", LC_ALL="zh_CN.UTF-8")[0])
        self.assertIn("模拟", self.jiaozi("sim", "--help", LC_ALL="zh_CN.UTF-8")[0])

    def test_7_a_kill_loses_nothing(self):
        known = {payment["id"] for payment in self.payments()}
        self.platform.kill()
        self.platform.start()
        self.wait_online(5)
        self.assertLessEqual(known, {payment["id"] for payment in self.payments()})
        self.jiaozi("trigger", "payment.captured")

    def test_8_ctrl_c_ends_it_soon(self):
        began = time.monotonic()
        self.platform.process.send_signal(signal.SIGINT)
        self.assertEqual(self.platform.process.wait(30), 0)
        print(f"(ended after {time.monotonic() - began:.1f} s)", end=" ", flush=True)
        self.platform.start()
        self.wait_online(5)


if __name__ == "__main__":
    unittest.main(verbosity=2)
