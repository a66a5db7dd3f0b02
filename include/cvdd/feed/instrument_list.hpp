// An exchange's list of instruments: in one part or several, each of one page or many.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cvdd/exchanges/exchange.hpp"
#include "cvdd/net/transport.hpp"

namespace cvdd {

// What one of an exchange's targets answered. Parts fail alone: the others go on.
struct ListPart {
  enum class State : std::uint8_t {
    read,     // whole; maybe empty
    unknown,  // the exchange does not know what it was asked by: nothing is listed there
    failed,   // for the moment: nobody knows what is listed there
  };
  std::string target;
  State state = State::failed;
  std::vector<Instrument> instruments;
  std::vector<std::string> bodies;  // the answers, in order
  std::string error;                // if it was not read
};

struct InstrumentList {
  std::vector<ListPart> parts;
  [[nodiscard]] bool complete() const;  // no part failed
  [[nodiscard]] std::vector<Instrument> instruments() const;
  [[nodiscard]] std::vector<std::string> bodies() const;
  // Why it can't be used: a part failed, or nothing is listed at all. Empty: it can.
  [[nodiscard]] std::string error() const;
};

// What each part last held, so that a part which fails, or is empty for a moment, ends nobody.
class ListMemory {
 public:
  // The instruments listed now: those of the parts that were read, and for the others what they held before. Of a part
  // that is not known from before, everything that was listed then (`before`) and is on no part now may be its own.
  // `doubtful` is set if anything was kept: the list should be asked for again soon.
  [[nodiscard]] std::vector<Instrument> complete(const InstrumentList& list, const std::vector<Instrument>& before,
                                                 bool& doubtful);
  // A part that has lost more than a third of its instruments, or is not known any more: exchanges take few off their
  // lists at a time, and answer with half of one at times. It is believed when it was said this often in a row.
  static constexpr unsigned shrunk_believed_after = 5;

 private:
  struct Part {
    std::vector<Instrument> instruments;
    unsigned shrunk = 0;  // answers in a row
  };
  std::map<std::string, Part> parts_;
};

// Whom to ask for a list, and how.
using Beside = std::function<asio::awaitable<void>(std::function<void()>)>;
struct ListRequest {
  const Exchange* exchange = nullptr;
  std::vector<Url> hosts;  // what one can't answer the next is asked for
  std::vector<std::string> wanted;
  std::function<std::unique_ptr<HttpGet>()> make_http_get;
  std::function<SteadyTime()> deadline;  // of one part
  // Whether to go on asking, or the reason why not. May be null.
  std::function<bool(std::string& reason)> may_ask;
  // What a refusal asks of us; adds to the reason. May be null.
  std::function<void(const HttpResponse&, std::string& reason)> heed;
  // Does what takes long on another thread. May be null: then it is done here.
  Beside beside = {};
};
inline constexpr std::size_t listed_max = 100'000;  // of one market; more is no list
// `request` must outlive it.
[[nodiscard]] asio::awaitable<InstrumentList> fetch_instrument_list(const ListRequest& request);

// More names than this are not asked for one by one.
inline constexpr std::size_t single_names_max = 20;

// The answers as one text to be kept, and read again. False if the text does not hold a list.
[[nodiscard]] std::string pack_bodies(const std::vector<std::string>& bodies);
[[nodiscard]] std::string pack_bodies(const InstrumentList& list);
[[nodiscard]] bool unpack_instruments(const Exchange& exchange, std::string_view packed,
                                      std::vector<Instrument>& instruments);

}  // namespace cvdd
