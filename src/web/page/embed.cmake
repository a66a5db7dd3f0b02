# The page's files as a source file of cvdd: their bytes are taken in by the assembler, so nothing has to be translated.
# The chart library comes from npm, by the lock file beside this; without npm the page says how to get it.
find_program(CVDD_NPM npm)
set(page ${CMAKE_CURRENT_LIST_DIR})
set(charts ${CMAKE_BINARY_DIR}/page/node_modules/lightweight-charts/dist/lightweight-charts.standalone.production.mjs)
if(CVDD_NPM AND EXISTS ${page}/package-lock.json)
  file(SHA256 ${page}/package-lock.json wanted)
  set(marker ${CMAKE_BINARY_DIR}/page/fetched)
  set(fetched "")
  if(EXISTS ${marker})
    file(READ ${marker} fetched)
  endif()
  if(NOT EXISTS ${charts} OR NOT fetched STREQUAL wanted)
    file(COPY ${page}/package.json ${page}/package-lock.json DESTINATION ${CMAKE_BINARY_DIR}/page)
    execute_process(COMMAND ${CVDD_NPM} ci --ignore-scripts --no-audit --no-fund --loglevel=error
                    WORKING_DIRECTORY ${CMAKE_BINARY_DIR}/page RESULT_VARIABLE failed OUTPUT_QUIET ERROR_VARIABLE said)
    if(failed)
      message(WARNING "npm could not fetch the chart library, the page will be without charts: ${said}")
    else()
      file(WRITE ${marker} ${wanted})
    endif()
  endif()
endif()
if(NOT EXISTS ${charts})
  set(charts ${CMAKE_BINARY_DIR}/page/charts.js)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/page)
  file(WRITE ${charts} "export const missing = true;\n")
  message(STATUS "The page is built without charts (docs/http.md)")
endif()

file(GLOB files CONFIGURE_DEPENDS ${page}/*.html ${page}/*.css ${page}/*.js ${page}/*.svg)
set(types html text/html css text/css js text/javascript mjs text/javascript svg image/svg+xml)
set(assembly "")
set(declarations "")
set(table "")
set(n 0)
foreach(file ${files} ${charts})
  get_filename_component(name ${file} NAME)
  get_filename_component(ending ${file} LAST_EXT)
  string(SUBSTRING ${ending} 1 -1 ending)
  list(FIND types ${ending} at)
  math(EXPR at "${at} + 1")
  list(GET types ${at} type)
  if(file STREQUAL charts)
    set(name charts.js)
  endif()
  file(SHA256 ${file} hash)
  string(SUBSTRING ${hash} 0 16 hash)
  string(APPEND assembly "    \".global cvdd_page_${n}, cvdd_page_${n}_end\\n\"\n"
                         "    \"cvdd_page_${n}: .incbin \\\"${file}\\\"\\n\"\n    \"cvdd_page_${n}_end: .byte 0\\n\"\n")
  string(APPEND declarations "extern \"C\" __attribute__((visibility(\"hidden\"))) const char cvdd_page_${n}[], cvdd_page_${n}_end[];\n")
  string(APPEND table "      {\"/${name}\", \"${type}\", \"\\\"${hash}\\\"\", text(cvdd_page_${n}, cvdd_page_${n}_end)},\n")
  math(EXPR n "${n} + 1")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  list(APPEND embedded ${file})
endforeach()
set(source ${CMAKE_BINARY_DIR}/page/assets.cpp)
file(CONFIGURE OUTPUT ${source} @ONLY CONTENT "// Made from src/web/page by embed.cmake.
#include \"web/assets.hpp\"

asm(\".section .rodata\\n\"
@assembly@    \".previous\\n\");
@declarations@
namespace cvdd::web {

std::span<const Asset> assets() {
  const auto text = [](const char* begin, const char* end) {
    return std::string_view(begin, static_cast<std::size_t>(end - begin));
  };
  static const Asset all[] = {
@table@  };
  return all;
}

}  // namespace cvdd::web
")
set_property(SOURCE ${source} PROPERTY OBJECT_DEPENDS "${embedded}")
target_sources(cvdd_web PRIVATE ${source})
