// What stands beside a tokenizer.json about its special tokens.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tofu {

// What tokenizer_config.json, special_tokens_map.json and config.json of a folder say, in this
// order; empty where none of them speaks.
struct SpecialTokenSettings {
  std::optional<std::string> bos_token;
  std::optional<std::string> eos_token;
  std::optional<std::string> mask_token;
  std::optional<std::int64_t> bos_id;  // of config.json
  std::optional<std::int64_t> eos_id;  // of config.json; the first where it lists several
  // Settings that Transformers puts over those of tokenizer.json.
  std::optional<bool> add_bos_token;
  std::optional<bool> add_eos_token;
  std::optional<bool> add_prefix_space;
  std::optional<bool> do_lower_case;
  std::vector<std::pair<std::int64_t, std::string>> added_tokens;
};

// Files that are not there are passed over; Error{input_data} for one that cannot be understood.
SpecialTokenSettings read_special_token_settings(const std::filesystem::path& folder);

}  // namespace tofu
