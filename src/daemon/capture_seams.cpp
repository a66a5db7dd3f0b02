#include "capture_seams.hpp"

#include <array>

namespace cvdd {

namespace {
std::string address_of(const Url& url, std::string_view target) {
  return url.scheme + "://" + url.host + ":" + url.port + url.path + std::string(target);
}

class CapturedTransport final : public Transport {
 public:
  CapturedTransport(std::unique_ptr<Transport> inner, Capture& capture, ConnectionNote whose)
      : inner_(std::move(inner)), capture_(capture), whose_(std::move(whose)) {}
  ~CapturedTransport() override { end(); }

  asio::awaitable<Result<void>> connect(const Url& url, std::string_view target, SteadyTime deadline) override {
    const std::string address = address_of(url, target);
    auto connected = co_await inner_->connect(url, target, deadline);
    if (connected.has_value()) {
      whose_.url = address;
      number_ = capture_.connection(whose_);
      capture_.opened(number_);
    }
    co_return connected;
  }
  asio::awaitable<Result<std::span<const std::string_view>>> read(SteadyTime deadline) override {
    auto messages = co_await inner_->read(deadline);
    if (messages.has_value()) capture_.received(number_, *messages);
    co_return messages;
  }
  asio::awaitable<Result<void>> write(std::string_view text, SteadyTime deadline) override {
    capture_.sent(number_, text);
    co_return co_await inner_->write(text, deadline);
  }
  asio::awaitable<Result<void>> ping(SteadyTime deadline) override { co_return co_await inner_->ping(deadline); }
  asio::awaitable<void> close(SteadyTime deadline) override {
    end();
    co_await inner_->close(deadline);
  }
  [[nodiscard]] SteadyTime last_frame() const override { return inner_->last_frame(); }
  [[nodiscard]] std::optional<HttpRefusal> last_refusal() const override { return inner_->last_refusal(); }
  [[nodiscard]] const std::string& last_error_detail() const override { return inner_->last_error_detail(); }

 private:
  void end() {
    if (number_ != 0) capture_.closed(std::exchange(number_, 0));
  }
  std::unique_ptr<Transport> inner_;
  Capture& capture_;
  ConnectionNote whose_;
  std::uint32_t number_ = 0;
};

class CapturedHttpGet final : public HttpGet {
 public:
  CapturedHttpGet(std::unique_ptr<HttpGet> inner, Capture& capture, ConnectionNote whose)
      : inner_(std::move(inner)), capture_(capture), whose_(std::move(whose)) {}

  // What it says is captured once its answer is there: a question is a connection of its own.
  asio::awaitable<Result<HttpResponse>> get(const Url& url, std::string_view target, SteadyTime deadline,
                                            std::size_t body_max) override {
    const std::string address = address_of(url, target);
    auto response = co_await inner_->get(url, target, deadline, body_max);
    if (!response.has_value()) co_return response;
    whose_.url = address;
    const std::uint32_t number = capture_.connection(whose_);
    capture_.sent(number, "GET " + address);
    if (response->status != 200) capture_.note(number, StatusNote{response->status});
    const std::array<std::string_view, 1> body{response->body};
    capture_.received(number, body);
    capture_.closed(number);
    co_return response;
  }
  [[nodiscard]] const std::string& last_error_detail() const override { return inner_->last_error_detail(); }

 private:
  std::unique_ptr<HttpGet> inner_;
  Capture& capture_;
  ConnectionNote whose_;
};

ConnectionNote note_of(const std::string& exchange, Market market, bool answers) {
  ConnectionNote note;
  note.exchange = exchange;
  note.market = market;
  note.answers = answers;
  return note;
}
}  // namespace

MakeTransport captured(MakeTransport make, Capture& capture, std::string exchange, Market market) {
  if (!capture.wants(exchange)) return make;
  return [make = std::move(make), &capture, exchange = std::move(exchange), market] {
    return std::make_unique<CapturedTransport>(make(), capture, note_of(exchange, market, false));
  };
}

MakeHttpGet captured(MakeHttpGet make, Capture& capture, std::string exchange, Market market) {
  if (!capture.wants(exchange)) return make;
  return [make = std::move(make), &capture, exchange = std::move(exchange), market] {
    return std::make_unique<CapturedHttpGet>(make(), capture, note_of(exchange, market, true));
  };
}

}  // namespace cvdd
