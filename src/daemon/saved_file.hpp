// Whether a file that is looked at now and then was saved, is still being written, or is gone. Pure: what is there,
// what the system told and the time are arguments.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace cvdd {

class SavedFile {
 public:
  using Time = std::chrono::steady_clock::time_point;
  enum class News : std::uint8_t {
    none,
    saved,  // it says something else, or was written anew as it was, and rests
    gone,   // it has not been there for a while
    back,   // it is there again
  };
  // A writer that was seen to end has said all; where the system does not tell, what stays the same for a moment is
  // whole; and who keeps a file open after writing may go on for a while. All within the two seconds in which a saved
  // file takes effect.
  static constexpr std::chrono::milliseconds rests_after{500}, written_rests_after{1'500}, gone_after{2'000};

  // What is known at the beginning; empty: there is nothing.
  void begin(std::optional<std::string> text);
  // The system told of a write, or that the writer has closed the file or put another in its place.
  void being_written(Time now);
  void written();
  // What is there now (empty: nothing that can be read).
  [[nodiscard]] News look(std::optional<std::string> text, Time now);
  // It should be looked at again soon: it is not as it was last told of.
  [[nodiscard]] bool unsettled() const { return next_.has_value() || absent_since_.has_value(); }

 private:
  enum class Writer : std::uint8_t { unknown, open, done };
  std::optional<std::string> told_;  // what it said when it was last told of
  std::optional<std::string> next_;  // what it says now, if that is something else
  Time changed_{};                   // since when it has said that
  Writer writer_ = Writer::unknown;
  std::optional<Time> absent_since_;
  bool told_gone_ = false;
};

}  // namespace cvdd
