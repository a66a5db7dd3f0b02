#include "source_dir.hpp"

namespace cvdd {
const std::string& source_dir() {
  static const std::string path = CVDD_SOURCE_DIR;
  return path;
}
}  // namespace cvdd
