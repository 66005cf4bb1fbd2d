#include "text/special_tokens.hpp"

#include <algorithm>

#include "text/json_field.hpp"

namespace tofu {

namespace {

// A token as "text" or as {"content": "text", ...}.
std::string token_content(const JsonField& field) {
  return field.json().is_object() ? field.required_string("content") : field.string();
}

void read_token(const JsonField& file, const std::string& key, std::optional<std::string>& token) {
  if (!token && file.has(key)) token = token_content(file.at(key));
}

void read_flag(const JsonField& file, const std::string& key, std::optional<bool>& flag) {
  if (file.has(key)) flag = file.at(key).boolean();
}

void read_id(const JsonField& file, const std::string& key, std::optional<std::int64_t>& id) {
  if (!file.has(key)) return;
  const auto field = file.at(key);
  if (!field.json().is_array()) {
    id = field.token_id();
  } else if (const auto ids = field.elements(); !ids.empty()) {
    id = ids.front().token_id();
  }
}

void read_added_tokens(const JsonField& file, SpecialTokenSettings& settings) {
  if (!file.has("added_tokens_decoder")) return;
  const auto field = file.at("added_tokens_decoder");
  if (!field.json().is_object()) field.reject("should be an object of ids and tokens");
  for (const auto& [key, token] : field.json().items()) {
    const bool digits =
        !key.empty() && key.size() <= 10 &&
        std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!digits) field.reject("'" + key + "' is no token id");
    settings.added_tokens.emplace_back(std::stoll(key), token_content(field.at(key)));
  }
}

template <typename Read>
void with_file(const std::filesystem::path& path, Read read) {
  if (!std::filesystem::is_regular_file(path)) return;
  const auto json = parse_json_object(path, read_text_file(path));
  read(JsonField(json, path.string()));
}

}  // namespace

SpecialTokenSettings read_special_token_settings(const std::filesystem::path& folder) {
  SpecialTokenSettings settings;
  const auto read_tokens = [&](const JsonField& file) {
    read_token(file, "bos_token", settings.bos_token);
    read_token(file, "eos_token", settings.eos_token);
    read_token(file, "mask_token", settings.mask_token);
  };
  with_file(folder / "tokenizer_config.json", [&](const JsonField& file) {
    read_tokens(file);
    read_flag(file, "add_bos_token", settings.add_bos_token);
    read_flag(file, "add_eos_token", settings.add_eos_token);
    read_flag(file, "add_prefix_space", settings.add_prefix_space);
    read_flag(file, "do_lower_case", settings.do_lower_case);
    read_added_tokens(file, settings);
  });
  with_file(folder / "special_tokens_map.json", read_tokens);
  with_file(folder / "config.json", [&](const JsonField& file) {
    read_id(file, "bos_token_id", settings.bos_id);
    read_id(file, "eos_token_id", settings.eos_id);
  });
  return settings;
}

}  // namespace tofu
