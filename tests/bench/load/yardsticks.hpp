// What the daemon is compared with. Each runs as a process of its own until the server hangs up, and then tells its
// latencies on standard error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace cvdd::load {

// SSL_read with read-ahead into one buffer, frames walked, simdjson, a sum: what OpenSSL allows. A thread a connection.
// `hops`: and then through cvdd's queues to one thread more: what two threads in a row allow.
int floor_client(std::uint16_t port, const std::string& ca, std::size_t connections, bool hops);
// The same in one thread that sleeps 10 ms, takes what all connections have, and sleeps again: what OpenSSL and the
// system allow who is woken as rarely as the daemon by default.
int ticking_floor_client(std::uint16_t port, const std::string& ca, std::size_t connections);
// Beast's websocket stream, one coroutine resume per message, simdjson, a sum.
int naive_client(std::uint16_t port, const std::string& ca, std::size_t connections);

}  // namespace cvdd::load
