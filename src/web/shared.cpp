#include "shared.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "beside.hpp"

namespace cvdd::web {

namespace asio = boost::asio;

namespace {
constexpr auto await_tuple = asio::as_tuple(asio::use_awaitable);

// Undone however the coroutine ends.
template <class Undo>
struct Finally {
  Undo undo;
  ~Finally() { undo(); }
};
template <class Undo>
Finally(Undo) -> Finally<Undo>;

}  // namespace

Slices::Slices(asio::any_io_executor executor, Allowance& allowance)
    : executor_(std::move(executor)), allowance_(allowance), begin_(std::chrono::steady_clock::now()) {}

void Slices::end() {
  const auto now = std::chrono::steady_clock::now();
  allowance_.spend(std::chrono::duration_cast<std::chrono::microseconds>(now - begin_), now);
  begin_ = now;
}

asio::awaitable<void> Slices::turn() {
  if (std::chrono::steady_clock::now() - begin_ < slice) co_return;
  end();
  // At once, it would only wait behind what is ready already; so it gives way to what comes, too.
  asio::steady_timer pause(executor_, std::chrono::milliseconds(1));
  co_await pause.async_wait(await_tuple);
  begin_ = std::chrono::steady_clock::now();
}

SharedAnswers::SharedAnswers(asio::any_io_executor executor, Allowance& allowance, asio::thread_pool& beside)
    : executor_(std::move(executor)), allowance_(allowance), beside_(beside) {}

asio::awaitable<void> SharedAnswers::wait(Entry& entry) { co_await entry.changed.async_wait(await_tuple); }

asio::awaitable<void> SharedAnswers::until_allowed() {
  asio::steady_timer pause(executor_);
  while (true) {
    const auto more = allowance_.wait();
    if (more.count() == 0) co_return;
    pause.expires_after(more);
    co_await pause.async_wait(await_tuple);
  }
}

asio::awaitable<Body> SharedAnswers::get(const char* name, const Make& make_it, bool& packed) {
  const auto found = entries_.find(name);
  const std::shared_ptr<Entry> entry = found != entries_.end()
                                           ? found->second
                                           : entries_.emplace(name, std::make_shared<Entry>(executor_)).first->second;
  const Time asked = entry->asked = std::chrono::steady_clock::now();
  while (!entry->plain || entry->made + fresh < asked) {
    if (entry->making || busy_) {
      co_await wait(*entry);
    } else {
      co_await make(*entry, make_it);
    }
  }
  const Body plain = entry->plain;
  if (packed && plain->size() >= worth_packing) {
    while (entry->plain == plain && !entry->packed) {
      if (entry->packing) {
        co_await wait(*entry);
      } else {
        co_await pack(*entry);
      }
    }
    if (entry->plain == plain && entry->packed) co_return entry->packed;
  }
  packed = false;
  co_return plain;
}

asio::awaitable<void> SharedAnswers::make(Entry& entry, const Make& make_it) {
  busy_ = entry.making = true;
  const Finally done{[&] {
    busy_ = entry.making = false;
    for (const auto& [name, each] : entries_) each->changed.cancel();
  }};
  co_await until_allowed();
  // Whoever is still taking it keeps it.
  entry.plain.reset();
  entry.packed.reset();
  std::string out;
  out.reserve(entry.size + entry.size / 16);
  Slices slices(executor_, allowance_);
  const Time begun = std::chrono::steady_clock::now();
  co_await make_it(out, slices);
  slices.end();
  entry.size = out.size();
  entry.plain = std::make_shared<const std::string>(std::move(out));
  entry.made = begun;
}

asio::awaitable<void> SharedAnswers::pack(Entry& entry) {
  entry.packing = true;
  const Finally done{[&] {
    entry.packing = false;
    entry.changed.cancel();
  }};
  const Body plain = entry.plain;
  auto work = [plain, &allowance = allowance_]() -> asio::awaitable<Body> {
    step_back();
    const auto begin = thread_time();
    auto out = std::make_shared<const std::string>(gzip(*plain));
    allowance.spend(thread_time() - begin);
    co_return out;
  };
  Body out = co_await asio::co_spawn(beside_, std::move(work), asio::use_awaitable);
  if (entry.plain == plain) entry.packed = std::move(out);
}

void SharedAnswers::tidy() {
  const Time now = std::chrono::steady_clock::now();
  std::erase_if(entries_, [&](const auto& e) {
    return !e.second->making && !e.second->packing && e.second->asked + kept < now && e.second->made + kept < now;
  });
}

}  // namespace cvdd::web
