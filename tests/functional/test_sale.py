"""Real input: a sale driven by mosquitto_pub, mosquitto_sub and curl, with messages from an independent implementation."""
import sys
import threading
import time
import unittest

import cbor2

import device_messages as wire
from device_messages import Device
from platform_under_test import Platform
from shop import Shop

PROGRAM = sys.argv.pop(1)


def split_sequence(data):
    """The items of a CBOR sequence (RFC 8742), as bytes."""
    import io

    stream, items = io.BytesIO(data), []
    while stream.tell() < len(data):
        start = stream.tell()
        cbor2.load(stream)
        items.append(data[start:stream.tell()])
    return items


class Sale(unittest.TestCase):
    signs = False

    @classmethod
    def setUpClass(cls):
        cls.platform = Platform(PROGRAM)
        cls.shop = Shop(cls.platform)
        cls.device = Device(cls.shop.device["id"], cls.signs)
        status, answer = cls.platform.post_envelope(cls.device.claim(cls.shop.device["enrolment_code"], imei="490154203237518"))
        assert status == 200, (status, answer)
        kind, claimed = cls.device.open(split_sequence(answer)[0])
        assert kind == wire.CLAIMED, kind
        cls.password = claimed[4]
        cls.inbox = cls.platform.subscribe(cls.device, cls.password)
        cls.send(cls.device.hello())
        cls.expect(wire.WELCOME)

    @classmethod
    def tearDownClass(cls):
        cls.inbox.close()
        assert cls.platform.stop() == 0, "the program did not end cleanly"

    @classmethod
    def send(cls, envelope):
        cls.platform.publish(cls.device, cls.password, envelope)

    @classmethod
    def expect(cls, wanted, patience=10.0):
        """The body of the next message of a type; probes are answered on the way."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            envelope = cls.inbox.next(0.2)
            if envelope is None:
                continue
            kind, body = cls.device.open(envelope)
            if kind == wire.PROBE:
                cls.send(cls.device.message(wire.HEARTBEAT, {1: 0, 2: body[1]}))
            if kind == wire.ERROR:
                raise AssertionError(f"the server answered with an error: {body}")
            if kind == wanted:
                return body
        raise AssertionError(f"no message of type {wanted} within {patience} s")

    def buy(self, quantity=1):
        """POST /v1/payments by curl, while the machine answers; (status, body, command)."""
        result = {}

        def order():
            result["answer"] = self.platform.call("POST", "/v1/payments", self.shop.order(quantity), headers=[f"Idempotency-Key: k{time.time_ns()}"])

        buyer = threading.Thread(target=order)
        buyer.start()
        command = self.expect(wire.COMMAND)
        buyer.join()
        return (*result["answer"], command)

    def state(self, payment):
        return self.platform.call("GET", f"/v1/payments/{payment['id']}", expect=200)[1]

    def test_1_catalogue_and_heartbeat(self):
        self.send(self.device.message(wire.CATALOGUE_REQUEST, {}))
        self.assertEqual(self.expect(wire.CATALOGUE)[1], [{1: 1, 2: wire.id_bytes(self.shop.product["id"]), 3: "Cola", 4: "可乐", 5: 350, 6: "CNY"}])
        self.send(self.device.message(wire.HEARTBEAT, {1: 0}))
        self.expect(wire.HEARTBEAT_ACK)

    def test_2_a_delivered_drink_is_paid(self):
        before, _ = self.shop.balance()
        status, payment, command = self.buy()
        self.assertEqual((status, payment["state"]), (201, "authorized"))
        self.assertEqual((command[1], command[3], command[4], command[5], command[6]), (wire.id_bytes(payment["id"]), 1, 1, 350, "CNY"))
        self.assertEqual(self.shop.balance(), (before - 350, 350))
        self.send(self.device.message(wire.COMMAND_ACK, {1: command[1], 2: command[2], 3: True}))
        self.send(self.device.message(wire.DELIVERY_REPORT, {1: command[1], 2: 1, 3: 1}))
        ack = self.expect(wire.REPORT_ACK)
        self.assertEqual((ack[1], ack[2], ack[3], ack[4]), (command[1], 3, 350, False))
        after = self.state(payment)
        self.assertEqual((after["state"], after["captured"], after["delivered"]), ("captured", "350", 1))
        self.assertEqual(self.shop.balance(), (before - 350, 0))

    def test_3_a_failed_drop_gives_the_money_back(self):
        before, _ = self.shop.balance()
        _, payment, command = self.buy()
        self.send(self.device.message(wire.DELIVERY_REPORT, {1: command[1], 2: 3, 3: 0, 4: "drop sensor saw nothing"}))
        self.expect(wire.REPORT_ACK)
        after = self.state(payment)
        self.assertEqual((after["state"], after["reason"], after["captured"]), ("voided", "not_delivered", "0"))
        self.assertEqual(self.shop.balance(), (before, 0))

    def test_4_a_partial_delivery_is_paid_in_part(self):
        before, _ = self.shop.balance()
        _, payment, command = self.buy(quantity=3)
        self.send(self.device.message(wire.DELIVERY_REPORT, {1: command[1], 2: 2, 3: 2}))
        self.expect(wire.REPORT_ACK)
        after = self.state(payment)
        self.assertEqual((after["state"], after["amount"], after["captured"], after["delivered"]), ("captured", "1050", "700", 2))
        self.assertEqual(self.shop.balance(), (before - 700, 0))

    def test_5_a_duplicated_report_is_paid_once_and_answered_each_time(self):
        before, _ = self.shop.balance()
        _, payment, command = self.buy()
        report = self.device.message(wire.DELIVERY_REPORT, {1: command[1], 2: 1, 3: 1})
        for _ in range(3):
            self.send(report)
            self.assertEqual(self.expect(wire.REPORT_ACK)[3], 350)
        self.assertEqual(self.shop.balance(), (before - 350, 0))
        refund = self.platform.make(f"/v1/payments/{payment['id']}/refunds", {})
        self.assertEqual(refund["amount"], "350")
        self.assertEqual(self.shop.balance(), (before, 0))

    def test_6_the_machine_scans_a_payment_code(self):
        before, _ = self.shop.balance()
        code = self.platform.make("/v1/payment_codes", {"wallet": self.shop.wallet["id"], "member": self.shop.member["id"]})
        payment = bytes.fromhex("019a") + time.time_ns().to_bytes(14, "big")
        self.send(self.device.message(wire.PAY_REQUEST, {1: payment, 2: 4, 3: 1, 4: 1, 7: code["digits"]}))
        answer = self.expect(wire.PAY_ANSWER)
        self.assertEqual((answer[1], answer[2], answer[3], answer[4]), (payment, 2, 0, 350))
        # The command may have come before the answer; it is resent until it is acknowledged.
        command = self.expect(wire.COMMAND)
        self.send(self.device.message(wire.DELIVERY_REPORT, {1: command[1], 2: 1, 3: 1}))
        self.expect(wire.REPORT_ACK)
        self.assertEqual(self.shop.balance(), (before - 350, 0))

    def test_7_a_silent_machine_is_not_asked_to_deliver(self):
        time.sleep(2.5)  # longer than a machine counts as heard
        before = self.shop.balance()
        status, problem = self.platform.call("POST", "/v1/payments", self.shop.order(), headers=["Idempotency-Key: silent"])
        self.assertEqual((status, problem["code"]), (409, "device_offline"))
        self.assertEqual(self.shop.balance(), before)

    def test_8_forged_and_foreign_messages_change_nothing(self):
        stranger = Device(self.shop.device["id"], signs=True)
        stranger.credential, stranger.session = self.device.credential, self.device.session
        before = self.shop.balance()
        for envelope, status, code in (
            (stranger.message(wire.BALANCE_REQUEST, {}), 401, "bad_signature"),
            (b"\xff" * 20, 400, "malformed"),
            (b"\x00" * 5000, 413, "too_large"),
            (stranger.claim("AAAAA-AAAAA"), 401, None),
        ):
            got, answer = self.platform.post_envelope(envelope)
            self.assertIn(got, (status, 403), answer)
            if code is not None:
                self.assertIn(code.encode(), answer)
        self.assertEqual(self.shop.balance(), before)


class SignedSale(Sale):
    """The same sale by a machine that signs every message."""

    signs = True


if __name__ == "__main__":
    unittest.main(verbosity=2)
