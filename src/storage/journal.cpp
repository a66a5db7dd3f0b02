#include "cvdd/storage/journal.hpp"

#include <zlib.h>

#include <charconv>

namespace cvdd {

namespace {
constexpr std::string_view magic = "cvdd-journal 1 ";

std::uint32_t checksum(std::string_view text) {
  return static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const unsigned char*>(text.data()), text.size()));
}

// Takes a number that ends at `end` off the front.
template <class Number>
bool take_number(std::string_view& text, char end, Number& out) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || stop == text.data() + text.size() || *stop != end) return false;
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()) + 1);
  return true;
}
}  // namespace

std::string encode_journal(const std::vector<JournalPart>& parts) {
  std::string body;
  for (const JournalPart& part : parts) {
    body += part.name + ' ' + std::to_string(part.offset) + ' ' + std::to_string(part.text.size()) + '\n';
    body += part.text;
  }
  return std::string(magic) + std::to_string(checksum(body)) + ' ' + std::to_string(body.size()) + '\n' + body;
}

std::optional<std::vector<JournalPart>> decode_journal(std::string_view text) {
  if (!text.starts_with(magic)) return std::nullopt;
  text.remove_prefix(magic.size());
  std::uint32_t crc = 0;
  std::size_t size = 0;
  if (!take_number(text, ' ', crc) || !take_number(text, '\n', size) || size > text.size()) return std::nullopt;
  text = text.substr(0, size);
  if (checksum(text) != crc) return std::nullopt;
  std::vector<JournalPart> parts;
  while (!text.empty()) {
    JournalPart part;
    std::size_t length = 0;
    const auto space = text.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    part.name = text.substr(0, space);
    text.remove_prefix(space + 1);
    if (!take_number(text, ' ', part.offset) || !take_number(text, '\n', length) || length > text.size()) {
      return std::nullopt;
    }
    part.text = text.substr(0, length);
    text.remove_prefix(length);
    parts.push_back(std::move(part));
  }
  return parts;
}

Redo judge_redo(const JournalPart& part, std::string_view there) {
  if (there.size() >= part.text.size()) return there.starts_with(part.text) ? Redo::nothing : Redo::foreign;
  return std::string_view(part.text).starts_with(there) ? Redo::complete : Redo::foreign;
}

}  // namespace cvdd
