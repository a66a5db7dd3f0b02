// Frames by hand after RFC 6455, cut at every place, lying about their length, and random bytes.
#include <random>

#include "catch.hpp"
#include "net/frames.hpp"

using namespace cvdd;

namespace {
std::string frame(unsigned char head, std::string_view payload) {
  std::string out(1, static_cast<char>(head));
  if (payload.size() < 126) {
    out += static_cast<char>(payload.size());
  } else {
    const bool small = payload.size() <= 0xFFFF;
    out += static_cast<char>(small ? 126 : 127);
    for (int shift = small ? 8 : 56; shift >= 0; shift -= 8) out += static_cast<char>(payload.size() >> shift & 0xFFU);
  }
  return out.append(payload);
}
std::vector<std::string> texts(const FrameWalk::Batch& batch) { return {batch.messages.begin(), batch.messages.end()}; }
using Texts = std::vector<std::string>;
}  // namespace

TEST_CASE("frames: all whole messages at once, the rest waits") {
  FrameWalk walk(1 << 20);
  FrameWalk::Batch out;
  const std::string long_one(70'000, 'x'), middle(300, 'y');
  const std::string all = frame(0x81, "one") + frame(0x82, middle) + frame(0x81, "") + frame(0x81, long_one);
  walk.walk(all, out);
  CHECK(texts(out) == Texts{"one", middle, "", long_one});
  CHECK((out.consumed == all.size() && out.error == nullptr));
  CHECK(out.messages[0].data() == all.data() + 2);  // where it lies
  // Cut anywhere, the same messages come out in two steps.
  for (std::size_t cut = 0; cut <= 400; ++cut) {
    FrameWalk two(1 << 20);
    two.walk(std::string_view(all).substr(0, cut), out);
    Texts got = texts(out);
    const std::size_t consumed = out.consumed;
    REQUIRE((consumed <= cut && out.error == nullptr));
    two.walk(std::string_view(all).substr(consumed), out);
    for (const auto m : out.messages) got.emplace_back(m);
    REQUIRE(got == Texts{"one", middle, "", long_one});
  }
  walk.walk(std::string_view(all).substr(all.size() - 70'010, 5'000), out);
  CHECK(out.wanted == 70'010);
}

TEST_CASE("frames: however many there are, a walk takes a thousand of them, and the next goes on") {
  std::string all;
  for (int i = 0; i < 3'000; ++i) all += frame(i % 3 == 0 ? 0x89 : 0x81, "");
  FrameWalk walk(1 << 20);
  FrameWalk::Batch out;
  std::size_t frames = 0, begin = 0, walks = 0;
  do {
    walk.walk(std::string_view(all).substr(begin), out);
    const std::size_t now = out.messages.size() + out.controls.size();
    CHECK(now <= FrameWalk::frames_max);
    frames += now;
    begin += out.consumed;
    ++walks;
  } while (out.more);
  CHECK((frames == 3'000 && begin == all.size() && walks == 3));
}

TEST_CASE("frames: those that bring nothing are counted") {
  const auto idle = [](const std::string& bytes) {
    FrameWalk walk(1 << 20);
    FrameWalk::Batch out;
    walk.walk(bytes, out);
    CHECK(out.consumed == bytes.size());
    return out.idle;
  };
  const std::string trade(100, 't'), shortest(FrameWalk::idle_below, 's');
  CHECK(idle(frame(0x81, trade) + frame(0x82, shortest)) == 0);
  CHECK(idle(frame(0x81, "") + frame(0x82, "pong") + frame(0x81, shortest.substr(1))) == 3);
  CHECK(idle(frame(0x89, trade) + frame(0x8A, "") + frame(0x88, "")) == 3);
  // An empty fragment that ends a message of some length is a habit; others are not.
  CHECK(idle(frame(0x01, trade) + frame(0x80, "")) == 0);
  CHECK(idle(frame(0x01, trade) + frame(0x00, "") + frame(0x00, "x") + frame(0x80, "")) == 2);
  CHECK(idle(frame(0x01, "") + frame(0x80, "")) == 2);
}

TEST_CASE("frames: fragments are put together, control frames come between them") {
  FrameWalk walk(1 << 20);
  FrameWalk::Batch out;
  const std::string first = frame(0x01, "one ") + frame(0x89, "ping") + frame(0x00, "two ") + frame(0x8A, "");
  walk.walk(first, out);
  CHECK(out.messages.empty());
  REQUIRE(out.controls.size() == 2);
  CHECK((out.controls[0].kind == ControlFrame::Kind::ping && out.controls[0].payload == "ping"));
  CHECK(out.controls[1].kind == ControlFrame::Kind::pong);
  const std::string second = frame(0x80, "three") + frame(0x81, "next") + frame(0x02, "a") + frame(0x80, "b");
  walk.walk(second, out);
  CHECK(texts(out) == Texts{"one two three", "next", "ab"});
  const std::string third = frame(0x88, std::string("\x03\xe8") + "bye") + frame(0x81, "after");
  walk.walk(third, out);
  CHECK(out.messages.empty());
  REQUIRE(out.controls.size() == 1);
  CHECK((out.controls[0].kind == ControlFrame::Kind::close && out.controls[0].payload.substr(2) == "bye"));
}

TEST_CASE("frames: what breaks the protocol is said, what came before it counts") {
  const std::string masked = std::string("\x81\x83", 2) + "abcdxyz";
  const std::string lying = std::string("\x81\x7E\x00\x05", 4) + "hello";
  const std::string lying_more = std::string("\x81\x7F\x00\x00\x00\x00\x00\x00\x01\x00", 10) + std::string(256, 'x');
  const std::string huge("\x81\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 10);
  for (const std::string& bad :
       {masked, lying, lying_more, huge, frame(0xC1, "rsv"), frame(0x83, "kind"), frame(0x8B, "kind"),
        frame(0x80, "continues nothing"), frame(0x01, "begins") + frame(0x81, "and begins again"),
        frame(0x09, "ping in fragments"), frame(0x89, std::string(126, 'p')), frame(0x88, "x"),
        frame(0x81, std::string(1 << 20, 'x') + "y"),
        frame(0x01, std::string(1 << 19, 'x')) + frame(0x80, std::string((1 << 19) + 1, 'x'))}) {
    FrameWalk walk(1 << 20);
    FrameWalk::Batch out;
    const std::string all = frame(0x81, "good") + bad;
    walk.walk(all, out);
    CHECK(texts(out) == Texts{"good"});
    CHECK(out.error != nullptr);
  }
}

TEST_CASE("frames: random bytes never read past the end, and every message lies inside") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes(random() % 200, '\0');
    for (char& c : bytes) c = static_cast<char>(random() % 4 == 0 ? 0x81 : random() % 256);
    const std::string copy(bytes);
    FrameWalk walk(4'096);
    FrameWalk::Batch out;
    walk.walk(copy, out);
    REQUIRE(out.consumed <= copy.size());
    for (const std::string_view m : out.messages) REQUIRE(m.size() <= 4'096);
  }
}

TEST_CASE("frames: what we send is masked, and reads back") {
  for (const std::size_t size : {0UL, 125UL, 126UL, 65'535UL, 65'536UL}) {
    const std::string payload(size, 'p');
    std::string out;
    append_frame(out, Opcode::text, payload, 0xA1B2C3D4);
    CHECK(static_cast<unsigned char>(out[0]) == 0x81);
    CHECK((static_cast<unsigned char>(out[1]) & 0x80U) != 0);
    const std::size_t head = out.size() - size;
    std::string plain;
    for (std::size_t i = 0; i < size; ++i) plain += static_cast<char>(out[head + i] ^ out[head - 4 + i % 4]);
    CHECK(plain == payload);
  }
}
