#!/usr/bin/env python3
"""Builds the worked example of docs/protocol/device.md a second time, from the page's text alone: its own CBOR, and the
cryptography of another library (pyca/cryptography, Debian python3-cryptography). Exit 77: that library is not installed."""
import hashlib
import hmac
import pathlib
import re
import struct
import sys

try:
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF
except ImportError:
    print("SKIPPED: python3-cryptography is not installed")
    sys.exit(77)


def head(major, number):
    for size, info, code in ((24, number, ""), (1 << 8, 24, ">B"), (1 << 16, 25, ">H"), (1 << 32, 26, ">I"), (1 << 64, 27, ">Q")):
        if number < size:
            return bytes([major << 5 | info]) + (struct.pack(code, number) if code else b"")
    raise ValueError(number)


def cbor(value):
    """Maps must be given in the order of their keys."""
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    return head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in value.items())


def counting(first, size=32):
    return bytes(range(first, first + size))


def public(key):
    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def key_id(key):
    return hashlib.sha256(b"\x01" + public(key)).digest()[:8]


def mac(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def sign1(key, kid, payload, aad):
    header = cbor({1: -8, 4: kid})
    proof = key.sign(cbor(["Signature1", header, aad, payload]))
    return b"\xd2" + cbor([header, {}, payload, proof])


def mac0(key, session, payload, aad):
    header = cbor({1: 5, 4: session})
    return b"\xd1" + cbor([header, {}, payload, mac(key, cbor(["MAC0", header, aad, payload]))])


def examples():
    up, down = b"jiaozi/device/1/up", b"jiaozi/device/1/down"
    device_key = Ed25519PrivateKey.from_private_bytes(counting(0x00))
    server_key = Ed25519PrivateKey.from_private_bytes(counting(0x20))
    e_d = X25519PrivateKey.from_private_bytes(counting(0x40))
    e_s = X25519PrivateKey.from_private_bytes(counting(0x60))
    nonce, session = counting(0x80, 16), counting(0xA1, 8)
    device = bytes.fromhex("018f00000000000000c0ffee00000001")
    machine = device[:-1] + b"\x02"
    payment = bytes.fromhex("018f0000000100001111222233334444")
    product = bytes.fromhex("018f0000000200005555666677778888")
    up_ms, down_ms = 1700000000123, 1700000000456
    kid, server_kid = key_id(device_key), key_id(server_key)
    info = b"jiaozi/device/1/session" + device + kid
    keys = HKDF(hashes.SHA256(), 64, nonce + session, info).derive(e_d.exchange(e_s.public_key()))
    up_key, down_key = keys[:32], keys[32:]

    claim = {1: "ABCDE-FGHJK", 2: 1, 3: public(device_key), 4: "8986012345678901239", 6: "490154203237518"}
    hello = {1: public(e_d), 2: nonce, 3: "1.0"}
    welcome = {1: public(e_s), 2: nonce, 3: session, 4: down_ms + 86400000, 5: 30, 6: 1}
    pay = cbor({1: 5, 2: device, 3: session, 4: 2, 5: up_ms, 6: {1: payment, 2: 2, 3: 3, 4: 2, 5: 700, 6: "CNY", 8: machine}})
    command = {1: payment, 2: 1, 3: 3, 4: 2, 5: 700, 6: "CNY", 7: down_ms + 20000, 8: product}
    error = {1: "stale_hello", 2: "say hello later", 3: 9, 4: down_ms}
    return {
        "credential_id": kid,
        "server_key_id": server_kid,
        "claim": sign1(device_key, b"", cbor({1: 1, 2: device, 4: 1, 5: up_ms, 6: claim}), up),
        "hello": sign1(device_key, kid, cbor({1: 2, 2: device, 4: 1, 5: up_ms, 6: hello}), up),
        "welcome": sign1(server_key, server_kid, cbor({1: 102, 2: device, 4: 1, 5: down_ms, 6: welcome}), down),
        "up_key_check": mac(up_key, b""),
        "down_key_check": mac(down_key, b""),
        "heartbeat": mac0(up_key, session, cbor({1: 3, 2: device, 3: session, 4: 1, 5: up_ms, 6: {1: 0}}), up),
        "pay_request_payload": pay,
        "pay_request": mac0(up_key, session, pay, up),
        "command": mac0(down_key, session, cbor({1: 120, 2: device, 3: session, 4: 1, 5: down_ms, 6: command}), down),
        "error": sign1(server_key, server_kid, cbor({1: 199, 2: device, 4: 1, 5: down_ms, 6: error}), down),
    }


def main():
    page = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
    printed = {name: bytes.fromhex(text.replace("\n", "")) for name, text in re.findall(r"```hex (\w+)\n([0-9a-f\n]+)```", page)}
    made = examples()
    wrong = [name for name in made.keys() | printed.keys() if made.get(name) != printed.get(name)]
    for name in wrong:
        print(f"{name}: the page has {printed.get(name, b'').hex()}, its text gives {made.get(name, b'').hex()}")
    return 1 if wrong else 0


sys.exit(main())
