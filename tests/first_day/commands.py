"""What the program says to people: in an empty folder, to a terminal, a pipe, journald; when the page's address is taken."""
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import time

import make_data
from going_live import Simulated, free_port


def run(cvdd, expect):
    with tempfile.TemporaryDirectory() as folder:
        empty_folder(cvdd, folder, expect)
        terminal(cvdd, expect)
        simulated = Simulated(cvdd, folder)
        try:
            conf = os.path.join(folder, "conf")
            subprocess.run([cvdd, "init", conf], check=True, capture_output=True)
            simulated.into(conf + "/cvdd.toml")
            helped(cvdd, expect)
            expect("simulate says that its certificate authority is a new one at each start", "certificate authority is a new one at each start" in simulated.toml or print(simulated.toml))
            saves(cvdd, conf, expect)
            full_disk(cvdd, conf, expect)
            page_taken(cvdd, conf, expect)
            log(cvdd, conf, expect)
            archive(cvdd, conf, expect)
        finally:
            simulated.stop()


def empty_folder(cvdd, folder, expect):
    nowhere = os.path.join(folder, "nowhere")
    os.makedirs(nowhere)
    environment = {**os.environ, "HOME": nowhere}
    for command in ("run", "check"):
        if os.path.exists("/etc/cvdd/cvdd.toml"):
            break
        done = subprocess.run([cvdd, command], cwd=nowhere, env=environment, capture_output=True, text=True)
        expect("%s in an empty folder says where it looked, and what to do" % command,
               done.returncode == 2 and "/.config/cvdd/cvdd.toml" in done.stderr and "cvdd init DIR" in done.stderr and len(done.stderr.splitlines()) == 1)
    # Standard error is the journal's where JOURNAL_STREAM names it: what is wrong at the start has its priority.
    read, write = os.pipe()
    status = os.fstat(write)
    for named, prefix in (("%d:%d" % (status.st_dev, status.st_ino), "<3>"), ("1:1", "")):
        subprocess.run([cvdd, "check", "--config", "none.toml"], cwd=nowhere, env={**environment, "JOURNAL_STREAM": named}, stderr=write)
        said = os.read(read, 65536).decode()
        expect("an error of the start, journald %s" % ("listening" if prefix else "elsewhere"), said.startswith(prefix + "none.toml: can't be read"))
    os.close(read), os.close(write)


def on_terminal(command, rows, columns, seconds):
    """What a terminal of that size is told until Ctrl-C."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        os.execv(command[0], command)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    said, begun, stopped = b"", time.time(), False
    while True:
        if not stopped and time.time() > begun + seconds:
            os.write(fd, b"\x03")
            stopped = True
        if time.time() > begun + seconds + 20:
            os.kill(pid, signal.SIGKILL)
        if select.select([fd], [], [], 0.2)[0]:
            try:
                piece = os.read(fd, 65536)
            except OSError:
                break
            if not piece:
                break
            said += piece
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said.decode(errors="replace")


def terminal(cvdd, expect):
    demo = [cvdd, "demo", "--listen", "127.0.0.1:%d" % free_port(), "--interval", "1s"]
    status, said = on_terminal(demo, 24, 80, 6)
    tables = said.count("instruments live,")
    drawn = [line for line in re.split(r"\r\n", re.sub(r"\x1b\[\d*[AJ]|\r(?!\n)", "", said)) if line and not line.startswith("#")]
    expect("the demo on a terminal shows a table, drawn anew", status == 0 and tables >= 2 and "\x1b[" in said and "symbol" in said)
    expect("… which fits it, without rows and without log lines that are no warnings",
           all(len(line) <= 80 for line in drawn if "instruments live" not in line or len(line) <= 80) and ",binance," not in said and " info " not in said)
    status, said = on_terminal(demo + ["--rows"], 24, 80, 5)
    expect("the demo on a terminal with --rows", status == 0 and ",binance," in said and "instruments live," not in said)
    done = subprocess.run(demo + ["--bars", "1"], capture_output=True, text=True, timeout=120)
    good = done.returncode == 0 and ",binance," in done.stdout and "\x1b" not in done.stdout and "every row equals the tape" in done.stdout
    expect("the demo to a pipe" + ("" if good else ": status %s\n%s\n%s" % (done.returncode, done.stdout[-1500:], done.stderr[-1500:])), good)


def helped(cvdd, expect):
    said = subprocess.run([cvdd, "help"], capture_output=True, text=True)
    expect("`cvdd help` lists the commands", said.returncode == 0 and "\nUsage: cvdd [OPTIONS]" in said.stdout and all("\n  " + c in said.stdout for c in ("init", "run", "check", "symbols", "status", "verify")) or print(said.stdout))
    complete = 'eval "$(%s completion bash)"; COMP_WORDS=(cvdd %%s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _cvdd; echo "${COMPREPLY[@]}"' % cvdd
    for words, wanted in (("sy", "symbols"), ("symbols kraken_", "kraken_futures"), ("replay --market inv", "inverse"), ("completion f", "fish"), ("help ver", "verify"),
                          ("status --wa", "--watch"), ("check --config x", "")):
        said = subprocess.run(["bash", "-c", complete % words], capture_output=True, text=True)
        expect("bash completes `cvdd %s`" % words, said.stdout.strip() == wanted or print(said))
    port = free_port()
    said = subprocess.run([cvdd, "status", "--listen", "127.0.0.1:%d" % port], capture_output=True, text=True)
    expect("status where nobody listens says so", said.returncode == 1 and "nothing listens there: is it running?" in said.stderr or print(said.stderr))
    nobody = {**os.environ, "HTTPS_PROXY": ""}
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/cvdd.toml", "w") as f:  # nobody can be asked: the proxy's port is nobody's
            f.write('[net]\nproxy = "http://127.0.0.1:%d"\n' % port)
        said = subprocess.run([cvdd, "symbols", "BTC", "--config", folder + "/cvdd.toml"], capture_output=True, text=True, env=nobody, timeout=120)
    expect("symbols, where nobody can be asked, says that in two lines, and nothing of what matches",
           (said.returncode == 1 and len(said.stderr.splitlines()) == 2 and "nothing matches" not in said.stderr) or print(said.stderr))


def saves(cvdd, conf, expect):
    """Each save of the list has its answer in the log, and while it has errors everybody who looks is told."""
    good = open(conf + "/symbols.toml").read()
    daemon = subprocess.Popen([cvdd, "run"], cwd=conf, stderr=subprocess.PIPE, text=True)
    time.sleep(5)

    def save(text):
        with open(conf + "/symbols.toml", "w") as f:
            f.write(text)
        time.sleep(2.5)
        said = subprocess.run([cvdd, "status"], cwd=conf, capture_output=True, text=True)
        return said.returncode, said.stdout

    wrong = good.replace("[binance]", "[binanse]", 1)
    first, second, mended = save(wrong), save(wrong), save(good)
    nothing = save("empty = true\n")
    os.unlink(conf + "/symbols.toml")
    time.sleep(4)
    gone = subprocess.run([cvdd, "status"], cwd=conf, capture_output=True, text=True).stdout
    listen = re.search(r'listen = ("[^"]*")', open(conf + "/cvdd.toml").read()).group(1).strip('"')
    save(good)
    daemon.send_signal(signal.SIGTERM)
    lines = daemon.communicate(timeout=20)[1].splitlines()
    count = lambda text: sum(text in line for line in lines)
    tell = lambda *what: print("\n".join(lines), *what)
    expect("the same mistake saved twice is answered twice", (count("unknown exchange, did you mean 'binance'?") == 2 and count("nothing is changed: the files have errors") == 3) or tell())
    expect("… a good save, too, also when it is the last one again", count("files read again") == 3 or tell())
    expect("… and status says so until it is mended", (first[0] == 1 and "NOT READY" in first[1] and "the files have errors" in second[1] and mended[0] == 0 and "files have" not in mended[1]) or tell(first, second, mended))
    expect("a list that says empty = true is ready", nothing[0] == 0 or tell(nothing))
    expect("a list that is gone is told of, once, with a way out", ("can't be read" in gone and count("symbols.toml: can't be read") == 1 and count("fresh one") == 1) or tell(gone))
    expect("… and where it listened nobody listens now", "nothing listens there" in subprocess.run([cvdd, "status", "--listen", listen], capture_output=True, text=True).stderr)


def full_disk(cvdd, conf, expect):
    """Rows that can't be written until the end: the exit status says so, and how many are where."""
    import resource
    shutil.rmtree(conf + "/data")
    daemon = subprocess.Popen([cvdd, "run"], cwd=conf, stderr=subprocess.PIPE, text=True, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000)))
    time.sleep(9)
    daemon.send_signal(signal.SIGTERM)
    said = daemon.communicate(timeout=20)[1]
    stopped = re.search(r"stopped rows=(\d+) not_written=(\d+)", said)
    ends = re.search(r"rows that could not be written rows=(\d+) data_dir=", said)
    there = sum(len(open(conf + "/data/" + p).read().splitlines()) - 1 for p in os.listdir(conf + "/data") if p.startswith("cvd-"))
    expect("a full disk: exit status 1, and the figures agree with the file and with each other",
           (daemon.returncode == 1 and re.search("reason=\"(File too large|No space left on device)\"", said) and int(stopped[2]) > 0 and stopped[2] == ends[1] and int(stopped[1]) == there) or print(daemon.returncode, said, there))
    shutil.rmtree(conf + "/data")


def page_taken(cvdd, conf, expect):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        config = open(conf + "/cvdd.toml").read()
        address = '"127.0.0.1:%d"' % taken.getsockname()[1]
        with open(conf + "/taken.toml", "w") as f:
            f.write(re.sub(r'listen = "127[^"]*"', "listen = " + address, config))
        daemon = subprocess.Popen([cvdd, "run", "--config", conf + "/taken.toml"], stderr=subprocess.PIPE, text=True)
        time.sleep(4)
        daemon.send_signal(signal.SIGTERM)
        said = daemon.communicate(timeout=20)[1]
        expect("a page whose address is taken: rows are collected without it", daemon.returncode == 0 and "no page, API and metrics" in said
               and "instruments are live after" in said)
        with open(conf + "/taken.toml", "w") as f:
            f.write(re.sub(r'listen = "127[^"]*"', "required = true\nlisten = " + address, config.replace("required = false", "")))
        done = subprocess.run([cvdd, "run", "--config", conf + "/taken.toml"], capture_output=True, text=True, timeout=30)
        expect("… or the daemon does not start, where it is required", done.returncode == 1 and "can't listen on" in done.stderr.splitlines()[-1])


def log(cvdd, conf, expect):
    shutil.rmtree(conf + "/data")  # what was missed meanwhile would be news
    daemon = subprocess.Popen([cvdd, "run"], cwd=conf, stderr=subprocess.PIPE, text=True)
    time.sleep(5)
    open(conf + "/symbols.toml", "w").close()
    time.sleep(2)
    os.unlink(conf + "/data/latest.csv")
    time.sleep(2)
    there = os.path.islink(conf + "/data/latest.csv")
    daemon.send_signal(signal.SIGTERM)
    lines = daemon.communicate(timeout=20)[1].splitlines()
    version = subprocess.run([cvdd, "-V"], capture_output=True, text=True).stdout.strip()
    expect("the log's first line: version, configuration, data directory", version in lines[0] and "config=" + conf in lines[0] and "data_dir=" + conf in lines[0])
    expect("the log: when all are live", any(re.search(r"all \d+ instruments are live after \d+\.\d s", l) for l in lines))
    expect("the log: status is one line where nothing is wrong", sum(" status " in l for l in lines) == 1 or print("\n".join(lines)))
    expect("an emptied list ends nothing", any("no names at all" in l for l in lines) and not any("instruments changed" in l for l in lines))
    expect("latest.csv is made again", there and any("latest.csv was gone" in l for l in lines))


def archive(cvdd, conf, expect):
    """`cvdd verify` of files as they are, with one wrong digit, and of none."""
    shutil.rmtree(conf + "/data")
    with open(conf + "/symbols.toml", "w") as f:
        f.write('[binance]\nspot = ["BTCUSDT"]\n[bybit]\nlinear = ["BTCUSDT"]\n')
    with open(conf + "/cvdd.toml") as f:
        config = f.read()
    with open(conf + "/cvdd.toml", "w") as f:
        f.write(config.replace("size_buckets = []", 'size_buckets = ["1000"]', 1))
    daemon = subprocess.Popen([cvdd, "run"], cwd=conf, stderr=subprocess.DEVNULL)
    begun = time.time() + 4  # live by then
    time.sleep((begun // 60 + 2) * 60 + 6 - time.time())  # a whole minute lies behind, and its candles are there
    verify = [cvdd, "verify", "--data", conf + "/data", "--config", conf + "/cvdd.toml"]

    def ask(*more):
        done = subprocess.run([*verify, *more], cwd=conf, capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout, done.stderr

    status, said, wrong = ask()
    daemon.send_signal(signal.SIGTERM)
    daemon.wait(timeout=20)
    proven = [int(n) for n in re.findall(r": (\d+) proven, 0 contradicted", said)]
    expect("verify: the exchanges' candles prove a day's bars", (status == 0 and len(proven) >= 2 and min(proven) >= 60) or print(status, said, wrong))
    expect("the columns of flow files are those of the program", open(conf + "/data/latest-flow.csv").readline().strip() == make_data.FLOW_COLUMNS)
    path = sorted(p for p in os.listdir(conf + "/data") if p.startswith("cvd-"))[0]
    lines = open(conf + "/data/" + path).read().splitlines(keepends=True)
    names = lines[0].strip().split(",")
    minute = time.strftime("%Y-%m-%dT%H:%M:", time.gmtime((begun // 60 + 1) * 60))
    of_it = [k for k, line in enumerate(lines) if line.startswith(minute) and ",bybit," in line and int(line.split(",")[names.index("buys")])]
    cells = lines[of_it[-1]].split(",")
    at = names.index("buy_base")
    cells[at] = ("9" if cells[at][0] != "9" else "8") + cells[at][1:]
    lines[of_it[-1]] = ",".join(cells)
    with open(conf + "/data/" + path, "w") as f:
        f.writelines(lines)
    status, said, wrong = ask("--exchange", "bybit")
    expect("verify: one wrong digit is found, and told with both figures",
           (status == 1 and re.search(r": \d+ proven, 60 contradicted", said) and "binance" not in said and minute + "00Z" in said) or print(status, said, wrong))
    status, said, wrong = ask("--from", "2001-01-01", "--to", "2001-01-02")
    expect("verify: of no rows it says so", (status == 2 and "no rows" in wrong and said == "") or print(status, said, wrong))
    with open(conf + "/nobody.toml", "w") as f:  # nobody can be asked: the proxy's port is nobody's
        f.write('[net]\nproxy = "http://127.0.0.1:%d"\n' % free_port())
    done = subprocess.run([cvdd, "verify", "--data", conf + "/data", "--config", conf + "/nobody.toml"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=180)
    whole = re.compile(r"(cvdd verify: .+|(binance|bybit) \w+ \w+ \d{4}-\d\d-\d\d: \d+ bars?: 0 proven, .*nobody could be asked about\): .+|all: .+)")
    expect("verify: where nobody can be asked nothing is verified, by a status of its own, and no line stands within another",
           (done.returncode == 3 and "nothing is verified" in done.stdout and all(whole.fullmatch(line) for line in done.stdout.splitlines())) or print(done.returncode, done.stdout))
