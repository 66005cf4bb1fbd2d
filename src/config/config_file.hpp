// Configuration files and overrides as flat text: full key with dots -> value.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace tofu {

struct ConfigEntry {
  std::string key;   // with dots
  std::string text;  // the value as written, without quotes
  bool is_null = false;
  bool is_list = false;
  std::string origin;  // "configs/forget.yaml:12" or "the command line"
};

// Entries of a YAML file in the order of the file; an empty file has none. `is_opaque(key)` says
// that what stands under a key is of no interest: it becomes one entry. Error{file_system} for a
// file that cannot be read; Error{usage} with line and column for one that is not a YAML mapping,
// and for a key that occurs twice.
std::vector<ConfigEntry> read_config_file(const std::filesystem::path& file,
                                          const std::function<bool(const std::string&)>& is_opaque);

// An override "key=value" of the command line, "+key=value" and "++key=value" as Hydra spells them
// included. The value is plain text; quotes around it are removed, null is no value.
ConfigEntry parse_override(const std::string& text);

}  // namespace tofu
