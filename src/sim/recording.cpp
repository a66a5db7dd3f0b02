#include "recording.hpp"

#include <simdjson.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <stdexcept>

#include "binance_protocol.hpp"

namespace cvdd::sim {
namespace {

// Feeds a plain or gzip file piece by piece, so that a recording is never in memory twice.
template <class Use>
void read_pieces(const std::string& path, Use use) {
  std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (!file) throw std::runtime_error("cannot open " + path);
  gzbuffer(file.get(), 256 * 1024);
  std::vector<char> piece(256 * 1024);
  for (;;) {
    const int count = gzread(file.get(), piece.data(), static_cast<unsigned>(piece.size()));
    if (count < 0) throw std::runtime_error("cannot read " + path);
    if (count == 0) return;
    use(std::string_view(piece.data(), static_cast<std::size_t>(count)));
  }
}

class Loader {
 public:
  explicit Loader(Recording& result) : result_(result) {}
  void file(const std::string& entry) {
    std::string path;
    market_ = market_of_file(entry, path);
    last_ = {};
    std::string rest;
    read_pieces(path, [&](std::string_view piece) {
      for (auto end = piece.find('\n'); end != std::string_view::npos; end = piece.find('\n')) {
        rest += piece.substr(0, end);
        line(rest);
        rest.clear();
        piece.remove_prefix(end + 1);
      }
      rest += piece;
    });
    line(rest);
  }

 private:
  void line(std::string_view text) {
    simdjson::dom::element line;
    std::string_view direction, message;
    if (text.empty() || lines_.parse(text.data(), text.size()).get(line) != simdjson::SUCCESS) return;
    if (line["dir"].get(direction) != simdjson::SUCCESS || direction != "in") return;
    if (line["msg"].get(message) != simdjson::SUCCESS) return;
    double received = 0;  // exact enough: microseconds since 1970 fit the 53 bits
    if (line["ts"].get(received) == simdjson::SUCCESS && received > 0 && received < 9e9)
      last_ = {std::llround(received * 1e6)};
    frame(message);
  }
  void frame(std::string_view message) {
    simdjson::dom::element whole, data;
    if (frames_.parse(message.data(), message.size()).get(whole) != simdjson::SUCCESS) return;
    if (!whole.is_object()) return;
    const bool combined = whole["data"].get(data) == simdjson::SUCCESS;
    if (!combined) data = whole;
    std::string_view stream, symbol, event;
    const bool named = data["s"].get(symbol) == simdjson::SUCCESS && data["e"].get(event) == simdjson::SUCCESS;
    TapeInstrument described;
    if (named) described = binance::describe(market_, symbol);
    RecordedFrame made;
    std::string name;
    if (combined && whole["stream"].get(stream) == simdjson::SUCCESS)
      name = stream;
    else if (named)
      name = binance::stream_name(described.instrument, event);
    if (name.empty()) return;
    made.topic = binance::topic_name(market_, name);
    made.received = last_;
    made.market = market_;
    made.text = std::make_shared<const std::string>(message);
    result_.frames.push_back(std::move(made));
    if (named && known_.emplace(std::pair(market_, std::string(symbol)), true).second)
      result_.instruments.push_back(std::move(described));
  }

  Recording& result_;
  simdjson::dom::parser lines_, frames_;
  std::map<std::pair<Market, std::string>, bool> known_;
  Market market_ = Market::spot;
  Timestamp last_;  // a line without a time happened with the one before it
};

}  // namespace

Market market_of_file(std::string_view entry, std::string& path) {
  using Named = std::pair<std::string_view, Market>;
  static constexpr std::array<Named, 3> prefixes = {Named{"spot:", Market::spot}, Named{"linear:", Market::linear},
                                                    Named{"inverse:", Market::inverse}};
  for (const auto& [prefix, market] : prefixes) {
    if (!entry.starts_with(prefix)) continue;
    path = entry.substr(prefix.size());
    return market;
  }
  path = entry;
  const auto slash = entry.rfind('/');
  const std::string_view name = slash == std::string_view::npos ? entry : entry.substr(slash + 1);
  static constexpr std::array<Named, 6> words = {Named{"coinm", Market::inverse},   Named{"coin-m", Market::inverse},
                                                 Named{"inverse", Market::inverse}, Named{"usdm", Market::linear},
                                                 Named{"linear", Market::linear},   Named{"swap", Market::linear}};
  for (const auto& [word, market] : words)
    if (name.find(word) != std::string_view::npos) return market;
  return Market::spot;
}

Market market_of_instruments(std::string_view body) {
  if (body.find("\"U_MARGINED\"") != std::string_view::npos) return Market::linear;
  if (body.find("\"contractSize\"") != std::string_view::npos) return Market::inverse;
  return Market::spot;
}

std::string read_whole(const std::string& path) {
  std::string text;
  read_pieces(path, [&](std::string_view piece) { text += piece; });
  return text;
}

Recording load_recordings(std::span<const std::string> entries) {
  Recording result;
  Loader loader(result);
  for (const std::string& entry : entries) loader.file(entry);
  std::ranges::stable_sort(result.frames, {}, &RecordedFrame::received);
  return result;
}

}  // namespace cvdd::sim
