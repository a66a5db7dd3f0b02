// Contract sizes that change: what was counted meanwhile is in doubt, and when it was is kept beside the files.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "cvdd/base/time_text.hpp"
#include "cvdd/daemon/market_runner.hpp"
#include "cvdd/storage/capture.hpp"

namespace cvdd {

namespace {
constexpr std::size_t units_body_max = std::size_t{1} << 20;
}  // namespace

// Sizes mean something else from some moment on that nobody tells: what was counted since the list before is in doubt,
// and only the exchange's own figures can settle it.
void MarketRunner::change_unit(Instrument& known, const Instrument& found) {
  spdlog::error(
      "the contract size has changed; bars since the list was read last are in doubt market=\"{}\" symbol={} was={} "
      "is={} since={}",
      name(), known.symbol, to_string(known.contract_size), to_string(found.contract_size), format_time(listed_at_));
  known.contract_size = found.contract_size;
  if (context_.capture != nullptr) context_.capture->instrument(known);  // before what is read with it
  intake_.unit_from(known, time_->now());
  if (prover_) prover_->doubt_unit(known, listed_at_, time_->now());
  units_since_[known.symbol] = time_->now();
  save_units();
}

void MarketRunner::note_unit_of_before(const Instrument& instrument, Timestamp last_row) {
  const auto before = std::ranges::find(listed_before_, instrument.symbol, &Instrument::symbol);
  if (before == listed_before_.end() || before->contract_size == instrument.contract_size) return;
  spdlog::error(
      "the contract size has changed since the last run's last list; bars since are in doubt market=\"{}\" symbol={} "
      "was={} is={}",
      name(), instrument.symbol, to_string(before->contract_size), to_string(instrument.contract_size));
  const Timestamp earliest = last_row - Duration{std::chrono::microseconds(relist_every).count()};
  // What a list says may be older than its answer.
  const Timestamp listed = std::max(earliest, std::min(last_row, listed_before_at_ - seconds(1)));
  intake_.doubt_from(instrument, listed);
  intake_.unit_from(instrument, time_->now());
  if (prover_) prover_->doubt_unit(instrument, listed, time_->now());
  units_since_[instrument.symbol] = time_->now();
  save_units();
}

// "symbol,microseconds since 1970" a line, in a file beside the lists; without a symbol: when the list was last read.
void MarketRunner::load_units() {
  std::string text;
  if (context_.files->read(units_file(), 0, units_body_max, text) != 0) return;
  std::string_view rest = text;
  for (auto end = rest.find('\n'); end != rest.npos; end = rest.find('\n')) {
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    const auto comma = line.rfind(',');
    std::int64_t us = 0;
    if (comma == line.npos) continue;
    const char* const stop = line.data() + line.size();
    if (std::from_chars(line.data() + comma + 1, stop, us).ptr == stop) {
      if (comma == 0) {
        listed_before_at_ = {us};
      } else {
        units_since_[std::string(line.substr(0, comma))] = {us};
      }
    }
  }
}

void MarketRunner::save_units() {
  std::string text = "," + std::to_string(listed_at_.us) + "\n";
  for (const auto& [symbol, since] : units_since_) text += symbol + "," + std::to_string(since.us) + "\n";
  if (const int failed = context_.files->replace(units_file(), text); failed != 0) {
    spdlog::warn("can't keep when contract sizes changed file={} reason=\"{}\"", units_file(), std::strerror(failed));
  }
}

std::string MarketRunner::units_file() const {
  return context_.cache_dir + "/units-" + std::string(exchange_.name) + "-" + std::string(name_of(exchange_.market)) +
         ".txt";
}

}  // namespace cvdd
