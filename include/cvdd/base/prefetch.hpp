// Woken by a few messages for as many instruments, a thread with cold caches waits for memory again and again, one line
// after the other. What is known to be needed soon is better asked for at once. Any thread; of no other effect.
#pragma once

#include <cstddef>

namespace cvdd {

// `size`: how much of it is used most.
template <class T>
void prefetch(const T& object, std::size_t size = sizeof(T)) {
  constexpr std::size_t line = 64;
  for (std::size_t at = 0; at < size; at += line) __builtin_prefetch(reinterpret_cast<const char*>(&object) + at);
}

}  // namespace cvdd
