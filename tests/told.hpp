// What was made of a message, as text: two ways of reading are compared by it.
#pragma once

#include <string>

#include "cvdd/exchanges/exchange.hpp"

namespace cvdd {

inline std::string told(const Parsed& p) {
  std::string out =
      std::string(name_of(p.refusal)) + " " + std::to_string(p.refused_rows) + (p.ignored ? " ignored" : "");
  if (p.refused_of_anybody) out += " of anybody";
  for (const RefusedRow& r : p.refused_of) out += " of " + r.instrument->symbol + " at " + std::to_string(r.time.us);
  for (const Trade& t : p.trades) {
    out += " " + t.instrument->symbol + " " + std::to_string(t.id) + " " + std::to_string(t.time.us) + " " +
           std::to_string(t.fills) + " " + to_string(t.price) + " " + to_string(t.base) + " " + to_string(t.quote) +
           " " + std::to_string(static_cast<int>(t.aggressor)) + std::to_string(static_cast<int>(t.series)) +
           (t.in_cvd ? " in" : " beside") + (t.placeholder ? " placeholder" : "") + (t.merged ? " merged" : "") +
           (t.snapshot ? " old" : "") + " " + std::to_string(t.id_high) + std::string(t.name.view()) + " " +
           std::to_string(t.first_fill);
  }
  for (const Newest& n : p.newest) {
    out += " newest " + n.instrument->symbol + " " + std::to_string(n.id) + " " + std::to_string(n.time.us);
  }
  for (const Ack& a : p.acks) {
    out += " ack " + std::to_string(a.id) + (a.ok ? " ok" : a.error) + std::to_string(static_cast<int>(a.rest)) +
           (a.temporary ? " for now" : "");
    for (const std::string& topic : a.topics) out += " of " + topic;
  }
  out += (p.pong ? " pong" : "") + std::string(p.closing_soon ? " closing soon" : "") + p.reply;
  return out;
}

}  // namespace cvdd
