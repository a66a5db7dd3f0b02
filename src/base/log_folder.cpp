#include "cvdd/base/log_folder.hpp"

namespace cvdd {

std::string kind_of(std::string_view line) {
  std::string kind;
  for (std::size_t i = 0; i < line.size(); ++i) {
    kind += line[i];
    if (line[i] != '=') continue;
    std::size_t end = i + 1;
    while (end < line.size() && ((line[end] >= '0' && line[end] <= '9') || line[end] == '.' || line[end] == '-')) ++end;
    if (end > i + 1 && (end == line.size() || line[end] == ' ')) i = end - 1;
  }
  return kind;
}

bool LogFolder::print(std::string_view line, Timestamp now) {
  const std::string kind = kind_of(line);
  const auto known = kinds_.find(kind);
  if (known == kinds_.end()) {
    if (kinds_.size() < kinds_max) kinds_.emplace(kind, Kind{now, 0, {}});
    return true;
  }
  ++known->second.folded;
  known->second.last = line;
  return false;
}

std::vector<std::string> LogFolder::summaries(Timestamp now) {
  std::vector<std::string> lines;
  for (auto kind = kinds_.begin(); kind != kinds_.end();) {
    Kind& k = kind->second;
    const bool over = now >= k.since + window_ || now < k.since;
    if (!over) {
      ++kind;
    } else if (k.folded == 0) {
      kind = kinds_.erase(kind);
    } else {
      lines.push_back("… " + std::to_string(k.folded) + " times in " + std::to_string(window_.us / 60'000'000) +
                      " minutes: " + k.last);
      k = {now, 0, {}};
      ++kind;
    }
  }
  return lines;
}

std::string without(std::string_view line, const std::vector<std::string>& secrets) {
  std::string out(line);
  for (const std::string& secret : secrets) {
    if (secret.empty()) continue;
    for (std::size_t at = 0; (at = out.find(secret, at)) != std::string::npos; at += 3) {
      out.replace(at, secret.size(), "***");
    }
  }
  return out;
}

}  // namespace cvdd
