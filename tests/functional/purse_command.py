"""`jiaozi purse …` on a folder, and payments between two processes."""
import json
import os
import select
import socket
import subprocess
import threading


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


class Between:
    """Stands between a payer and a payee on a Unix socket, and carries so many messages of each; then it hangs up."""

    def __init__(self, place, payee, from_payer, from_payee):
        self.place, self.payee, self.limits = place, payee, (from_payer, from_payee)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(place))
        self.listener.listen()
        self.thread = threading.Thread(target=self._carry, daemon=True)
        self.thread.start()

    def _carry(self):
        payer, _ = self.listener.accept()
        payee = socket.socket(socket.AF_UNIX)
        payee.connect(str(self.payee))
        ends = [payer, payee]
        left = list(self.limits)
        with payer, payee:
            while True:
                ready, _, _ = select.select(ends, [], [], 30)
                for end in ready:
                    side = ends.index(end)
                    head = end.recv(2, socket.MSG_WAITALL)
                    if len(head) < 2 or left[side] == 0:
                        return
                    body = end.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL)
                    left[side] -= 1
                    ends[1 - side].sendall(head + body)
                if not ready:
                    return

    def gone(self):
        self.thread.join(30)
        self.listener.close()
        os.unlink(self.place)


def ended(process, code=0):
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, (process.returncode, out, err)
    return json.loads(out) if out.strip() else None


def transfer(payer, payee, amount, carrier):
    """What the payer and the payee printed."""
    waiting = payee.begin("receive", carrier, "--amount", amount, "--timeout", 60)
    paid = payer.ok("pay", carrier, "--at-most", amount, "--timeout", 60)
    return paid, ended(waiting)
