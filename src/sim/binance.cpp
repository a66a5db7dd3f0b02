// The simulated Binance as a protocol: three markets, each with its own hosts and doors.
#include "binance_protocol.hpp"
#include "simulated.hpp"

namespace cvdd::sim {

namespace {
constexpr Description descriptions[] = {{Market::spot, "{}USDT", "USDT", ""},
                                        {Market::linear, "{}USDT", "USDT", "USDT"},
                                        {Market::inverse, "{}USD_PERP", "USD", "{}"}};

using binance::topic_name;
std::string_view stream_of(std::string_view topic) { return topic.substr(9); }

class Talk final : public Conversation {
 public:
  Talk(Market market, binance::Entry entry, ConversationLimits limits)
      : market_(market),
        door_(entry.door),
        combined_(entry.combined),
        asked_(std::move(entry.streams)),
        limits_(limits) {}

  void opened(Said& said) override {
    if (!asked_.empty()) subscribe(asked_, "", said);
  }

  void hear(std::string_view text, Timestamp, Said& said) override {
    const auto request = binance::parse_request(market_, text);
    switch (request.method) {
      case binance::Method::bad:
        return said.answers.push_back(request.error);
      case binance::Method::subscribe:
        return subscribe(request.streams, request.id, said);
      case binance::Method::unsubscribe:
        for (const std::string& stream : request.streams) {
          if (streams_.erase(stream) > 0) said.leave.push_back(topic_name(market_, stream));
        }
        return said.answers.push_back(binance::acknowledgement(request.id));
      case binance::Method::list:
        return said.answers.push_back(binance::stream_list(std::vector(streams_.begin(), streams_.end()), request.id));
      case binance::Method::set_property:
        combined_ = request.combined;
        return said.answers.push_back(binance::acknowledgement(request.id));
      case binance::Method::get_property:
        return said.answers.push_back(std::string(R"({"result":)") + (combined_ ? "true" : "false") + R"(,"id":)" +
                                      request.id + "}");
    }
  }

  [[nodiscard]] bool wraps() const override { return combined_; }
  [[nodiscard]] std::uint32_t messages_per_second() const override { return market_ == Market::spot ? 5 : 10; }

 private:
  // `id` empty: asked by the address, which is not acknowledged.
  void subscribe(const std::vector<std::string>& streams, std::string_view id, Said& said) {
    std::set<std::string> fresh;
    for (const std::string& stream : streams)
      if (!streams_.contains(stream)) fresh.insert(stream);
    if (streams_.size() + fresh.size() > limits_.topics) {
      said.violation = true;
      said.answers.push_back(
          binance::error_answer(market_, 2, "Invalid request: too many streams", id.empty() ? "null" : id));
      said.farewell = "Invalid request";
      return;
    }
    if (!id.empty()) said.answers.push_back(binance::acknowledgement(id));
    for (const std::string& stream : fresh) {
      if (binance::delivers(market_, door_, stream)) said.listen.push_back(topic_name(market_, stream));
    }
    streams_.merge(fresh);
  }

  Market market_;
  binance::Door door_;
  bool combined_;
  std::vector<std::string> asked_;  // by the address
  ConversationLimits limits_;
  std::set<std::string> streams_;
};

class Binance final : public Simulated {
 public:
  Binance() : Simulated("binance", descriptions) {}

  [[nodiscard]] bool owns(Address& address) const override {
    const auto has = [&](std::string_view host, std::string_view path) {
      return address.host.starts_with(host) || address.path.starts_with(path);
    };
    if (address.market) return address.exchange == name();
    if (has("fstream.binance.", "/fapi/")) {
      address.market = Market::linear;
    } else if (has("dstream.binance.", "/dapi/")) {
      address.market = Market::inverse;
    } else if (has("stream.binance.", "/api/v3/") || address.host.starts_with("data-stream.binance.")) {
      address.market = Market::spot;
    }
    return address.market.has_value();
  }

  [[nodiscard]] std::unique_ptr<Conversation> open(const Address& address, const Tape*,
                                                   ConversationLimits limits) const override {
    auto entry = binance::parse_entry(address);
    if (!entry) return nullptr;
    return std::make_unique<Talk>(*address.market, std::move(*entry), limits);
  }

  [[nodiscard]] Answer rest(const Address& address, const Tape* tape, std::string_view given,
                            Timestamp now) const override {
    return binance::rest(address, tape, given, now);
  }

  [[nodiscard]] std::vector<std::string> topics(const TapeInstrument& what) const override {
    return {topic_name(what.instrument.market, binance::stream_name(what.instrument, "aggTrade")),
            topic_name(what.instrument.market, binance::stream_name(what.instrument, "trade"))};
  }

  void frames(const TapeInstrument& what, std::size_t topic, std::span<const TapeTrade> trades, Timestamp now,
              std::vector<std::string>& out) const override {
    for (const TapeTrade& trade : trades) {
      if (topic == 0) out.push_back(binance::aggregate_frame(what, trade, now));
      for (std::uint64_t fill = trade.first_fill; topic == 1 && fill <= trade.last_fill; ++fill) {
        out.push_back(binance::single_frame(what, trade, fill, now));
      }
    }
  }

  [[nodiscard]] std::vector<std::string> context_topics(const TapeInstrument& what) const override {
    std::vector<std::string> topics;
    for (const std::string_view kind : binance::context_streams(what.instrument.market)) {
      topics.push_back(topic_name(what.instrument.market, binance::stream_name(what.instrument, kind)));
    }
    return topics;
  }
  [[nodiscard]] std::string context_frame(const TapeInstrument& what, std::size_t topic,
                                          Timestamp second) const override {
    return binance::context_frame(what, binance::context_streams(what.instrument.market)[topic], second);
  }

  [[nodiscard]] std::string wrapped(std::string_view topic, std::string_view frame) const override {
    return binance::wrapped(stream_of(topic), frame);
  }

  [[nodiscard]] std::uint32_t weight_per_minute(const Address& address) const override {
    return address.market == Market::spot ? 6'000 : 2'400;
  }
  [[nodiscard]] std::string foreign_frame() const override {
    return R"({"e":"aggTrade","s":"NOSUCH","a":1,"p":"1","q":"1","f":1,"l":1,"T":1,"m":true})";
  }

 protected:
  void complete(TapeInstrument& made) const override {
    Instrument& what = made.instrument;
    if (what.market == Market::inverse) what.contract_size = what.base == "BTC" ? Decimal{100, 0} : Decimal{10, 0};
  }
};
}  // namespace

std::string binance::topic_name(Market market, std::string_view stream) {
  return "binance:" + std::string(1, static_cast<char>('0' + static_cast<int>(market))) + std::string(stream);
}

const Protocol& simulated_binance() {
  static const Binance protocol;
  return protocol;
}

}  // namespace cvdd::sim
