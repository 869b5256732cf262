"""Two terminals pay each other with no server at all. Their certificates are made here, by an issuer of our own with
cbor2 and cryptography, which share nothing with the program; so is the fork proof that it has to verify."""
import hashlib
import json
import os
import pathlib
import pty
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import tty
import unittest

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from purse_command import Purse, ended, free_port, transfer

PROGRAM = sys.argv.pop(1)
PROTECTED = bytes.fromhex("a10127")
DAY = 86400
READER_DRIVER = pathlib.Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
# vpcd listens on all addresses and pcscd's socket has a fixed path: neither may touch those of the machine.
NAMESPACES = ["unshare", "--net", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])


def can_tap():
    tools = all(shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin:/sbin") for tool in ("pcscd", "unshare", "ip"))
    return tools and READER_DRIVER.exists() and subprocess.run([*NAMESPACES, "mount", "-t", "tmpfs", "none", "/run"], capture_output=True).returncode == 0


class Issuer:
    def __init__(self):
        self.key = Ed25519PrivateKey.generate()
        self.public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.kid = hashlib.sha256(b"\x01" + self.public).digest()[:8]
        self.serial = 0

    def sign(self, payload):
        content = cbor2.dumps(payload)
        signed = cbor2.dumps(["Signature1", PROTECTED, b"jiaozi/purse/1", content])
        return cbor2.dumps([PROTECTED, {}, content, self.key.sign(signed)])

    def certificate(self, purse, key, amount):
        self.serial += 1
        now = int(time.time())
        return self.sign([1, self.kid, self.serial, purse, bytes.fromhex(key), 1, 0, "CNY", amount, now - DAY, now + 30 * DAY, now + 60 * DAY,
                          5000, 5000, 100, 5, 100000, 0, 0])

    def name(self):
        return "ed25519:" + self.public.hex()


def notes_in(journal):
    """The NOTEs of a journal (docs/protocol/offline.md, 10.1)."""
    for at in range(0, len(journal), 576):
        record = journal[at:at + 576]
        if int.from_bytes(record[4:6], "little") == 4:
            yield record[24:24 + int.from_bytes(record[6:8], "little")][4 + 33 + 16 + 32:]


def fork_proof(left, right, certificate):
    def id_of(note):
        protected, _, payload, _ = cbor2.loads(note)
        return hashlib.sha256(protected + payload).digest()
    first, second = sorted((left, right), key=id_of)
    return b"\x84\x08" + first + second + certificate


class Offline(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="jiaozi-purses-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.issuer = Issuer()
        self.count = 0

    def purse(self, name, amount=10000, *options):
        purse = Purse(PROGRAM, self.folder / name, *options)
        self.count += 1
        purse.certificate = self.issuer.certificate(self.count, purse.key, amount)
        (self.folder / "certificate").write_bytes(purse.certificate)
        loaded = purse.ok("load", "--certificate", self.folder / "certificate", "--issuer", self.issuer.name())
        self.assertEqual(loaded["spendable"], str(amount))
        return purse

    def test_carriers_and_spending_on(self):
        ann, bob, eve = self.purse("ann"), self.purse("bob", 0), self.purse("eve", 0)
        paid, received = transfer(ann, bob, 350, f"tcp:127.0.0.1:{free_port()}")
        self.assertEqual((paid["outcome"], paid["settled"], paid["payee"]), ("paid", False, 2))
        self.assertEqual((received["outcome"], received["settled"]), ("credited", False))
        transfer(ann, bob, 150, f"unix:{self.folder}/socket")
        transfer(bob, eve, 450, f"file:{self.folder}/exchange")
        shown = bob.show()
        self.assertEqual((shown["spendable"], shown["received_not_settled"], shown["state"]), ("50", "500", "active"))
        self.assertEqual(eve.show()["spendable"], "450")
        code, out, _ = bob.run("show", LC_ALL="zh_CN.UTF-8")
        self.assertEqual(code, 0)
        self.assertIn("未结算", out)
        code, out, _ = bob.run("show")
        self.assertIn("not settled", out)

    def test_a_serial_line(self):
        ann, bob = self.purse("ann"), self.purse("bob", 0)
        ends = [pty.openpty() for _ in range(2)]
        for master, slave in ends:
            tty.setraw(slave)

        def cable(source, target):
            while True:
                try:
                    os.write(target, os.read(source, 4096))
                except OSError:
                    return
        threads = [threading.Thread(target=cable, args=(ends[i][0], ends[1 - i][0]), daemon=True) for i in range(2)]
        for thread in threads:
            thread.start()
        waiting = bob.begin("receive", "serial:" + os.ttyname(ends[0][1]), "--amount", 200, "--timeout", 60)
        paid = ann.ok("pay", "serial:" + os.ttyname(ends[1][1]), "--at-most", 200, "--timeout", 60)
        self.assertEqual(paid["outcome"], "paid")
        self.assertEqual(ended(waiting)["outcome"], "credited")

    @unittest.skipUnless(shutil.which("zbarimg"), "zbar-tools is not installed")
    def test_codes_read_by_another_programs_camera(self):
        ann, bob = self.purse("ann"), self.purse("bob", 0)
        shown = {"payee": self.folder / "payee", "payer": self.folder / "payer"}
        processes = {"payee": bob.begin("receive", f"qr:{shown['payee']}", "--amount", 200, "--timeout", 60, stderr=subprocess.DEVNULL),
                     "payer": ann.begin("pay", f"qr:{shown['payer']}", "--at-most", 200, "--timeout", 60, stderr=subprocess.DEVNULL)}
        seen = set()
        deadline = time.monotonic() + 90
        while any(process.poll() is None for process in processes.values()) and time.monotonic() < deadline:
            for side, other in (("payee", "payer"), ("payer", "payee")):
                for image in sorted(shown[side].glob("*.pgm")) if shown[side].exists() else []:
                    if image in seen:
                        continue
                    read = subprocess.run(["zbarimg", "--raw", "-q", "-Sdisable", "-Sqrcode.enable", str(image)], capture_output=True, text=True)
                    if read.returncode != 0:
                        continue  # not written to its end yet
                    seen.add(image)
                    if processes[other].poll() is None:
                        processes[other].stdin.write(read.stdout)
                        processes[other].stdin.flush()
            time.sleep(0.05)
        for side, outcome in (("payer", "paid"), ("payee", "credited")):
            processes[side].wait(10)
            self.assertEqual(json.loads(processes[side].stdout.read())["outcome"], outcome)
            for stream in (processes[side].stdin, processes[side].stdout):
                stream.close()

    @unittest.skipUnless(can_tap(), "no pcscd, no vsmartcard-vpcd, or no namespaces of our own")
    def test_a_tap(self):
        """The payee's reader and the payer's purse as a card, through pcscd and the virtual reader."""
        ann, bob = self.purse("ann"), self.purse("bob", 0)
        config = self.folder / "reader.conf"
        config.write_text(f'FRIENDLYNAME "Virtual PCD"\nDEVICENAME /dev/null:0x8C7B\nLIBPATH {READER_DRIVER}\nCHANNELID 0x8C7B\n')
        commands = {purse: f"{PROGRAM} purse {words} --purse {purse.folder} --timeout 40 --json" for purse, words in
                    ((bob, "receive 'nfc:Virtual PCD' --amount 250"), (ann, "pay nfc: --at-most 250"))}
        script = f"""
            mount -t tmpfs none /run && mkdir /run/pcscd && ip link set lo up
            pcscd --foreground --error --config {config} 2>{self.folder}/pcscd.log &
            daemon=$!
            while [ ! -S /run/pcscd/pcscd.comm ]; do sleep 0.1; done
            {commands[bob]} >{self.folder}/payee.json &
            payee=$!
            for _ in 1 2 3 4 5 6 7 8 9 10; do
                {commands[ann]} >{self.folder}/payer.json && break
                sleep 0.3
            done
            wait $payee; ended=$?
            kill $daemon
            exit $ended
        """
        done = subprocess.run([*NAMESPACES, "sh", "-c", script], env=ann.environment(PATH=os.environ["PATH"] + ":/usr/sbin:/sbin"),
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads((self.folder / "payer.json").read_text())["outcome"], "paid")
        self.assertEqual(json.loads((self.folder / "payee.json").read_text())["outcome"], "credited")
        self.assertEqual((ann.show()["spendable"], bob.show()["spendable"]), ("9750", "250"))

    def test_unknown_stays_unknown_until_the_payee_says(self):
        ann, bob = self.purse("ann"), self.purse("bob", 0)
        place, between = self.folder / "payee", self.folder / "between"
        waiting = bob.begin("receive", f"unix:{place}", "--amount", 300, "--timeout", 60)
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(str(between))
        listener.listen()
        paying = ann.begin("pay", f"unix:{between}", "--at-most", 300, "--timeout", 20)
        payer, _ = listener.accept()
        deadline = time.monotonic() + 20
        while not place.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        payee = socket.socket(socket.AF_UNIX)
        payee.connect(str(place))

        def message(source):
            stream = source.makefile("rb")
            head = stream.read(2)
            return head + stream.read(int.from_bytes(head, "big"))
        payer.sendall(message(payee))  # the request arrives, the note does not
        self.assertEqual(message(payer)[2], 0x02)
        payer.close()
        payee.close()
        self.assertEqual(ended(paying, 7)["outcome"], "unknown")
        shown = ann.show()
        self.assertEqual((shown["unknown"], shown["spendable"], shown["payments_unknown"]), ("300", "9700", 1))
        resumed = ann.ok("pay", f"unix:{place}", "--resume", "--timeout", 20)
        self.assertEqual(resumed["outcome"], "paid")
        self.assertEqual(ended(waiting)["outcome"], "credited")
        self.assertEqual(ann.show()["unknown"], "0")

    def test_yesterdays_folder_is_suspect(self):
        ann, bob = self.purse("ann"), self.purse("bob", 0)
        shutil.copytree(ann.folder, self.folder / "yesterday")
        transfer(ann, bob, 100, f"unix:{self.folder}/socket")
        shutil.rmtree(ann.folder)
        shutil.move(self.folder / "yesterday", ann.folder)
        self.assertEqual(ann.show()["state"], "suspect")
        waiting = bob.begin("receive", f"unix:{self.folder}/socket", "--amount", 1, "--timeout", 5, "--void")
        code, out, err = ann.run("pay", f"unix:{self.folder}/socket", "--at-most", 1)
        self.assertEqual(code, 4, out + err)
        self.assertIn("SUSPECT", err)
        self.assertEqual(ended(waiting, 4)["outcome"], "voided")

    def test_a_proof_needs_the_issuers_key_and_nothing_else(self):
        cheat, bob, eve = self.purse("cheat"), self.purse("bob", 0), self.purse("eve", 0)
        for suffix in ("", ".anchor"):
            shutil.copytree(f"{cheat.folder}{suffix}", f"{self.folder}/copy{suffix}")
        transfer(cheat, bob, 400, f"unix:{self.folder}/socket")
        first = next(notes_in((cheat.folder / "journal").read_bytes()))
        for suffix in ("", ".anchor"):
            shutil.rmtree(f"{cheat.folder}{suffix}")
            shutil.move(f"{self.folder}/copy{suffix}", f"{cheat.folder}{suffix}")
        transfer(cheat, eve, 500, f"unix:{self.folder}/socket")
        second = next(notes_in((cheat.folder / "journal").read_bytes()))
        proof = self.folder / "proof"
        proof.write_bytes(fork_proof(first, second, cheat.certificate))

        def verify(issuer, **more):
            done = subprocess.run([PROGRAM, "purse", "verify-proof", str(proof), "--issuer", issuer], env=os.environ | {"LC_ALL": "C.UTF-8"} | more,
                                  capture_output=True, text=True, timeout=60)
            return done.returncode, done.stdout, done.stderr
        code, out, err = verify(self.issuer.name())
        self.assertEqual(code, 0, err)
        self.assertIn("genuine: purse 1", out)
        self.assertIn("真实", verify(self.issuer.name(), LC_ALL="zh_CN.UTF-8")[1])
        code, _, err = verify(Issuer().name())
        self.assertEqual(code, 6, err)
        proof.write_bytes(fork_proof(first, first, cheat.certificate))
        self.assertNotEqual(verify(self.issuer.name())[0], 0)

    def test_words_that_are_off(self):
        ann = self.purse("ann")
        for arguments, code in ((("pay", "nowhere"), 2), (("receive", "tcp:127.0.0.1:0"), 2), (("pay", f"unix:{self.folder}/none", "--timeout", "1"), 7)):
            self.assertEqual(ann.run(*arguments)[0], code, arguments)
        self.assertEqual(ann.run("show", JIAOZI_PURSE_PASSPHRASE="wrong")[0], 6)
        self.assertEqual(ann.run("new")[0], 5)
        done = subprocess.run([PROGRAM, "purse", "--help"], capture_output=True, text=True, env=os.environ | {"LC_ALL": "C.UTF-8"})
        self.assertIn("neither paid nor failed", done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
