#include "catch.hpp"
#include "cvdd/feed/liveness.hpp"

using namespace cvdd;
using namespace std::chrono_literals;
using Verdict = Liveness::Verdict;

namespace {
const Liveness::Time t0{1000h};
}

TEST_CASE("a connection must acknowledge, then bring data, then go on bringing it") {
  Liveness w({}, t0);
  w.waiting_since(t0);
  CHECK(w.deadline() == t0 + 10s);
  CHECK(w.verdict(t0 + 9s) == Verdict::fine);
  CHECK(w.verdict(t0 + 10s) == Verdict::not_acknowledged);
  w.frame(t0 + 1s);
  w.waiting_since(std::nullopt);
  for (auto t = t0; t < t0 + 60s; t += 5s) w.frame(t);  // pings, answers to probes
  CHECK(w.verdict(t0 + 59s) == Verdict::fine);
  CHECK(w.verdict(t0 + 62s) == Verdict::no_first_frame);
  w.data(t0 + 60s);
  for (auto t = t0 + 60s; t < t0 + 125s; t += 5s) w.frame(t);
  CHECK(w.verdict(t0 + 119s) == Verdict::fine);
  CHECK(w.verdict(t0 + 121s) == Verdict::silent);  // alive and mute
}

TEST_CASE("messages read at once count as if they had come one after the other") {
  LivenessLimits limits;
  limits.silence = 600s;
  Liveness one(limits, t0), together(limits, t0);
  one.data(t0);
  together.data(t0);
  for (int batch = 1; batch <= 40; ++batch) {
    for (int i = 1; i <= 7; ++i) one.data(t0 + batch * 7s - 7s + i * 1s);
    together.data(t0 + batch * 7s, 7);
  }
  CHECK(one.silence() == 200s);
  CHECK(together.silence() > 195s);
  CHECK(together.silence() < 205s);
}

TEST_CASE("no frame of any kind means dead within 30 s, and a probe is sent before") {
  Liveness w({}, t0);
  w.data(t0);
  CHECK_FALSE(w.wants_probe(t0 + 11s));
  CHECK(w.wants_probe(t0 + 12s));
  CHECK(w.verdict(t0 + 24s) == Verdict::fine);
  CHECK(w.verdict(t0 + 25s) == Verdict::dead);
}
