# config/cvdd.toml and config/symbols.toml as a source file of cvdd.
set(starter_source ${CMAKE_BINARY_DIR}/starter_files.cpp)
foreach(name cvdd symbols)
  file(READ ${CMAKE_SOURCE_DIR}/config/${name}.toml starter_${name})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/config/${name}.toml)
endforeach()
file(CONFIGURE OUTPUT ${starter_source} @ONLY CONTENT [=[// Made from config/*.toml by starter_files.cmake.
#include "cli/starter_files.hpp"

namespace cvdd {

extern constinit const std::string_view starter_config = R"toml(@starter_cvdd@)toml";
extern constinit const std::string_view starter_symbols = R"toml(@starter_symbols@)toml";

}  // namespace cvdd
]=])
target_sources(cvdd_cli PRIVATE ${starter_source})
target_include_directories(cvdd_cli PRIVATE ${CMAKE_SOURCE_DIR}/src)
