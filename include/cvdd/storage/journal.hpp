// The redo journal: the last batch of rows as it is about to be written, so that a batch which a crash tore can be
// completed. One write(2) is not atomic under SIGKILL. Pure: text in, text out; docs/files.md has the format.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cvdd {

// Bytes that belong at `offset` of a file.
struct JournalPart {
  std::string name;  // of the file, without its directory
  std::uint64_t offset = 0;
  std::string text;
  friend bool operator==(const JournalPart&, const JournalPart&) = default;
};

[[nodiscard]] std::string encode_journal(const std::vector<JournalPart>& parts);
// Empty if the text is no whole journal (torn, damaged, or of another version): then the batch was never begun, or the
// disk lost it. What follows the journal in `text` (of a longer, older one) is ignored.
[[nodiscard]] std::optional<std::vector<JournalPart>> decode_journal(std::string_view text);

// What to do about one part, given what the file holds from `part.offset` on ("" if it ends before or there).
enum class Redo : std::uint8_t {
  nothing,   // all of it is there
  complete,  // a beginning of it is there: append the rest
  foreign,   // something else is there: leave the file alone
};
[[nodiscard]] Redo judge_redo(const JournalPart& part, std::string_view there);

}  // namespace cvdd
