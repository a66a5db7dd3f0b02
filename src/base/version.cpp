#include "cvdd/base/version.hpp"

namespace cvdd {

std::string_view version() { return CVDD_VERSION; }
std::string_view product() { return "cvdd/" CVDD_VERSION; }

}  // namespace cvdd
