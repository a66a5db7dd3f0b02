#include "message.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include "cvdd/base/printable.hpp"
#include "cvdd/base/time_text.hpp"

namespace cvdd::engine {

namespace {
void append_token(std::string& out, std::string_view text) {
  for (const char c : text) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
}
}  // namespace

std::string subject_of(const StoreRow& row) {
  std::string out = "cvd.v1.";
  append_token(out, row.row.exchange);
  out += '.';
  out += name_of(row.row.market);
  out += '.';
  append_token(out, row.row.symbol);
  if (row.kind != RowKind::cvd) out += "." + std::string(layout_of(row.kind).name);
  return out;
}

std::string order_of(const StoreRow& row) { return subject_of(row) + " " + row.bucket; }

std::string message_id(const StoreRow& row) { return row.collector + "/" + key_in_words(row); }

PubAnswer parse_pub_answer(std::string_view body, bool no_responders) {
  PubAnswer answer;
  if (no_responders) {
    answer.error = "no stream takes this subject, or it has no leader just now";
    return answer;
  }
  // One for each thread: making it costs more than an answer does.
  thread_local simdjson::dom::parser parser;
  simdjson::dom::element document;
  if (parser.parse(simdjson::padded_string(body)).get(document) != simdjson::SUCCESS) {
    answer.error = "not an answer of JetStream: " + printable(body, 100);
    return answer;
  }
  simdjson::dom::element error;
  if (document["error"].get(error) == simdjson::SUCCESS) {
    std::string_view text;
    if (error["description"].get(text) != simdjson::SUCCESS) text = "refused";
    answer.error = printable(text, 200);
    return answer;
  }
  answer.stored = document["seq"].get(answer.sequence) == simdjson::SUCCESS && answer.sequence > 0;
  if (document["duplicate"].get(answer.duplicate) != simdjson::SUCCESS) answer.duplicate = false;
  if (!answer.stored) answer.error = "not an answer of JetStream: " + printable(body, 100);
  return answer;
}

}  // namespace cvdd::engine
