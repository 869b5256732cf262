"""The device protocol of docs/protocol/device.md, built with other people's CBOR, COSE and curves.

Nothing here shares code with the program: a message that both sides understand is understood for the right reason.
"""
import hashlib
import os
import time

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pycose.algorithms import EdDSA, HMAC256
from pycose.headers import KID, Algorithm
from pycose.keys import OKPKey, SymmetricKey
from pycose.keys.curves import Ed25519
from pycose.messages import CoseMessage, Mac0Message, Sign1Message

UP, DOWN = b"jiaozi/device/1/up", b"jiaozi/device/1/down"
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

CLAIM, HELLO, HEARTBEAT, CATALOGUE_REQUEST, PAY_REQUEST, COMMAND_ACK, DELIVERY_REPORT, BALANCE_REQUEST = 1, 2, 3, 4, 5, 6, 7, 8
CLAIMED, WELCOME, HEARTBEAT_ACK, CATALOGUE, PAY_ANSWER, REPORT_ACK, BALANCE = 101, 102, 103, 104, 105, 107, 108
COMMAND, PROBE, ERROR = 120, 121, 199


def id_bytes(text):
    """16 bytes of an id's text form: the 26 Crockford characters after the prefix."""
    value = 0
    for character in text.split("_")[1]:
        value = value * 32 + CROCKFORD.index(character)
    return value.to_bytes(16, "big")


class Device:
    """A machine with an Ed25519 key. `signs`: signs every message instead of using the session's MAC key."""

    def __init__(self, device_id, signs=False):
        self.text_id, self.id, self.signs = device_id, id_bytes(device_id), signs
        self.private = ed25519.Ed25519PrivateKey.generate()
        self.public = self.private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.credential = b""
        self.server_key = None
        self.session = None
        self.up_key = self.down_key = None
        self.seq = 0
        self.last_hello = 0
        self.ephemeral = self.nonce = None

    # ---- up

    def _payload(self, kind, body, with_session):
        content = {1: kind, 2: self.id}
        if with_session:
            self.seq += 1
            content[3] = self.session
        content[4] = self.seq if with_session else 1
        content[5] = int(time.time() * 1000)
        content[6] = body
        return cbor2.dumps(content, canonical=True)

    def _signed(self, payload, kid):
        message = Sign1Message(phdr={Algorithm: EdDSA, KID: kid}, payload=payload, external_aad=UP)
        message.key = OKPKey(crv=Ed25519, d=self.private.private_bytes_raw(), x=self.public)
        return message.encode()

    def claim(self, code, **sim):
        body = {1: code, 2: 1, 3: self.public}
        body.update({key: sim[name] for key, name in ((4, "iccid"), (5, "imsi"), (6, "imei")) if name in sim})
        return self._signed(self._payload(CLAIM, body, False), b"")

    def hello(self):
        self.ephemeral, self.nonce = x25519.X25519PrivateKey.generate(), os.urandom(16)
        public = self.ephemeral.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.last_hello = max(int(time.time() * 1000), self.last_hello + 1)
        content = {1: HELLO, 2: self.id, 4: 1, 5: self.last_hello, 6: {1: public, 2: self.nonce, 3: "independent/1"}}
        return self._signed(cbor2.dumps(content, canonical=True), self.credential)

    def message(self, kind, body):
        payload = self._payload(kind, body, True)
        if self.signs:
            return self._signed(payload, self.credential)
        message = Mac0Message(phdr={Algorithm: HMAC256, KID: self.session}, payload=payload, external_aad=UP)
        message.key = SymmetricKey(self.up_key)
        return message.encode()

    # ---- down

    def open(self, envelope):
        """(type, body) of a message from the server, its signature or MAC verified by the other implementation."""
        message = CoseMessage.decode(envelope)
        message.external_aad = DOWN
        content = cbor2.loads(message.payload)
        assert content[2] == self.id, "a message for another device"
        if isinstance(message, Sign1Message):
            key = self.server_key if self.server_key is not None else content[6][3]
            message.key = OKPKey(crv=Ed25519, x=key)
            assert message.verify_signature(), "the server's signature does not verify"
        else:
            message.key = SymmetricKey(self.down_key)
            assert message.verify_tag(), "the server's MAC does not verify"
            assert content[3] == self.session, "a message of another session"
        kind, body = content[1], content[6]
        if kind == CLAIMED:
            self.credential, self.server_key = body[1], body[3]
            assert self.credential == hashlib.sha256(b"\x01" + self.public).digest()[:8]
        if kind == WELCOME:
            self._begin(body)
        return kind, body

    def _begin(self, body):
        assert body[2] == self.nonce, "the welcome answers another hello"
        self.session, self.seq = body[3], 0
        shared = self.ephemeral.exchange(x25519.X25519PublicKey.from_public_bytes(body[1]))
        info = b"jiaozi/device/1/session" + self.id + self.credential
        keys = HKDF(hashes.SHA256(), 64, salt=self.nonce + self.session, info=info).derive(shared)
        self.up_key, self.down_key = keys[:32], keys[32:]
