// What is fuzzed: each takes any bytes, and aborts if a promise is broken. libFuzzer calls them (CVDD_FUZZ, clang), and
// so does cvdd_fuzz with bytes of its own making.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cvdd::fuzz {

// The frame reader: whatever the bytes and however they are cut, views lie inside, and the cut changes nothing.
void frames(const std::uint8_t* data, std::size_t size);
// Every exchange's parser, as a message and as each of its REST answers.
void messages(const std::uint8_t* data, std::size_t size);
// A row's text and back: what is read is what would be written.
void rows(const std::uint8_t* data, std::size_t size);

// The answer to an upgrade, refusals with chunked bodies among them: however it is cut, the same comes of it.
void upgrades(const std::uint8_t* data, std::size_t size);
// A request of the HTTP server, taken apart as far as its parameters go.
void requests(const std::uint8_t* data, std::size_t size);
// A configuration, and as a symbol list.
void toml(const std::uint8_t* data, std::size_t size);
// What clients of the page's stream say that they want.
void wants(const std::uint8_t* data, std::size_t size);
// Foreign words: what may be printed of them.
void words(const std::uint8_t* data, std::size_t size);

}  // namespace cvdd::fuzz
