// When contract sizes changed, since when bars are in doubt because of that until their rows say so, and when the list
// that tells sizes was last read: kept in a file beside the lists, so that the next run knows it. io thread.
#pragma once

#include <map>
#include <string>

#include "cvdd/base/types.hpp"
#include "cvdd/storage/file_sink.hpp"

namespace cvdd {

class UnitHistory {
 public:
  UnitHistory(FileSink& files, std::string file) : files_(files), file_(std::move(file)) {}

  // Lines that can't be read are passed over: their symbols have no history.
  void load();
  // By when `symbol`'s size had changed.
  void changed(const std::string& symbol, Timestamp by) { changed_[symbol] = by; }
  // The same; 0: it has not, as far as is known.
  [[nodiscard]] Timestamp changed_by(const std::string& symbol) const;
  // Bars of `symbol` since then are in doubt, and their rows may not say so yet.
  void doubt(const std::string& symbol, Timestamp from);
  // The same; 0: none are.
  [[nodiscard]] Timestamp doubted_from(const std::string& symbol) const;
  // Their rows say it, or will with the next bar. It is kept until then: the next time that this is saved, or later.
  void told(const std::string& symbol) { doubts_.erase(symbol); }
  // When the list that is in force was read, by the exchange's clock.
  void listed(Timestamp at) { listed_at_ = at; }
  [[nodiscard]] Timestamp listed_at() const { return listed_at_; }
  // When the run before last read one, as far as the disk has it; 0: it does not.
  [[nodiscard]] Timestamp listed_before_at() const { return listed_before_at_; }
  void save() const;

 private:
  FileSink& files_;
  std::string file_;
  std::map<std::string, Timestamp> changed_, doubts_;
  Timestamp listed_at_, listed_before_at_;
};

}  // namespace cvdd
