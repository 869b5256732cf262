"""Offline purses, the whole story: loaded at the server, paid and spent on while the server is stopped, synced; the
wallets are right. Then what must not work: a copy that spends twice, a restored folder, a wrong key for a proof."""
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from command_line import environment, jiaozi
from platform_under_test import Platform
from shop import Shop

SECRET = {"JIAOZI_PURSE_PASSPHRASE": "correct horse battery"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Purse:
    def __init__(self, platform, folder, name):
        self.platform, self.folder = platform, folder / name
        code, out, err = self.run("new", "--json")
        assert code == 0, err
        self.key = json.loads(out)["public_key"]

    def run(self, verb, *arguments, **more):
        return jiaozi(self.platform, "purse", verb, *arguments, "--purse", str(self.folder), **SECRET, **more)

    def ok(self, verb, *arguments, **more):
        code, out, err = self.run(verb, *arguments, "--json", **more)
        assert code == 0, (verb, code, out, err)
        return json.loads(out)

    def show(self):
        return self.ok("show")

    def begin(self, verb, *arguments):
        return subprocess.Popen([self.platform.program, "purse", verb, *arguments, "--purse", str(self.folder), "--json"],
                                env=environment(self.platform, **SECRET), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def transfer(payer, payee, amount, carrier):
    """One payment between two processes; what each printed."""
    waiting = payee.begin("receive", carrier, "--amount", str(amount), "--timeout", "60")
    paid = payer.ok("pay", carrier, "--at-most", str(amount), "--timeout", "60")
    out, err = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, err
    return paid, json.loads(out)


def balance(platform, wallet):
    return int(platform.call("GET", f"/v1/wallets/{wallet}", expect=200)[1]["available"])


def story(platform, folder):
    shop = Shop(platform, deposit="50000")
    wallet_of = {}
    for name in ("ann", "bob", "eve"):
        wallet = platform.make(f"/v1/groups/{shop.group['id']}/wallets", {"name": name, "asset": "CNY"})
        wallet_of[name] = wallet["id"]
    platform.make(f"/v1/wallets/{wallet_of['ann']}/deposits", {"amount": "20000", "asset": "CNY"})
    ann, bob, eve = (Purse(platform, folder, name) for name in ("ann", "bob", "eve"))
    loaded = ann.ok("load", "--wallet", wallet_of["ann"], "--amount", "10000")
    assert loaded["spendable"] == "10000", loaded
    for name, purse in (("bob", bob), ("eve", eve)):
        assert purse.ok("load", "--wallet", wallet_of[name], "--amount", "0")["spendable"] == "0"
    assert balance(platform, wallet_of["ann"]) <= 10000

    platform.kill()  # no server, no network
    paid, received = transfer(ann, bob, 350, f"tcp:127.0.0.1:{free_port()}")
    assert paid["outcome"] == "paid" and paid["settled"] is False, paid
    assert received["outcome"] == "credited" and received["settled"] is False, received
    transfer(ann, bob, 150, f"unix:{folder}/purse.sock")
    transfer(bob, eve, 200, f"file:{folder}/exchange")  # spent on: it was received a moment ago
    shown = bob.show()
    assert shown["spendable"] == "300" and shown["received_not_settled"] == "500", shown
    code, _, err = ann.run("sync")
    assert code == 7, (code, err)

    # A payee that never answers: the payer says unknown, nothing else, and later asks again.
    place = f"unix:{folder}/silent.sock"
    silent = socket.socket(socket.AF_UNIX)
    silent.bind(str(folder / "silent.sock"))
    silent.listen()
    code, out, _ = ann.run("pay", place, "--resume", "--timeout", "2", "--json")
    assert code == 0 and json.loads(out)["outcome"] == "nothing", out  # nothing is unknown yet
    silent.close()

    platform.start()
    for purse in (eve, bob, ann):
        synced = purse.ok("sync")
        assert synced["refused"] == [], synced
        assert synced["received_not_settled"] == "0" and synced["unknown"] == "0", synced
    wait_for(lambda: balance(platform, wallet_of["eve"]) == 200)
    wait_for(lambda: balance(platform, wallet_of["bob"]) == 300)
    assert ann.show()["spendable"] == "9500"
    assert bob.ok("sync")["deposited"] == 0, "what is settled is not handed in again"
    return ann, bob, eve, wallet_of


def wait_for(condition, patience=30):
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "not reached"
        time.sleep(0.1)


def restored(ann, bob, folder):
    """Yesterday's folder put back: SUSPECT, spends nothing, and a sync sets it right."""
    shutil.copytree(ann.folder, folder / "yesterday")
    transfer(ann, bob, 100, f"unix:{folder}/purse.sock")
    shutil.rmtree(ann.folder)
    shutil.move(folder / "yesterday", ann.folder)
    assert ann.show()["state"] == "suspect"
    waiting = bob.begin("receive", f"unix:{folder}/purse.sock", "--amount", "1", "--timeout", "30", "--void")
    code, out, err = ann.run("pay", f"unix:{folder}/purse.sock", "--at-most", "1", "--timeout", "30")
    assert code == 4, (code, out, err)
    waiting.kill()
    waiting.communicate()
    bob.ok("sync")
    ann.ok("sync")
    assert ann.show()["state"] == "active"


def proven(platform, folder, wallet_of):
    """A copy with its anchor spends twice: the ledger proves it, and anybody can check that with the issuer's key."""
    eve, bob, ann = (Purse(platform, folder, name) for name in ("cheat", "victim", "witness"))
    eve.ok("load", "--wallet", wallet_of["ann"], "--amount", "1000")
    for purse, name in ((bob, "bob"), (ann, "eve")):
        purse.ok("load", "--wallet", wallet_of[name], "--amount", "0")
    shutil.copytree(eve.folder, folder / "copy")
    shutil.copytree(f"{eve.folder}.anchor", folder / "copy.anchor")
    transfer(eve, bob, 400, f"unix:{folder}/purse.sock")
    for suffix in ("", ".anchor"):
        shutil.rmtree(f"{eve.folder}{suffix}")
        shutil.move(f"{folder}/copy{suffix}", f"{eve.folder}{suffix}")
    transfer(eve, ann, 500, f"unix:{folder}/purse.sock")
    number = eve.show()["purse"]
    bob.run("sync")
    ann.run("sync")
    root = platform.call("GET", "/v1/purses/root", expect=200)[1]["issuers"]
    names = {1: "ed25519", 2: "p256", 3: "sm2"}
    issuers = [word for key in root for word in ("--issuer", f"{names[key['suite']]}:{key['key']}")]
    proof = platform.call("GET", f"/v1/purses/{number}/proof", expect=200)[1]
    (folder / "proof.json").write_text(json.dumps(proof))
    platform.kill()  # another machine, no server
    code, out, err = jiaozi(platform, "purse", "verify-proof", str(folder / "proof.json"), *issuers, "--json")
    assert code == 0, err
    assert json.loads(out)["purse"] == number and json.loads(out)["why"] == "same_number", out
    other = "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"  # RFC 8032, test 1
    code, _, err = jiaozi(platform, "purse", "verify-proof", str(folder / "proof.json"), "--issuer", other)
    assert code == 6 and "issuer" in err, (code, err)
    code, out, _ = jiaozi(platform, "purse", "verify-proof", str(folder / "proof.json"), *issuers, LC_ALL="zh_CN.UTF-8")
    assert code == 0 and "真实" in out, out


def test_purses(program):
    platform = Platform(program)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="jiaozi-purses-"))
    try:
        ann, bob, _, wallet_of = story(platform, folder)
        restored(ann, bob, folder)
        proven(platform, folder, wallet_of)
    finally:
        platform.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print("purses: loaded, paid offline, spent on, synced, restored, proven: as they should be")


if __name__ == "__main__":
    test_purses(sys.argv[1])
