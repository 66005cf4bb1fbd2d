// The table of configuration keys: each entry binds a key to a member of JobConfig, its type and
// the values it may take. Reading, writing and validation all go through it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/job_config.hpp"

namespace tofu {

struct ConfigKey {
  std::string name;            // with dots: "eval.ds_size"
  std::string published_name;  // another spelling, of the published files; empty if there is none
  std::string expects;         // what a value has to be: "an integer from 0 to 3"
  bool is_text = false;        // the value is quoted in YAML
  // Sets the member from the text of a value; false if the text is not what the key expects.
  std::function<bool(JobConfig&, const std::string&)> parse;
  std::function<std::string(const JobConfig&)> format;
};

// All keys, those of a group ("eval.") side by side.
const std::vector<ConfigKey>& config_keys();

// The entry for a name in either spelling, or nullptr.
const ConfigKey* find_config_key(std::string_view name);

// A key of the published files for something that is fixed here. It is accepted, with a warning;
// if `only_value` is set, any other value asks for something that is not computed.
struct FixedKey {
  std::string name;
  std::string only_value;
};

const FixedKey* find_fixed_key(std::string_view name);

// "did you mean" for an unknown key: the known name at the smallest edit distance, where a key
// without its group ("ds_size") is taken to be close to the full name.
std::string nearest_name(std::string_view unknown, const std::vector<std::string>& known);

}  // namespace tofu
