"""Starts the real program on a directory of its own, and talks to it with curl, mosquitto_pub and mosquitto_sub alone."""
import atexit
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import uuid


class Platform:
    def __init__(self, program, *options, same_ports=False):
        """`same_ports`: it comes back where it was, so that whoever was connected finds it again."""
        self.program, self.options, self.same_ports = program, options, same_ports
        self.ports = ("0", "0")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="jiaozi-functional-"))
        self.process = None
        self.start()

    def start(self):
        ready = self.folder / "ready.json"
        ready.unlink(missing_ok=True)
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "serve", "--data", str(self.folder / "data"), "--port", self.ports[0], "--broker-port", self.ports[1], "--sandbox", "--ready-file", str(ready), *self.options],
                stdout=log, stderr=log)
        atexit.register(self.process.kill)  # a test that fails half-way leaves nothing running
        deadline = time.monotonic() + 60
        while not ready.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("the program did not start:\n" + (self.folder / "log").read_text()[-4000:])
            time.sleep(0.02)
        where = json.loads(ready.read_text())
        self.url, self.mqtt_host, self.mqtt_port = where["url"], where["mqtt_host"], where["mqtt_port"]
        if self.same_ports:
            self.ports = (self.url.rpartition(":")[2], str(self.mqtt_port))
        self.key = (self.folder / "data" / "operator.key").read_text().strip()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("SIGTERM did not end the program within 30 s")
        code = self.process.returncode
        shutil.rmtree(self.folder, ignore_errors=True)
        return code

    # ---- curl

    def call(self, method, path, body=None, expect=None, headers=()):
        """(status, JSON) of one request by curl; the key goes through a file descriptor's configuration, not arguments."""
        command = ["curl", "-sS", "-X", method, "-o", "-", "-w", "\n%{http_code}", "-K", "-", self.url + path]
        config = f'header = "Authorization: Bearer {self.key}"\n'
        for header in headers:
            config += f'header = "{header}"\n'
        if body is not None:
            config += 'header = "Content-Type: application/json"\n'
            command += ["--data-binary", json.dumps(body)]
        done = subprocess.run(command, input=config.encode(), capture_output=True, timeout=60, check=True)
        text, _, status = done.stdout.decode().rpartition("\n")
        answer = json.loads(text) if text.strip() else None
        if expect is not None and int(status) != expect:
            raise AssertionError(f"{method} {path}: {status}, expected {expect}: {text}")
        return int(status), answer

    def make(self, path, body, expect=201):
        return self.call("POST", path, body, expect, [f"Idempotency-Key: {uuid.uuid4()}"])[1]

    def metrics(self):
        """Name, labels and all, to number."""
        config = f'header = "Authorization: Bearer {self.key}"\n'
        text = subprocess.run(["curl", "-sSf", "-K", "-", self.url + "/metrics"], input=config, capture_output=True, text=True, timeout=60, check=True).stdout
        lines = [line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#")]
        return {name: float(value) for name, _, value in lines}

    def wait_for_metrics(self, reached, patience=30):
        deadline = time.monotonic() + patience
        while not reached(now := self.metrics()):
            if time.monotonic() > deadline:
                raise AssertionError(f"not reached: {now}")
            time.sleep(0.05)

    def post_envelope(self, envelope, wait=0):
        """(status, bytes) of a device message over HTTPS, by curl."""
        out = self.folder / "answer.bin"
        done = subprocess.run(
            ["curl", "-sS", "-X", "POST", "-H", "Content-Type: application/cose", "--data-binary", "@-", "-o", str(out), "-w", "%{http_code}", f"{self.url}/device/v1/messages?wait={wait}"],
            input=envelope, capture_output=True, timeout=60, check=True)
        return int(done.stdout), out.read_bytes()

    # ---- mosquitto_pub, mosquitto_sub

    def _mqtt(self, tool, user, password):
        # The clients read options, the password among them, from a file in XDG_CONFIG_HOME: not from arguments.
        folder = self.folder / f"{user}-{tool}"
        folder.mkdir(exist_ok=True)
        (folder / tool).write_text(f"-h {self.mqtt_host}\n-p {self.mqtt_port}\n-u {user}\n-P {password}\n")
        os.chmod(folder / tool, 0o600)
        return dict(os.environ, XDG_CONFIG_HOME=str(folder))

    def publish(self, device, password, envelope, topic=None):
        env = self._mqtt("mosquitto_pub", device.text_id, password)
        subprocess.run(["mosquitto_pub", "-V", "mqttv5", "-q", "1", "-s", "-t", topic or f"jz/1/d/{device.text_id}/up"], input=envelope, env=env, timeout=30, check=True)

    def subscribe(self, device, password, topic=None):
        return Subscription(self._mqtt("mosquitto_sub", device.text_id, password), topic or f"jz/1/d/{device.text_id}/down")


class Subscription:
    """mosquitto_sub printing each message as a line of hexadecimal."""

    def __init__(self, env, topic):
        # Line by line, or what -d says of the subscription waits in a buffer.
        command = ["stdbuf", "-oL", "mosquitto_sub", "-V", "mqttv311", "-q", "1", "-d", "-F", "%x", "-t", topic]
        # The broker learns a new device's password a moment after the claim was answered: as a device would, try again.
        for _ in range(50):
            self.process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0)
            os.set_blocking(self.process.stdout.fileno(), False)
            self.buffer = b""
            if self._subscribed():
                return
            self.close()
            time.sleep(0.1)
        raise AssertionError("the broker does not accept the device:\n" + self.buffer.decode())

    def _subscribed(self):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and b"Subscribed" not in self.buffer:
            if self.process.poll() is not None:
                return False
            self.buffer += self.process.stdout.read() or b""
            time.sleep(0.005)
        return b"Subscribed" in self.buffer

    def next(self, patience=10.0):
        """The next message's bytes, or None when none comes in time."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if b"\n" not in self.buffer:
                self.buffer += self.process.stdout.read() or b""
                time.sleep(0.005)
                continue
            line, self.buffer = self.buffer.split(b"\n", 1)
            try:
                return bytes.fromhex(line.decode())
            except ValueError:
                continue  # what -d says of the connection
        return None

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
