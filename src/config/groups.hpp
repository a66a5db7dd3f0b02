// [group.NAME] of the symbol list; private to this room.
#pragma once

#include "cvdd/config/toml_reader.hpp"

namespace cvdd {

// `node`: the table of all groups. What is wrong is an error of the reader.
void read_groups(TomlReader& reader, const toml::node& node, const KnownMarkets& known, SymbolList& list);

}  // namespace cvdd
