"""Servers that are too old, or that say nothing at all: as far as a client gets with them."""
import socket, struct, threading


class Fake:
    """Listens on a free loopback port; `talk` is had with everybody who comes."""
    def __init__(self, talk):
        self.listener, self.talk = socket.create_server(("127.0.0.1", 0)), talk
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.one, args=(client,), daemon=True).start()

    def one(self, client):
        with client:
            try:
                self.talk(client)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


def mute(client):
    while client.recv(4096):
        pass


def old_postgres(client):
    def message(kind, body):
        return kind + struct.pack("!i", len(body) + 4) + body
    while True:
        size, code = struct.unpack("!ii", client.recv(8, socket.MSG_WAITALL))
        client.recv(size - 8, socket.MSG_WAITALL)
        if code == 196608:  # the beginning itself, not a question for TLS
            break
        client.sendall(b"N")
    parameters = {"server_version": "12.22", "server_encoding": "UTF8", "client_encoding": "UTF8", "integer_datetimes": "on",
                  "standard_conforming_strings": "on"}
    client.sendall(message(b"R", struct.pack("!i", 0)) +
                   b"".join(message(b"S", f"{k}\0{v}\0".encode()) for k, v in parameters.items()) + message(b"Z", b"I"))
    mute(client)


def old_nats(client):
    client.sendall(b'INFO {"server_id":"OLD","version":"2.1.9","proto":1,"host":"127.0.0.1","port":4222,"max_payload":1048576}\r\n')
    while text := client.recv(4096):
        if b"PING" in text:
            client.sendall(b"PONG\r\n")
