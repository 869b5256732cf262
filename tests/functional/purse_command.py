"""`jiaozi purse …` on a folder, and payments between two processes."""
import json
import os
import socket
import subprocess


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Purse:
    """A purse in a folder; `where` is what the environment says of a server, if there is one."""

    def __init__(self, program, folder, *options, **where):
        self.program, self.folder, self.where = program, folder, where
        self.key = self.ok("new", *options)["public_key"]

    def environment(self, **more):
        return os.environ | {"LC_ALL": "C.UTF-8", "JIAOZI_PURSE_PASSPHRASE": "correct horse battery"} | self.where | more

    def run(self, verb, *arguments, **more):
        """(exit code, standard output, standard error)"""
        done = subprocess.run([self.program, "purse", verb, *map(str, arguments), "--purse", str(self.folder)],
                              env=self.environment(**more), input="", capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout, done.stderr

    def ok(self, verb, *arguments):
        code, out, err = self.run(verb, *arguments, "--json")
        assert code == 0, (verb, arguments, code, out, err)
        return json.loads(out)

    def show(self):
        return self.ok("show")

    def begin(self, verb, *arguments, **pipes):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | pipes
        return subprocess.Popen([self.program, "purse", verb, *map(str, arguments), "--purse", str(self.folder), "--json"],
                                env=self.environment(), text=True, **pipes)


def ended(process, code=0):
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, (process.returncode, out, err)
    return json.loads(out) if out.strip() else None


def transfer(payer, payee, amount, carrier):
    """What the payer and the payee printed."""
    waiting = payee.begin("receive", carrier, "--amount", amount, "--timeout", 60)
    paid = payer.ok("pay", carrier, "--at-most", amount, "--timeout", 60)
    return paid, ended(waiting)
