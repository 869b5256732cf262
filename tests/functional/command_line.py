"""Runs the program's own command line against a platform under test."""
import json
import os
import queue
import subprocess
import threading
import time


def environment(platform, **more):
    """Where the platform is, and its key: through the environment, never through arguments."""
    ours = dict(JIAOZI_URL=platform.url, JIAOZI_API_KEY=platform.key, JIAOZI_MQTT=f"{platform.mqtt_host}:{platform.mqtt_port}", LC_ALL="C.UTF-8")
    return os.environ | ours | more


def jiaozi(platform, *arguments, input="", timeout=120, **more):
    """(exit code, standard output, standard error) of one command."""
    done = subprocess.run([platform.program, *arguments], env=environment(platform, **more), input=input, capture_output=True, text=True, timeout=timeout)
    return done.returncode, done.stdout, done.stderr


class Sim:
    """A running `jiaozi sim … --json`, whose lines can be waited for."""

    def __init__(self, platform, *arguments, **more):
        self.process = subprocess.Popen(
            [platform.program, "sim", *arguments, "--json"], env=environment(platform, **more), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))

    def wait_for(self, what, kind=None, patience=30):
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            try:
                line = self.lines.get(timeout=0.2)
            except queue.Empty:
                if self.process.poll() is not None and self.lines.empty():
                    break
                continue
            if line["what"] == what and kind in (None, line["kind"]):
                return line
        raise AssertionError(f"the simulator did not say {what!r}; exit {self.process.poll()}")

    def type(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ended(self, patience=30):
        """The exit code, once it ends by itself."""
        code = self.process.wait(patience)
        self._close()
        return code

    def kill(self):
        self.process.kill()
        self.process.wait(15)
        self._close()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(15)
        self._close()
        return code

    def _close(self):
        self.reader.join(5)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()
