"""Wires between a client and a server on this machine, that hang up when a test wants it."""
import select
import socket
import threading


class Wire:
    """Passes everything on, for as many connections as come. What cuts it is a subclass's `connection`."""

    def __init__(self, port):
        self.port = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.url = f"http://{self.address}"
        threading.Thread(target=self._accept, daemon=True).start()

    def connection(self):
        """For each connection a function of (from the client?, bytes) that says whether to hang up before they pass."""
        return lambda from_client, data: False

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client):
        with client:
            try:
                with socket.create_connection(("127.0.0.1", self.port)) as server:
                    self._pass_on(client, server)
            except OSError:
                return

    def _pass_on(self, client, server):
        hangs_up = self.connection()
        while True:
            for end in select.select([client, server], [], [])[0]:
                data = end.recv(65536)
                if not data or hangs_up(end is client, data):
                    return
                (server if end is client else client).sendall(data)

    def close(self):
        self.listener.close()


class PostWire(Wire):
    """Hangs up, as long as `cut` says where, around a POST to `path`."""

    def __init__(self, port, path=b"/v1/payments"):
        self.path, self.cut, self.cuts = path, None, 0
        super().__init__(port)

    def connection(self):
        answer_is_cut = False

        def hangs_up(from_client, text):
            nonlocal answer_is_cut
            if from_client and self.cut and text.startswith(b"POST " + self.path):
                self.cuts += 1
                answer_is_cut = self.cut == "before the answer is back"
                return not answer_is_cut
            return not from_client and answer_is_cut

        return hangs_up


class ByteWire(Wire):
    """Hangs up once, after so many bytes from the client in all; `cut` is called then."""

    def __init__(self, port, after, cut):
        self.after, self.cut, self.seen = after, cut, 0
        super().__init__(port)

    def connection(self):
        def hangs_up(from_client, data):
            if from_client:
                self.seen += len(data)
            if not from_client or not self.after or self.seen <= self.after:
                return False
            self.after = None
            self.cut()
            return True

        return hangs_up
