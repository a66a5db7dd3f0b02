// A market's other half: what is kept beside the trades of who is collected.
#include "context_feed.hpp"
#include "cvdd/daemon/market_runner.hpp"
#include "market_connections.hpp"

namespace cvdd {

void MarketRunner::begin_context(std::span<const Instrument* const> instruments) {
  // Bars that end by the trades' times have no end that a price could stand at.
  if (context_.context.empty() || context_.event_time) return;
  if (!context_feed_) {
    ContextFeedContext c;
    c.market = &context_;
    c.exchange = &exchange_;
    c.time = time_;
    c.ws_hosts = ws_hosts_;
    c.rest_hosts = rest_hosts_;
    c.stream = stream_;
    c.heed = [this](const HttpResponse& response, std::string& error) { heed(response, error); };
    c.name = name();
    context_feed_ = std::make_unique<ContextFeed>(std::move(c));
  }
  context_feed_->begin(instruments, context_.context);
}

void MarketRunner::end_context(std::span<const Instrument* const> instruments) {
  if (context_feed_) context_feed_->end(instruments);
}

// Who is collected already is begun anew with other kinds.
void MarketRunner::want_context(DataKinds kinds) {
  if (kinds == context_.context) return;
  context_.context = kinds;
  if (stopping_) return;
  std::vector<const Instrument*> all;
  for (const auto& [instrument, connection] : connections_->carried()) all.push_back(instrument);
  end_context(all);
  begin_context(all);
}

const ContextIntake* MarketRunner::context() const { return context_feed_ ? &context_feed_->intake() : nullptr; }

void MarketRunner::flush_context() {
  if (context_feed_) context_feed_->flush();
}

}  // namespace cvdd
