"""An operator, an account with JetStream and a user of NATS, as its own tools would make them: keys and signatures by openssl.
Standard library only."""
import base64, json, os, subprocess

OPERATOR, ACCOUNT, USER, SEED = 14 << 3, 0, 20 << 3, 18 << 3


def crc16(data):
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc.to_bytes(2, "little")


def in_letters(data):
    return base64.b32encode(data + crc16(data)).decode().rstrip("=")


def in_url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Key:
    def __init__(self, folder, name, kind):
        self.file, self.folder, self.kind = os.path.join(folder, name + ".ed25519.pem"), folder, kind
        run = lambda *arguments: subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.PIPE).stdout
        run("genpkey", "-algorithm", "ed25519", "-out", self.file)
        self.private = run("pkey", "-in", self.file, "-outform", "DER")[-32:]
        self.name = in_letters(bytes([kind]) + run("pkey", "-in", self.file, "-pubout", "-outform", "DER")[-32:])

    def seed(self):
        return in_letters(bytes([SEED | self.kind >> 5, (self.kind & 31) << 3]) + self.private)

    def sign(self, subject, what):
        """A token that tells of `subject`."""
        claims = {"jti": "1", "iat": 1_700_000_000, "iss": self.name, "sub": subject.name, "name": "test", "nats": {"version": 2, **what}}
        text = ".".join(in_url(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "ed25519-nkey"}, claims))
        path = os.path.join(self.folder, "to-sign")
        with open(path, "w") as f:
            f.write(text)
        signature = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.file, "-in", path], check=True,
                                   stdout=subprocess.PIPE).stdout
        return f"{text}.{in_url(signature)}"


def make(folder):
    """Writes user.creds and stranger.creds, whose account the server does not know; returns what goes into nats.conf."""
    operator = Key(folder, "operator", OPERATOR)
    limits = {k: -1 for k in ("subs", "data", "payload", "imports", "exports", "conn", "leaf", "mem_storage", "disk_storage", "streams", "consumer")}
    known = {}
    for name in ("system", "user", "stranger"):
        account, user = Key(folder, name + "-account", ACCOUNT), Key(folder, name, USER)
        if name != "stranger":
            known[name] = (account.name, operator.sign(account, {"type": "account", "limits": limits if name == "user" else {}}))
        token = account.sign(user, {"type": "user", "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1})
        with open(os.path.join(folder, name + ".creds"), "w") as f:
            f.write(f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
                    f"-----BEGIN USER NKEY SEED-----\n{user.seed()}\n------END USER NKEY SEED------\n")
    return (f"operator: {operator.sign(operator, {'type': 'operator'})}\nsystem_account: {known['system'][0]}\nresolver: MEMORY\n"
            "resolver_preload: {" + ", ".join(f"{name}: {token}" for name, token in known.values()) + "}\n")
