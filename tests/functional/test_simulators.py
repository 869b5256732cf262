"""Simulated devices of every kind and with every fault, against the real platform and broker."""
import concurrent.futures
import json
import pathlib
import shutil
import sys
import tempfile
import time
import unittest

from command_line import Sim, jiaozi
from platform_under_test import Platform

PROGRAM = sys.argv.pop(1)
HOLD_S = 9  # a silent machine is waited for so long


class Simulators(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.platform = Platform(PROGRAM, "--hold", str(HOLD_S))
        cls.state = pathlib.Path(tempfile.mkdtemp(prefix="jiaozi-sim-"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.state, ignore_errors=True)
        assert cls.platform.stop() == 0, "the program did not end cleanly"

    def sim(self, kind, *options, state=None):
        return Sim(self.platform, kind, "--register", "--state", str(state or self.state), *options)

    def registration(self, kind, state=None):
        return json.loads(((state or self.state) / f"{kind}.json").read_text())

    def order(self, kind, quantity=1, state=None):
        made = self.registration(kind, state)
        body = {"kind": "machine", "payer_wallet": made["wallet"], "payer_member": made["member"], "device": made["device"], "slot": 1, "quantity": quantity}
        return self.platform.call("POST", "/v1/payments", body, headers=[f"Idempotency-Key: {time.time_ns()}"])

    def ended(self, payment, patience=HOLD_S + 20):
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            now = self.platform.call("GET", f"/v1/payments/{payment}", expect=200)[1]
            if now["state"] not in ("pending", "authorized"):
                return now
            time.sleep(0.1)
        raise AssertionError(f"{payment} did not end: {now}")

    def sell(self, *options, kind="vending", quantity=1, state=None):
        """(state, reason, captured) of one sale by a machine with these options."""
        machine = self.sim(kind, *options, state=state)
        try:
            machine.wait_for("online")
            status, payment = self.order(kind, quantity, state)
            self.assertEqual(status, 201, payment)
            after = self.ended(payment["id"])
            return after["state"], after["reason"], int(after["captured"])
        finally:
            self.assertEqual(machine.stop(), 0)

    def test_each_kind_of_machine_sells(self):
        for kind, price in (("vending", 350), ("gate", 500), ("charger", 120)):
            with self.subTest(kind):
                self.assertEqual(self.sell(kind=kind), ("captured", "none", price))

    def test_each_fault_ends_as_it_should(self):
        rows = (
            (["--fail-drop"], 1, ("voided", "not_delivered", 0)),
            (["--nack"], 1, ("voided", "device_nack", 0)),
            (["--partial"], 3, ("captured", "none", 700)),
            (["--partial"], 1, ("voided", "not_delivered", 0)),
            (["--duplicate"], 1, ("captured", "none", 350)),
            (["--reorder"], 1, ("captured", "none", 350)),
            (["--duplicate", "--reorder", "--clock-skew", "-7200"], 2, ("captured", "none", 700)),
            (["--clock-skew", "86400"], 1, ("captured", "none", 350)),
            (["--silent-after-ack"], 1, ("voided", "device_silent", 0)),
            (["--crash-every", "1", "--delivery-ms", "3000"], 1, ("voided", "not_delivered", 0)),
            (["--offline-every", "1", "--offline-for", "1", "--delivery-ms", "500"], 1, ("captured", "none", 350)),
            (["--lose", "10"], 1, ("captured", "none", 350)),
            (["--https"], 1, ("captured", "none", 350)),
            (["--https", "--fail-drop"], 1, ("voided", "not_delivered", 0)),
        )
        # A shop and a machine for each row; they wait more than they work.
        with concurrent.futures.ThreadPoolExecutor(4) as pool, tempfile.TemporaryDirectory() as folder:
            sales = []
            for number, (options, quantity, _) in enumerate(rows):
                state = pathlib.Path(folder) / str(number)
                state.mkdir()
                sales.append(pool.submit(self.sell, *options, quantity=quantity, state=state))
            for (options, _, expected), sale in zip(rows, sales):
                with self.subTest(" ".join(options)):
                    self.assertEqual(sale.result(), expected)

    def test_a_silent_machine_is_not_paid(self):
        machine = self.sim("vending", "--silent")
        time.sleep(3)
        status, problem = self.order("vending")
        self.assertEqual((status, problem["code"]), (409, "device_offline"))
        self.assertEqual(machine.stop(), 0)

    def test_each_signature_suite(self):
        for suite in ("ed25519", "p256", "sm2"):
            with self.subTest(suite), tempfile.TemporaryDirectory() as folder:
                car = self.sim("car", "--suite", suite, "--every", "1", state=folder)
                self.assertEqual(car.wait_for("settled", "gate")["state"], "captured")
                self.assertEqual(car.stop(), 0)

    def test_devices_that_pay_by_themselves(self):
        for kind, seller, price in (("car", "gate", "500"), ("meter", "charger", "120"), ("phone", "vending", "350")):
            with self.subTest(kind):
                device = self.sim(kind, "--every", "1", "--settled", "2")
                answer = device.wait_for("answered", kind)
                self.assertEqual((answer["state"], answer["amount"]), ("authorized", price))
                self.assertEqual(device.wait_for("settled", seller)["captured"], price)
                self.assertEqual(device.ended(), 0)

    def test_a_till_takes_a_payment_code_once(self):
        till = self.sim("terminal")
        till.wait_for("online")
        made = self.registration("terminal")
        code = self.platform.make("/v1/payment_codes", {"wallet": made["wallet"], "member": made["member"]})["digits"]
        till.type(code)
        self.assertEqual(till.wait_for("settled")["state"], "captured")
        till.type(code)
        again = till.wait_for("answered")
        self.assertEqual((again["state"], again["reason"]), ("declined", "code_invalid"))
        self.assertEqual(till.stop(), 0)

    def test_a_device_goes_on_with_its_key(self):
        self.sell()
        device = self.registration("vending")["device"]
        key = self.platform.call("GET", f"/v1/devices/{device}", expect=200)[1]["credential_id"]
        self.sell()
        self.assertEqual(self.registration("vending")["device"], device)
        self.assertEqual(self.platform.call("GET", f"/v1/devices/{device}", expect=200)[1]["credential_id"], key)

    def test_a_wrong_code_is_refused(self):
        device = self.platform.make("/v1/devices", {"kind": "car", "name": "Stranger"})["id"]
        with tempfile.TemporaryDirectory() as folder:
            code, _, said = jiaozi(self.platform, "sim", "car", "--device", device, "--code", "-", "--at", device, "--state", folder, input="AAAAA-AAAAA\n")
        self.assertEqual(code, 6, said)
        self.assertIn("claim", said)

    def test_a_fleet_with_faults_is_accounted_for(self):
        code, out, said = jiaozi(self.platform, "sim", "fleet", "--devices", "16", "--rate", "40", "--seconds", "3", "--faults", "25", "--json")
        self.assertEqual(code, 0, out + said)
        report = json.loads(out)
        self.assertEqual((report["asked"], report["accounted"], report["held_minor"]), (120, True, "0"))
        self.assertGreater(report["faults"], 0)
        self.assertEqual(report["captured"] + report["voided"] + report["declined"] + report["failed"] + report["not_sent"], 120)


if __name__ == "__main__":
    unittest.main(verbosity=2)
