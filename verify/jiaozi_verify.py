#!/usr/bin/env python3
"""Verifies what a Jiaozi transparency log hands out, without Jiaozi: Python's standard library and nothing else.

    jiaozi_verify.py receipt FILE --key VKEY       a receipt or disclosure: prints what it proves
    jiaozi_verify.py checkpoint FILE --key VKEY    a signed checkpoint
    jiaozi_verify.py liability FILE --key VKEY     that a balance is counted among the signed liabilities

VKEY is the log's verifier key or a file that holds it. Exit code 0: it verifies; 1: it does not. The formats are docs/formats/receipt.md and
docs/formats/checkpoint.md; Ed25519 is RFC 8032, section 5.1, in the plain arithmetic of its appendix: it handles public values only.
"""
import argparse
import base64
import hashlib
import json
import pathlib
import struct
import sys


class Refused(Exception):
    """What was given does not verify."""


def require(condition, why):
    if not condition:
        raise Refused(why)


# ---- Ed25519 (RFC 8032)

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(a, b):
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    m, n = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    c, d = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = n - m, d - c, d + c, n + m
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def same(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def decode_point(text):
    y = int.from_bytes(text, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    require(y < P, "a point is not in its one form")
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    require((x * x - square) % P == 0 and not (x == 0 and sign), "the point is not on the curve")
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = decode_point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def ed25519_verify(key, message, signature):
    require(len(key) == 32 and len(signature) == 64, "a key has 32 bytes and a signature 64")
    point, r = decode_point(key), decode_point(signature[:32])
    require(not same(multiply(8, point), (0, 1, 1, 0)), "the key is of small order")
    s = int.from_bytes(signature[32:], "little")
    require(s < Q, "the signature is not in its one form")
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % Q
    require(same(multiply(s, BASE), add(r, multiply(h, point))), "the signature is wrong")


# ---- signed notes and checkpoints (C2SP signed-note, tlog-checkpoint)


def unbase64(text):
    data = base64.b64decode(text, validate=True)
    require(base64.b64encode(data).decode() == text, "base64 is not in its one form")
    return data


def decimal(text):
    require(isinstance(text, str) and text.isascii() and text.isdigit() and (text == "0" or text[0] != "0"), "a number is not in its one form")
    return int(text)


class Key:
    def __init__(self, text):
        self.name, self.hash, encoded = text.strip().split("+", 2)
        typed = unbase64(encoded)
        require(len(typed) == 33 and typed[0] == 1, "the key is not an Ed25519 key")
        require(key_id(self.name, typed).hex() == self.hash, "the key's name, hash and key do not belong together")
        self.public = typed[1:]

    def named(self, name):
        """The same key under another name, as the log signs its other statements."""
        other = object.__new__(Key)
        other.name, other.public = name, self.public
        other.hash = key_id(name, b"\x01" + self.public).hex()
        return other


def key_id(name, typed):
    return hashlib.sha256(name.encode() + b"\n" + typed).digest()[:4]


def open_note(note, key):
    """The signed text."""
    text, blank, signatures = note.rpartition("\n\n")
    require(blank and note.endswith("\n"), "it is not a signed note")
    text += "\n"
    for line in signatures.splitlines():
        dash, name, encoded = line.split(" ")
        data = unbase64(encoded)
        if dash == "\u2014" and name == key.name and data[:4].hex() == key.hash:
            ed25519_verify(key.public, text.encode(), data[4:])
            return text
    raise Refused(f"the note is not signed by {key.name} with this key")


def open_checkpoint(note, key):
    """(size, root)"""
    lines = open_note(note, key).split("\n")
    require(len(lines) >= 4 and lines[0] == key.name, "the checkpoint is another log's")
    root = unbase64(lines[2])
    require(len(root) == 32, "a root has 32 bytes")
    return decimal(lines[1]), root


# ---- Merkle trees (RFC 9162, section 2.1)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def climb(start, index, size, path, combine):
    """Section 2.1.3.2: where the path leads. `combine` joins two nodes."""
    require(0 <= index < size, "the leaf lies outside of the tree")
    node, at, last = start, index, size - 1
    for sibling in path:
        require(last > 0, "the proof is too long")
        if at & 1 or at == last:
            node = combine(sibling, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = combine(node, sibling)
        at, last = at >> 1, last >> 1
    require(last == 0, "the proof is too short")
    return node


def climb_hashes(leaf, index, size, path):
    hashes = [unbase64(one) for one in path]
    require(all(len(one) == 32 for one in hashes), "a hash has 32 bytes")
    return climb(leaf, index, size, hashes, lambda left, right: sha256(b"\x01", left, right))


# ---- receipts

TRANSFER = struct.Struct("<16s16s16s16s16s16sQIIIHHQ")
FLAGS = {2: "pending", 4: "post_pending", 8: "void_pending"}


def u128(data):
    return int.from_bytes(data, "little")


def decode_part(part):
    kind, body = part[0], part[1:]
    if kind in (0, 6):
        names = ("sequence", "timestamp_ns", "expired", "accounts", "flag_changes", "transfers", "annotation_bytes", "rows")
        header = {"kind": "header", **dict(zip(names, struct.unpack("<QQIIIII" + "I" * (kind == 6), body)))}
        require(header.setdefault("rows", 0) > 0 or kind == 0, "a header of rows has at least one")
        return header
    if kind == 1:
        return {"kind": "expired", "pending_id": u128(body[:16]), "timestamp_ns": struct.unpack("<Q", body[16:])[0]}
    if kind == 4:
        require(len(body) == 132, "a transfer has 132 bytes")
        row = TRANSFER.unpack(body[:128])
        out = dict(zip(("id", "debit_account", "credit_account", "amount", "pending_id", "subject"), map(u128, row[:6])))
        out |= {"ledger": row[9], "code": row[10], "flags": [name for bit, name in FLAGS.items() if row[11] & bit], "timestamp_ns": row[12]}
        return {"kind": "transfer", **out, "result": struct.unpack("<I", body[128:])[0]}
    if kind == 5:
        return {"kind": "annotation", "bytes": body.hex()}
    require(kind in (2, 3) and len(body) == {2: 132, 3: 24}[kind], "a part is of an unknown kind or has not its size")
    return {"kind": {2: "account", 3: "flag_change"}[kind], "bytes": body.hex()}


def exactly(value, *names):
    require(isinstance(value, dict) and set(value) == set(names), "an object has not the fields it should have: " + ", ".join(names))


def verify_command(command, size, root):
    exactly(command, "sequence", "parts", "disclosed", "inclusion")
    sequence, count = decimal(command["sequence"]), command["parts"]
    require(type(count) is int and command["disclosed"], "a command discloses nothing")
    reached, parts, previous = None, [], -1
    for one in command["disclosed"]:
        exactly(one, "index", "salt", "part", "path")
        require(type(one["index"]) is int and one["index"] > previous, "parts are out of order")
        previous = one["index"]
        salt, part = unbase64(one["salt"]), unbase64(one["part"])
        require(len(salt) == 16 and part, "a salt has 16 bytes and a part at least one")
        leaf = sha256(b"\x00jiaozi/part/1\n", salt, part)
        parts_root = climb_hashes(leaf, one["index"], count, one["path"])
        require(reached in (None, parts_root), "parts are not of one command")
        reached = parts_root
        parts.append(decode_part(part))
    entry = sha256(b"jiaozi/command/1\n", struct.pack("<I", count), reached)
    require(climb_hashes(sha256(b"\x00", entry), sequence - 1, size, command["inclusion"]) == root, f"command {sequence} is not in the checkpoint's log")
    header = parts[0]
    require(command["disclosed"][0]["index"] == 0 and header["kind"] == "header" and header["sequence"] == sequence, "the header is another command's")
    counted = 1 + sum(header[name] for name in ("expired", "accounts", "flag_changes", "transfers")) + (header["rows"] or header["annotation_bytes"] > 0)
    require(counted == count and all(part["kind"] != "header" for part in parts[1:]), "the header does not agree with the parts")
    return sequence, parts


def verify_receipt(receipt, key):
    exactly(receipt, "format", "subject", "checkpoint", "commands")
    require(receipt["format"] == "jiaozi/receipt/1" and receipt["commands"], "it is not a receipt")
    size, root = open_checkpoint(receipt["checkpoint"], key)
    subject, known, last, commands = int(receipt["subject"], 16), set(), 0, []
    require(receipt["subject"] == f"{subject:032x}", "the subject has 32 hexadecimal digits, in lower case")
    for command in receipt["commands"]:
        sequence, parts = verify_command(command, size, root)
        require(sequence > last, "commands are out of order")
        last = sequence
        for part in parts if subject else ():
            if part["kind"] == "transfer":
                require(part["subject"] == subject or part["pending_id"] in known, "a transfer is not of the receipt's subject")
                known.add(part["id"])
            require(part["kind"] != "expired" or part["pending_id"] in known, "an expired hold is not of the receipt's subject")
        commands.append({"sequence": sequence, "parts": parts})
    return {"log": key.name, "size": size, "subject": receipt["subject"], "commands": commands}


def verify_liability(proof, key):
    exactly(proof, "format", "note", "ledger", "account", "balance", "salt", "index", "path")
    require(proof["format"] == "jiaozi/liability/1", "it is not a proof of liability")
    lines = open_note(proof["note"], key.named(key.name + "/liabilities")).split("\n")
    require(lines[0] == key.name + "/liabilities", "the statement is another log's")
    row = [line.split(" ") for line in lines[3:-1] if line.split(" ")[0] == str(proof["ledger"])]
    require(len(row) == 1, "the statement does not speak of this ledger")
    holders, total, root = decimal(row[0][1]), decimal(row[0][2]), unbase64(row[0][3])
    balance, account, salt = decimal(proof["balance"]), int(proof["account"], 16), unbase64(proof["salt"])
    require(len(salt) == 16 and proof["account"] == f"{account:032x}", "a salt has 16 bytes, an account 32 hexadecimal digits in lower case")

    def sum_bytes(value):
        require(value < 2**128, "a sum is too large")
        return value.to_bytes(16, "little")

    def combine(left, right):
        return sha256(b"jiaozi/liability-node/1\n", left[0], sum_bytes(left[1]), right[0], sum_bytes(right[1])), left[1] + right[1]

    leaf = sha256(b"jiaozi/liability/1\n", salt, account.to_bytes(16, "little"), sum_bytes(balance)), balance
    path = [(unbase64(one["hash"]), decimal(one["sum"])) for one in proof["path"]]
    require(climb(leaf, decimal(proof["index"]), holders, path, combine) == (root, total), "the balance is not under the signed sum")
    return {"log": key.name, "size": decimal(lines[1]), "ledger": proof["ledger"], "account": proof["account"], "balance": str(balance), "total": str(total)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("receipt", "checkpoint", "liability"))
    parser.add_argument("file")
    parser.add_argument("--key", required=True, help="the log's verifier key, or a file with it")
    options = parser.parse_args()
    try:
        path = pathlib.Path(options.key)
        key = Key(options.key if options.key.count("+") >= 2 else path.read_text(encoding="utf-8"))
        text = pathlib.Path(options.file).read_text(encoding="utf-8")
        if options.what == "checkpoint":
            size, root = open_checkpoint(text, key)
            proved = {"log": key.name, "size": size, "root": root.hex()}
        else:
            proved = {"receipt": verify_receipt, "liability": verify_liability}[options.what](json.loads(text), key)
    except (Refused, ValueError, KeyError, IndexError, TypeError, OverflowError, struct.error, OSError, AttributeError) as error:
        print(f"does not verify: {error}", file=sys.stderr)
        return 1
    print(json.dumps(proved, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
