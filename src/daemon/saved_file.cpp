#include "saved_file.hpp"

#include <algorithm>
#include <utility>

namespace cvdd {

void SavedFile::begin(std::optional<std::string> text) { told_ = std::move(text); }

void SavedFile::being_written(Time now) {
  writer_ = Writer::open;
  changed_ = std::max(changed_, now);
}

void SavedFile::written() { writer_ = Writer::done; }

SavedFile::News SavedFile::look(std::optional<std::string> text, Time now) {
  if (!text) {
    next_.reset();
    if (!absent_since_) absent_since_ = now;
    if (told_gone_ || now - *absent_since_ < gone_after) return News::none;
    told_gone_ = true;
    return News::gone;
  }
  absent_since_.reset();
  if (text == told_) {
    next_.reset();
    // Whoever saves the same once more waits for an answer once more.
    if (writer_ == Writer::done) {
      writer_ = Writer::unknown;
      told_gone_ = false;
      return News::saved;
    }
    return std::exchange(told_gone_, false) ? News::back : News::none;
  }
  if (text != next_) {
    next_ = std::move(text);
    changed_ = std::max(changed_, now);
  }
  const bool rests =
      writer_ == Writer::done || now - changed_ >= (writer_ == Writer::open ? written_rests_after : rests_after);
  if (!rests) return News::none;
  told_ = std::move(next_);
  next_.reset();
  told_gone_ = false;
  writer_ = Writer::unknown;
  return News::saved;
}

}  // namespace cvdd
