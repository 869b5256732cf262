#!/usr/bin/env python3
"""Holds signatures.json against other implementations: the reference in curves.py, which must agree with every vector,
and, for comparison, what OpenSSL through python3-cryptography and gmssl (pip install gmssl) say without our rule. Prints what those
accept that the rule refuses, and fails when any of them refuses what is valid."""
import json
import pathlib
import sys

from curves import SUITES

HERE = pathlib.Path(__file__).resolve().parent


def with_cryptography():
    try:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
    except ImportError:
        return {}

    def ed(key, message, signature):
        ed25519.Ed25519PublicKey.from_public_bytes(key).verify(signature, message)

    def p256(key, message, signature):
        if len(signature) != 64:
            raise ValueError("not r and s")
        der = utils.encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key).verify(der, message, ec.ECDSA(hashes.SHA256()))
    return {"ed25519": ("OpenSSL (python3-cryptography)", ed), "p256": ("OpenSSL (python3-cryptography)", p256)}


def with_gmssl():
    try:
        from gmssl import sm2
    except ImportError:
        return {}
    curve = SUITES["sm2"]

    def verify(key, message, signature):
        point = curve.decode(key)  # gmssl takes coordinates only
        if point is None:
            raise ValueError("not a key")
        judge = sm2.CryptSM2(private_key="", public_key=curve.uncompressed(point)[1:].hex())
        if not judge.verify_with_sm3(signature.hex(), message):
            raise ValueError("refused")
    return {"sm2": ("gmssl", verify)}


def accepts(verify, key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        verify(key, message, signature)
        return True
    except Exception:  # each library refuses with exceptions of its own, some with those of a crash on odd input
        return False


def main() -> int:
    failed = 0
    others = with_cryptography() | with_gmssl()
    for group in json.loads((HERE / "signatures.json").read_text())["groups"]:
        suite, tests = group["suite"], group["tests"]
        values = [[bytes.fromhex(test[name]) for name in ("key", "message", "signature")] for test in tests]
        wrong = [test["id"] for test, value in zip(tests, values) if SUITES[suite].verify(*value) != test["valid"]]
        print(f"strict vectors: {suite}: reference: {len(tests)} vectors, {len(wrong)} differ {wrong or ''}")
        failed += len(wrong)
        if suite not in others:
            print(f"strict vectors: {suite}: no other implementation is installed here")
            continue
        name, verify = others[suite]
        answers = [accepts(verify, *value) for value in values]
        refused = [test["id"] for test, answer in zip(tests, answers) if test["valid"] and not answer]
        more = sorted({test["comment"] for test, answer in zip(tests, answers) if answer and not test["valid"]})
        print(f"strict vectors: {suite}: {name}: refuses {len(refused)} valid ones {refused or ''}; accepts without our rule: {more or 'nothing'}")
        failed += len(refused)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
