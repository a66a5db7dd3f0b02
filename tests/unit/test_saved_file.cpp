// When a file counts as saved: whoever writes it slowly, empties it, or takes it away for a moment ends nothing.
#include "catch.hpp"
#include "daemon/saved_file.hpp"

using namespace cvdd;
using namespace std::chrono_literals;
using News = SavedFile::News;

namespace {
const SavedFile::Time t0{1000h};
}

TEST_CASE("a file that its writer has closed, or put in another's place, is saved at once; the same text is no news") {
  SavedFile file;
  file.begin("old");
  CHECK(file.look("old", t0) == News::none);
  file.being_written(t0 + 1s);
  file.written();
  CHECK(file.look("new", t0 + 1s) == News::saved);
  CHECK(file.look("new", t0 + 2s) == News::none);
  CHECK_FALSE(file.unsettled());
}

TEST_CASE("who saves the same text once more is answered once more") {
  SavedFile file;
  file.begin("wrong");
  file.being_written(t0);
  CHECK(file.look("wrong", t0 + 150ms) == News::none);  // being written yet
  file.written();
  CHECK(file.look("wrong", t0 + 200ms) == News::saved);
  CHECK(file.look("wrong", t0 + 400ms) == News::none);
  file.written();
  CHECK(file.look("wrong", t0 + 1s) == News::saved);
}

TEST_CASE("a slow writer is not read half; whoever keeps the file open is believed when it rests") {
  SavedFile file;
  file.begin("old");
  file.being_written(t0);  // it was emptied
  CHECK(file.look("", t0 + 150ms) == News::none);
  CHECK(file.unsettled());
  for (int i = 1; i <= 20; ++i) {
    file.being_written(t0 + i * 1'000ms);
    CHECK(file.look("part " + std::to_string(i), t0 + i * 1'000ms + 150ms) == News::none);
  }
  CHECK(file.look("part 20", t0 + 21'600ms) == News::none);
  SavedFile closed = file;
  closed.written();
  CHECK(closed.look("part 20", t0 + 21'400ms) == News::saved);
  CHECK(file.look("part 20", t0 + 21'650ms) == News::saved);
}

TEST_CASE("where nobody tells of writes, what stays the same for a moment is whole") {
  SavedFile file;
  file.begin("old");
  CHECK(file.look("ha", t0) == News::none);
  CHECK(file.look("half", t0 + 400ms) == News::none);
  CHECK(file.look("half", t0 + 800ms) == News::none);
  CHECK(file.look("half", t0 + 900ms) == News::saved);
  // Back to what it was before it rested: nothing happened.
  CHECK(file.look("x", t0 + 2s) == News::none);
  CHECK(file.look("half", t0 + 2s + 100ms) == News::none);
  CHECK_FALSE(file.unsettled());
}

TEST_CASE("a file that is gone for a moment is no news; one that stays away is told of once, and when it is back") {
  SavedFile file;
  file.begin("text");
  CHECK(file.look(std::nullopt, t0) == News::none);
  CHECK(file.look(std::nullopt, t0 + 1'900ms) == News::none);
  CHECK(file.look("text", t0 + 1'950ms) == News::none);
  CHECK(file.look(std::nullopt, t0 + 10s) == News::none);
  CHECK(file.look(std::nullopt, t0 + 12s) == News::gone);
  CHECK(file.look(std::nullopt, t0 + 99s) == News::none);
  CHECK(file.look("text", t0 + 100s) == News::back);
  CHECK(file.look(std::nullopt, t0 + 200s) == News::none);
  CHECK(file.look(std::nullopt, t0 + 202s) == News::gone);
  file.written();
  CHECK(file.look("other", t0 + 203s) == News::saved);
}
