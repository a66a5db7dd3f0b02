"""Databases and brokers of Debian's packages, each on a free loopback port and in a folder of its own; started, killed,
stopped and started again by the tests. Standard library only."""
import glob, os, shutil, signal, socket, subprocess, sys, time, urllib.request


class Skipped(Exception):
    """A server that this machine lacks: said loudly, and the test's status is 77."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def find(program, package, *folders):
    found = shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", *folders]))
    if not found:
        raise Skipped(f"{program} is missing (Debian's package {package})")
    return found


def wait_for(what, condition, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise TimeoutError(f"{what}: not within {seconds} s")


def listening(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


class Process:
    """A child that ends with the test, its output in a file."""
    def __init__(self, arguments, log, **options):
        self.arguments, self.log, self.options, self.child = [str(a) for a in arguments], log, options, None

    def start(self):
        with open(self.log, "ab") as out:
            self.child = subprocess.Popen(self.arguments, stdout=out, stderr=out, stdin=subprocess.DEVNULL, **self.options)
        return self

    def running(self):
        return self.child is not None and self.child.poll() is None

    def end(self, how=signal.SIGTERM, seconds=20):
        if not self.running():
            return self.child.returncode if self.child else None
        self.child.send_signal(signal.SIGCONT)
        self.child.send_signal(how)
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise

    def kill(self):
        if self.running():
            self.child.kill()
            self.child.wait()

    def pause(self):
        self.child.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.child.send_signal(signal.SIGCONT)


class Postgres(Process):
    def __init__(self, folder, options=()):
        bin = (sorted(glob.glob("/usr/lib/postgresql/*/bin")) or [""])[-1]
        initdb, postgres = find("initdb", "postgresql", bin), find("postgres", "postgresql", bin)
        find("psql", "postgresql-client")
        self.port, self.home = free_port(), os.path.join(folder, "postgres")
        os.makedirs(self.home)
        # It refuses to run as root.
        self.owner = {}
        if os.getuid() == 0:
            import pwd
            user = pwd.getpwnam("postgres")
            os.chown(self.home, user.pw_uid, user.pw_gid)
            self.owner = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            at = folder
            while at != "/":  # it must get there
                if os.stat(at).st_uid == 0 and at.startswith("/tmp/"):
                    os.chmod(at, os.stat(at).st_mode | 0o711)
                at = os.path.dirname(at)
        data = os.path.join(self.home, "data")
        with open(os.path.join(self.home, "pw"), "w") as f:
            f.write("secret\n")
        os.chmod(f.name, 0o644)
        subprocess.run([initdb, "-D", data, "-U", "cvd", "-A", "scram-sha-256", "--pwfile", f.name, "-N", "--no-locale", "-E", "UTF8"],
                       check=True, stdout=subprocess.DEVNULL, cwd=self.home, **self.owner)
        super().__init__([postgres, "-D", data, "-p", self.port, "-c", "listen_addresses=127.0.0.1", "-c",
                          f"unix_socket_directories={self.home}", "-c", "shared_buffers=64MB", "-c", "max_wal_size=2GB",
                          *[x for o in options for x in ("-c", o)]],
                         os.path.join(folder, "postgres.log"), cwd=self.home, **self.owner)
        self.url = f"postgres://cvd:secret@127.0.0.1:{self.port}/postgres"
        self.database = "postgres:" + self.url

    def start(self):
        super().start()
        wait_for("PostgreSQL", lambda: self.answers(), 60)
        return self

    def answers(self):
        return subprocess.run(["psql", "-X", "-q", self.url, "-c", "SELECT 1"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0

    def kill(self):
        """The postmaster and what it started: a machine that loses power takes all of them."""
        super().kill()
        wait_for("the end of PostgreSQL", lambda: not listening(self.port))
        time.sleep(0.2)

    def sql(self, text):
        return subprocess.run(["psql", "-X", "-qAt", self.url, "-c", text], stdout=subprocess.PIPE, check=True).stdout.decode().strip()


class Nats(Process):
    def __init__(self, folder, name="n1", ports=None, cluster=None, extra=""):
        self.port, self.home = (ports or {}).get(name) or free_port(), os.path.join(folder, name)
        os.makedirs(self.home, exist_ok=True)
        text = f'server_name: {name}\nlisten: "127.0.0.1:{self.port}"\njetstream {{ store_dir: "{self.home}/js" }}\n{extra}\n'
        if cluster:
            routes = ", ".join(f'"nats://127.0.0.1:{p}"' for p in cluster.values())
            text += f'cluster {{ name: cvd, listen: "127.0.0.1:{cluster[name]}", routes: [{routes}] }}\n'
        with open(os.path.join(self.home, "nats.conf"), "w") as f:
            f.write(text)
        super().__init__([find("nats-server", "nats-server"), "-c", f.name], os.path.join(folder, name + ".log"))
        self.url = f"nats://127.0.0.1:{self.port}"

    def start(self):
        super().start()
        wait_for("NATS", lambda: listening(self.port))
        return self


class ClickHouse(Process):
    def __init__(self, folder, certificate=None, key=None):
        """With a certificate by TLS, too."""
        self.home, self.port, tls_port = os.path.join(folder, "clickhouse"), free_port(), free_port()
        tls = f"""<https_port>{tls_port}</https_port><openSSL><server><certificateFile>{certificate}</certificateFile><privateKeyFile>{key}</privateKeyFile>
<verificationMode>none</verificationMode><loadDefaultCAFile>false</loadDefaultCAFile></server></openSSL>""" if certificate else ""
        os.makedirs(self.home)
        config = os.path.join(self.home, "config.xml")
        with open(config, "w") as f:
            f.write(f"""<yandex><logger><level>warning</level><log>{self.home}/log</log><errorlog>{self.home}/err</errorlog></logger>
<http_port>{self.port}</http_port>{tls}<tcp_port>{free_port()}</tcp_port><interserver_http_port>{free_port()}</interserver_http_port>
<listen_host>127.0.0.1</listen_host><path>{self.home}/data/</path><tmp_path>{self.home}/tmp/</tmp_path><mark_cache_size>5368709120</mark_cache_size>
<users><default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default>
<cvd><password>secret</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></cvd></users>
<users_config>{config}</users_config><profiles><default></default></profiles><quotas><default></default></quotas>
<default_profile>default</default_profile><default_database>default</default_database></yandex>""")
        super().__init__([find("clickhouse-server", "clickhouse-server"), f"--config-file={config}"],
                         os.path.join(folder, "clickhouse.log"), cwd=self.home)
        self.url = f"clickhouse+http://cvd:secret@127.0.0.1:{self.port}/default"
        self.tls_url = f"clickhouse+https://cvd:secret@127.0.0.1:{tls_port}/default"
        self.database = f"clickhouse:http://127.0.0.1:{self.port}/?user=cvd&password=secret"

    def start(self):
        super().start()
        wait_for("ClickHouse", lambda: listening(self.port), 60)
        return self

    def ask(self, sql, otherwise=None):
        """`otherwise` is the answer where there is none."""
        try:
            with urllib.request.urlopen(self.database[11:], sql.encode(), timeout=60) as answer:
                return answer.read().decode().strip()
        except OSError:
            if otherwise is None:
                raise
            return otherwise
