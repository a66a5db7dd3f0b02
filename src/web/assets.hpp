// The page's files, embedded when cvdd is built.
#pragma once

#include <span>
#include <string_view>

namespace cvdd::web {

struct Asset {
  std::string_view path;  // "/list.js"
  std::string_view type;  // "text/javascript"
  std::string_view etag;  // with its quotes
  std::string_view body;
};
[[nodiscard]] std::span<const Asset> assets();

}  // namespace cvdd::web
