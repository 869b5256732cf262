#!/usr/bin/env python3
"""Writes signatures.json: what every verifier of this project accepts and refuses (docs/crypto.md). The same seed gives
the same file:  tests/vectors/strict/generate.py [SEED]  (the committed file is of the default seed)."""
import json
import pathlib
import random
import sys

from curves import SUITES

HERE = pathlib.Path(__file__).resolve().parent
ed, p256, sm2 = SUITES["ed25519"], SUITES["p256"], SUITES["sm2"]


class Group:
    def __init__(self, suite: str, rule: str):
        self.suite, self.rule, self.tests = suite, rule, []

    def add(self, comment: str, key: bytes, message: bytes, signature: bytes):
        """What is expected is the reference's answer; main() counts both kinds."""
        judge = SUITES[self.suite]
        self.tests.append({"id": len(self.tests) + 1, "comment": comment, "key": key.hex(), "message": message.hex(),
                           "signature": signature.hex(), "key_valid": judge.key_is_good(key),
                           "valid": judge.verify(key, message, signature)})


def flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def wrong_sizes(group: Group, key: bytes, message: bytes, signature: bytes):
    for size in (0, 1, 32, 63):
        group.add(f"signature cut to {size} bytes", key, message, signature[:size])
    group.add("signature with a byte more", key, message, signature + b"\0")
    for cut in (0, 1, len(key) - 1):
        group.add(f"key cut to {cut} bytes", key[:cut], message, signature)
    group.add("key with a byte more", key + b"\0", message, signature)


def flips(group: Group, rng: random.Random, key: bytes, message: bytes, signature: bytes):
    for _ in range(8):
        group.add("a bit of the signature changed", key, message, flip(signature, rng.randrange(512)))
    group.add("a bit of the message changed", key, flip(message, rng.randrange(8 * len(message))), signature)
    group.add("message with a byte more", key, message + b"\0", signature)


def ed25519_vectors(rng: random.Random) -> Group:
    group = Group("ed25519", "key canonical and of prime order; R canonical and not of small order; S below the order; no cofactor")
    for size in (0, 1, 32, 55, 111, 112, 200, 1000):
        seed, message = rng.randbytes(32), rng.randbytes(size)
        group.add(f"valid, message of {size} bytes", ed.public(seed), message, ed.sign(seed, message))
    seed, message = rng.randbytes(32), rng.randbytes(40)
    key, signature = ed.public(seed), ed.sign(seed, message)
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    flips(group, rng, key, message, signature)
    wrong_sizes(group, key, message, signature)
    for times in (1, 2, 8, 15):
        if s + times * ed.order < 2**256:
            group.add(f"S + {times} L", key, message, r + (s + times * ed.order).to_bytes(32, "little"))
    group.add("S = 0", key, message, r + bytes(32))
    group.add("S = L", key, message, r + ed.order.to_bytes(32, "little"))
    group.add("another key", ed.public(rng.randbytes(32)), message, signature)
    torsion_vectors(group, rng, seed, message)
    # y from p to 2^255 - 1, on the curve or not: one point, a second way to write it.
    for y in range(ed.p, 2**255):
        text = (y | (y & 1) << 255).to_bytes(32, "little")
        group.add("key with y not below p", text, message, signature)
        group.add("R with y not below p", key, message, text + signature[32:])
    group.add("key: x = 0 with the sign bit set", (1 | 1 << 255).to_bytes(32, "little"), message, signature)
    group.add("key on no point", (2).to_bytes(32, "little"), message, signature)
    return group


def torsion_vectors(group: Group, rng: random.Random, seed: bytes, message: bytes):
    """Points of small order, and points with a part of small order: where verifiers differ."""
    scalar, _ = ed.secret(seed)
    public = ed.multiply(scalar, ed.base)
    for index, point in enumerate(ed.small_order()):
        text = ed.encode(point)
        group.add(f"key of small order {index}", text, message, ed.sign(seed, message))
        group.add(f"key and R of small order {index}, S = 0", text, message, text + bytes(32))
        challenge = ed.challenge(text, ed.encode(public), message)
        s = challenge * scalar % ed.order
        group.add(f"R of small order {index}, S fits with the cofactor", ed.encode(public), message,
                  text + s.to_bytes(32, "little"))
        if point == ed.identity:
            continue
        nonce = rng.randrange(1, ed.order)
        mixed = ed.encode(ed.add(ed.multiply(nonce, ed.base), point))
        s = (nonce + ed.challenge(mixed, ed.encode(public), message) * scalar) % ed.order
        group.add(f"R with a part of small order {index}, S fits with the cofactor", ed.encode(public), message,
                  mixed + s.to_bytes(32, "little"))
        mixed_key = ed.encode(ed.add(public, point))
        # Tried until the challenge is a multiple of 8: then even the equation without the cofactor holds.
        for attempt in range(64):
            nonce = rng.randrange(1, ed.order)
            r = ed.encode(ed.multiply(nonce, ed.base))
            challenge = ed.challenge(r, mixed_key, message)
            if challenge % 8 == 0:
                break
        s = (nonce + challenge * scalar) % ed.order
        group.add(f"key with a part of small order {index}, S fits", mixed_key, message, r + s.to_bytes(32, "little"))


def point_vectors(group: Group, curve, scalar: int, message: bytes, signature: bytes):
    """Keys that are written or placed wrongly; the signature would fit."""
    x, y = point = curve.multiply(scalar, curve.g)
    group.add("valid, key compressed", curve.compress(point), message, signature)
    group.add("valid, key uncompressed", curve.uncompressed(point), message, signature)
    group.add("key hybrid", bytes([6 + (y & 1)]) + curve.uncompressed(point)[1:], message, signature)
    group.add("key: the other y", bytes([3 - (y & 1)]) + curve.compress(point)[1:], message, signature)
    group.add("key: y + 1, on no curve", b"\x04" + x.to_bytes(32, "big") + ((y + 1) % curve.p).to_bytes(32, "big"), message, signature)
    group.add("key: infinity in one byte", b"\0", message, signature)
    group.add("key: infinity in 33 bytes", bytes(33), message, signature)
    group.add("key: all zero, uncompressed", b"\x04" + bytes(64), message, signature)
    group.add("key: without its first byte", curve.uncompressed(point)[1:], message, signature)
    # The smallest x on the curve, written as x + p: a second way to write one point.
    small = next(i for i in range(1, 1000) if curve.decode(b"\x02" + i.to_bytes(32, "big")))
    if small + curve.p < 2**256:
        group.add("key: x not below p", b"\x02" + (small + curve.p).to_bytes(32, "big"), message, signature)
    group.add("key: x = p", b"\x02" + curve.p.to_bytes(32, "big"), message, signature)


def raw(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def range_vectors(group: Group, curve, key: bytes, message: bytes, r: int, s: int):
    n = curve.n
    for comment, values in {"r = 0": (0, s), "s = 0": (r, 0), "r = s = 0": (0, 0), "r = n": (n, s), "s = n": (r, n),
                            "r = n - 1": (n - 1, s), "r and s exchanged": (s, r), "r = s = 1": (1, 1),
                            "r = 2^256 - 1": (2**256 - 1, s), "s = 2^256 - 1": (r, 2**256 - 1), "n - r": (n - r, s)}.items():
        group.add(comment, key, message, raw(*values))
    for comment, values in {"r + n": (r + n, s), "s + n": (r, s + n)}.items():
        if max(values) < 2**256:
            group.add(comment, key, message, raw(*values))


def der(r: int, s: int) -> bytes:
    body = b""
    for number in (r, s):
        text = number.to_bytes(33, "big").lstrip(b"\0")
        text = (b"\0" if text[0] & 0x80 else b"") + text
        body += bytes([2, len(text)]) + text
    return bytes([0x30, len(body)]) + body


def p256_vectors(rng: random.Random) -> Group:
    group = Group("p256", "r from 1 to n - 1, s from 1 to (n - 1) / 2; key on the curve, compressed or uncompressed")
    n = p256.n
    for size in (0, 1, 55, 56, 64, 200, 1000, 3):
        scalar, message = rng.randrange(1, n), rng.randbytes(size)
        r, s = p256.sign(scalar, message, rng.randrange(1, n))
        key = p256.compress(p256.multiply(scalar, p256.g))
        group.add(f"valid, low s, message of {size} bytes", key, message, raw(r, min(s, n - s)))
        group.add(f"high s, message of {size} bytes", key, message, raw(r, max(s, n - s)))
    low = min(s, n - s)
    signature = raw(r, low)
    flips(group, rng, key, message, signature)
    wrong_sizes(group, key, message, signature)
    group.add("DER instead of r and s", key, message, der(r, low))
    range_vectors(group, p256, key, message, r, low)
    point_vectors(group, p256, scalar, message, signature)
    # s is chosen, and the private key that gives it is worked out: the greatest low s, and the least high one.
    for comment, s in {"valid, s = (n - 1) / 2": (n - 1) // 2, "s = (n + 1) / 2": (n + 1) // 2, "valid, s = 1": 1, "s = n - 1": n - 1}.items():
        nonce = rng.randrange(1, n)
        r = p256.multiply(nonce, p256.g)[0] % n
        scalar = (s * nonce - p256.digest(message)) * pow(r, -1, n) % n
        group.add(comment, p256.compress(p256.multiply(scalar, p256.g)), message, raw(r, s))
    return group


def sm2_vectors(rng: random.Random) -> Group:
    group = Group("sm2", "user id 1234567812345678; r, s from 1 to n - 1, r + s not n; key on the curve, compressed or uncompressed")
    n = sm2.n
    for size in (0, 1, 55, 56, 64, 200, 1000, 3):
        scalar, message = rng.randrange(1, n - 1), rng.randbytes(size)
        r, s = sm2.sign(scalar, message, rng.randrange(1, n))
        point = sm2.multiply(scalar, sm2.g)
        key = sm2.compress(point)
        group.add(f"valid, {'high' if s > n // 2 else 'low'} s, message of {size} bytes", key, message, raw(r, s))
    signature = raw(r, s)
    flips(group, rng, key, message, signature)
    wrong_sizes(group, key, message, signature)
    for user_id in (b"", b"1234567812345679", b"ALICE123@YAHOO.COM", sm2.user_id + b"\0"):
        group.add(f"user id of {len(user_id)} bytes, not the fixed one", key, message,
                  raw(*sm2.sign(scalar, message, rng.randrange(1, n), user_id)))
    group.add("n - s", key, message, raw(r, n - s))
    group.add("r + s = n", key, message, raw(r, n - r))
    group.add("DER instead of r and s", key, message, der(r, s))
    range_vectors(group, sm2, key, message, r, s)
    point_vectors(group, sm2, scalar, message, signature)
    return group


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 20260101
    rng = random.Random(seed)
    groups = [ed25519_vectors(rng), p256_vectors(rng), sm2_vectors(rng)]
    lines = []
    for group in groups:
        tests = ",\n".join("  " + json.dumps(test) for test in group.tests)
        lines.append(f'{{"suite": "{group.suite}", "rule": "{group.rule}", "tests": [\n{tests}]}}')
        valid = sum(test["valid"] for test in group.tests)
        assert all(test["valid"] == test["comment"].startswith("valid") for test in group.tests), group.suite
        print(f"strict vectors: {group.suite}: {valid} valid, {len(group.tests) - valid} to be refused")
    (HERE / "signatures.json").write_text(f'{{"seed": {seed}, "groups": [\n' + ",\n".join(lines) + "]}\n")
    print(f"strict vectors: seed {seed}")


if __name__ == "__main__":
    main()
