#include "want.hpp"

#include <simdjson.h>

namespace cvdd::web {

namespace {
constexpr const char* expected_names = "instruments: expected a list of up to 200 like \"exchange:market:symbol\"";

bool take_names(const simdjson::dom::element& value, InstrumentNames& out, std::string& error) {
  simdjson::dom::array list;
  error = expected_names;
  if (value.get(list) != simdjson::SUCCESS || list.size() > Want::instruments_max) return false;
  for (const simdjson::dom::element each : list) {
    std::string_view text;
    if (each.get(text) != simdjson::SUCCESS) return false;
    auto name = parse_name(text);
    if (!name) return false;
    out.insert(std::move(*name));
  }
  error.clear();
  return true;
}

bool take_group(const simdjson::dom::element& value, GroupAsked& out) {
  std::string_view name;
  if (value.get(name) == simdjson::SUCCESS) {
    out = std::string(name);
    return true;
  }
  simdjson::dom::array list;
  if (value.get(list) != simdjson::SUCCESS || list.size() == 0 || list.size() > Want::picked_max) return false;
  std::vector<InstrumentName> names;
  for (const simdjson::dom::element each : list) {
    std::string_view text;
    if (each.get(text) != simdjson::SUCCESS) return false;
    auto one = parse_name(text);
    if (!one) return false;
    names.push_back(std::move(*one));
  }
  out = std::move(names);
  return true;
}

bool take_groups(const simdjson::dom::element& value, std::vector<GroupAsked>& out, std::string& error) {
  simdjson::dom::array list;
  bool good = value.get(list) == simdjson::SUCCESS && list.size() <= Want::groups_max;
  if (good) {
    for (const simdjson::dom::element each : list) good = good && take_group(each, out.emplace_back());
  }
  if (!good) {
    error = "groups: expected a list of up to 50, each a name, or a list of up to 50 like \"exchange:market:symbol\"";
  }
  return good;
}

bool take_flag(std::string_view key, const simdjson::dom::element& value, bool& out, std::string& error) {
  if (value.get(out) == simdjson::SUCCESS) return true;
  error = std::string(key) + ": expected true or false";
  return false;
}

bool take_spark(const simdjson::dom::element& value, Spark& out, std::string& error) {
  std::string_view text;
  const auto known = value.get(text) == simdjson::SUCCESS ? spark_from(text) : std::nullopt;
  if (known) {
    out = *known;
    return true;
  }
  error = "spark: expected \"base\", \"quote\" or \"0\"";
  return false;
}
}  // namespace

std::optional<Want> parse_want(std::string_view text, std::string& error) {
  simdjson::dom::parser parser(Want::message_max);
  simdjson::dom::object object;
  if (text.size() > Want::message_max || parser.parse(text.data(), text.size()).get(object) != simdjson::SUCCESS) {
    error = R"(expected a message like {"instruments": ["exchange:market:symbol"], "rest": false})";
    return std::nullopt;
  }
  Want out;
  for (const auto [key, value] : object) {
    bool good = false;
    if (key == "instruments") {
      good = take_names(value, out.instruments, error);
    } else if (key == "groups") {
      good = take_groups(value, out.groups, error);
    } else if (key == "spark") {
      good = take_spark(value, out.spark, error);
    } else if (key == "rest") {
      good = take_flag(key, value, out.rest, error);
    } else if (key == "anew") {
      good = take_flag(key, value, out.anew, error);
    } else {
      error = std::string(key) + ": no such key; expected instruments, groups, spark, rest or anew";
    }
    if (!good) return std::nullopt;
  }
  return out;
}

}  // namespace cvdd::web
