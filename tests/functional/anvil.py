"""A real EVM node of its own chain on loopback (anvil), and small HTTP places that keep what is posted to them."""
import atexit
import http.server
import pathlib
import re
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
PACKAGES = HERE.parent.parent / "build" / "anchors"


def installed():
    """Path of the program; ends the test as skipped where it can't be had."""
    done = subprocess.run([HERE.parent / "anchors" / "install.sh", PACKAGES], capture_output=True, text=True, timeout=280)
    sys.stdout.write(done.stderr)
    if done.returncode != 0:
        print("SKIPPED: functional.anchors needs anvil and solc" if done.returncode == 77 else "install.sh failed")
        sys.exit(done.returncode)
    return done.stdout.strip()


def compiled(source, *options):
    """What the pinned Solidity compiler makes of it."""
    script = PACKAGES / "compile.cjs"
    script.write_text((HERE.parent / "anchors" / "compile.cjs").read_text())
    return subprocess.run(["node", script, source, *options], capture_output=True, text=True, timeout=120, check=True).stdout


class Anvil:
    def __init__(self, program, folder, *options):
        self.log = folder / f"anvil-{time.monotonic_ns()}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([program, "--host", "127.0.0.1", "--port", "0", "--accounts", "3", *options], stdout=log, stderr=log)
        atexit.register(self.process.kill)
        deadline = time.monotonic() + 60
        while not (found := re.search(r"Listening on (127\.0\.0\.1:\d+)", self.log.read_text())):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("anvil did not start:\n" + self.log.read_text()[-2000:])
            time.sleep(0.05)
        self.url = f"http://{found[1]}"
        self.accounts = re.findall(r"\(\d\) (0x[0-9a-fA-F]{40}) ", self.log.read_text())

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


class Place:
    """Keeps notes: GET gives them all (404 when there are none), POST adds one. `answer` replaces what it says."""

    def __init__(self):
        self.text, self.posts, self.readable, self.answer = b"", 0, True, None
        place = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def reply(self, status, body=b""):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                if place.answer is not None:
                    self.reply(200, place.answer)
                elif not place.readable:
                    self.reply(405)
                else:
                    self.reply(200 if place.text else 404, place.text)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if place.answer is not None:
                    return self.reply(200, place.answer)
                place.text += body
                place.posts += 1
                return self.reply(201)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/anchors"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
