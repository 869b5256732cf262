"""What a purse signs (docs/protocol/offline.md), built with other people's CBOR and curves: nothing here shares code with the program."""
import base64
import hashlib
import os
import time

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PROTECTED, AAD = bytes.fromhex("a10127"), b"jiaozi/purse/1"


def object_id(signed):
    protected, _, payload, _ = cbor2.loads(signed)
    return hashlib.sha256(protected + payload).digest()


def verify(signed, key):
    """The payload's elements, if the signature is right."""
    protected, _, payload, signature = cbor2.loads(signed)
    message = cbor2.dumps(["Signature1", protected, AAD, payload], canonical=True)
    ed25519.Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    return cbor2.loads(payload)


def sealed_for_a_mule(deposit, deposit_key):
    """A MULE message (9.2 with 5.1), so that only the holder of the deposit key reads what is in it."""
    fresh = x25519.X25519PrivateKey.generate()
    enc = fresh.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    shared = fresh.exchange(x25519.X25519PublicKey.from_public_bytes(deposit_key))
    keys = HKDF(hashes.SHA256(), 88, bytes(32), AAD + b"/seal" + b"\x08" + enc + deposit_key).derive(shared)
    return b"\x08" + enc + ChaCha20Poly1305(keys[:32]).encrypt(keys[32:44], deposit, b"\x08")


def text(data):
    return base64.b64encode(data).decode()


class Purse:
    def __init__(self):
        self.private = ed25519.Ed25519PrivateKey.generate()
        self.public = self.private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.ordinal, self.seq, self.previous = None, 0, bytes(32)

    def sign(self, content):
        payload = cbor2.dumps(content, canonical=True)
        message = cbor2.dumps(["Signature1", PROTECTED, AAD, payload], canonical=True)
        signed = cbor2.dumps([PROTECTED, {}, payload, self.private.sign(message)], canonical=True)
        self.previous = object_id(signed)
        return signed

    def pay(self, payee, source, offset, amount, hop=1):
        """A NOTE of one source for a request that the payee has made."""
        self.seq += 1
        return self.sign([3, self.ordinal, self.seq, self.previous, payee.ordinal, os.urandom(32), [[source, offset, amount]], int(time.time()), 0, 0, hop])

    def receipt(self, note):
        content = cbor2.loads(cbor2.loads(note)[2])
        self.seq += 1
        return self.sign([4, self.ordinal, self.seq, self.previous, object_id(note), sum(source[2] for source in content[6]), int(time.time()), 0])
