#!/usr/bin/env python3
"""An independent judge of the daemon: exchanges over TLS on loopback, a tape by seed, faults by seed, and an oracle that reads
the rows by the contract alone.

  judge.py --cvdd PATH [--seed N|random]… [--minutes M] [--work DIR] [--scenario NAME]… [--side-by-side N] [--port P] [--for-good]
  judge.py --list | --plan --seed N | --self-test

Exit status: 0 nothing to object to, 1 offences, 2 wrong usage, 77 what it needs is not there."""
import argparse
import asyncio
import os
import random
import re
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--cvdd", help="the program to judge")
    p.add_argument("--seed", action="append", help="a number, or random; several are taken in turn")
    p.add_argument("--minutes", type=float, default=2.0)
    p.add_argument("--work", help="folder for data and logs (kept; those of earlier runs are removed); default: a temporary one, "
                   "kept if there are offences")
    p.add_argument("--scenario", action="append", default=[], help="only these (see --list)")
    p.add_argument("--side-by-side", type=int, default=5, help="worlds at once")
    p.add_argument("--port", type=int, default=21000, help="the first of some hundred ports")
    p.add_argument("--most", type=int, default=3, help="offences shown of each kind and world")
    p.add_argument("--for-good", action="store_true", help="what was mended within the run, or may yet be, is told and not counted: "
                   "where the machine is busy with other things")
    p.add_argument("--list", action="store_true", help="names the scenarios")
    p.add_argument("--plan", action="store_true", help="prints the plans of a seed, and runs nothing")
    p.add_argument("--self-test", action="store_true", help="plants defects in right rows; each must be found")
    return p.parse_args()


def missing_tools():
    if sys.version_info < (3, 9):
        return "python3 is older than 3.9"
    if shutil.which("openssl") is None:
        return "there is no openssl program"
    return None


def main():
    sys.stdout.reconfigure(line_buffering=True)
    options = arguments()
    lack = missing_tools()
    if lack:
        print("SKIPPED: the judge can't run: " + lack)
        return 77
    import run
    from scenarios import SCENARIOS
    if options.list:
        for s in SCENARIOS.values():
            print("%-18s bars of %2d s, at least %3d s: %s" % (s.name, s.interval, s.shortest, ", ".join(s.kinds)))
        return 0
    if options.self_test:
        import selftest
        return selftest.main()
    unknown = [n for n in options.scenario if n not in SCENARIOS]
    if unknown or (not options.cvdd and not options.plan):
        print("judge.py: %s" % ("unknown scenario %s" % unknown[0] if unknown else "--cvdd PATH is needed"))
        return 2
    seeds = [random.SystemRandom().randrange(1, 10 ** 9) if s == "random" else int(s) for s in options.seed or ["1"]]
    print("judge: seed%s %s" % ("s" if len(seeds) > 1 else "", " ".join(map(str, seeds))))
    work = options.work or tempfile.mkdtemp(prefix="cvdd-judge-")
    for name in os.listdir(work) if os.path.isdir(work) else []:
        if re.fullmatch(r"\d+-[a-z-]+-\d+", name):
            shutil.rmtree(os.path.join(work, name), ignore_errors=True)
    begun = time.time()
    try:
        clean = asyncio.run(run.all_rounds(options, seeds, work))
    except KeyboardInterrupt:
        return 1
    print("judge: %s after %.0f s; seed%s %s" % ("nothing to object to" if clean else "OFFENCES", time.time() - begun,
                                                "s" if len(seeds) > 1 else "", " ".join(map(str, seeds))))
    if clean and not options.work:
        shutil.rmtree(work, ignore_errors=True)
    elif not options.plan:
        print("judge: data and logs are in " + work)
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
