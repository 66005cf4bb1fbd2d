#include "text/json_field.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "base/error.hpp"

namespace tofu {

std::string read_text_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (!stream) {
    fail(ErrorCategory::file_system, "{}: cannot be read; check that it is there and readable",
         path.string());
  }
  return content;
}

nlohmann::json parse_json_object(const std::filesystem::path& path, const std::string& content) {
  try {
    auto value = nlohmann::json::parse(content);
    if (value.is_object()) return value;
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorCategory::input_data,
         "{}: is not valid JSON ({}); the file may be cut short or something else: fetch it again",
         path.string(), error.what());
  }
  fail(ErrorCategory::input_data, "{}: holds JSON, but no object with keys", path.string());
}

bool JsonField::has(const std::string& key) const {
  if (!value_->is_object()) reject("should be an object with keys");
  const auto found = value_->find(key);
  return found != value_->end() && !found->is_null();
}

JsonField JsonField::at(const std::string& key) const {
  if (!value_->is_object()) reject("should be an object with keys");
  const auto found = value_->find(key);
  if (found == value_->end()) reject("has no key '" + key + "'");
  return {*found, file_, key_.empty() ? key : key_ + "." + key};
}

std::vector<JsonField> JsonField::elements() const {
  if (!value_->is_array()) reject("should be a list");
  std::vector<JsonField> fields;
  fields.reserve(value_->size());
  for (const auto& element : *value_) {
    fields.emplace_back(element, file_, key_ + "[" + std::to_string(fields.size()) + "]");
  }
  return fields;
}

std::string JsonField::string() const {
  if (!value_->is_string()) reject("should be text, but is " + value_->dump().substr(0, 80));
  return value_->get<std::string>();
}

bool JsonField::boolean() const {
  if (!value_->is_boolean()) {
    reject("should be true or false, but is " + value_->dump().substr(0, 80));
  }
  return value_->get<bool>();
}

std::int64_t JsonField::count() const {
  const bool in_range = value_->is_number_integer() &&
                        (value_->is_number_unsigned() || value_->get<std::int64_t>() >= 0) &&
                        value_->get<std::uint64_t>() <= 0xFFFFFFFFu;
  if (!in_range) {
    reject("should be an integer from 0 to 4294967295, but is " + value_->dump().substr(0, 80));
  }
  return value_->get<std::int64_t>();
}

std::int64_t JsonField::token_id() const {
  return count();
}

std::string JsonField::string_or(const std::string& key, std::string_view fallback) const {
  return has(key) ? at(key).string() : std::string(fallback);
}

bool JsonField::boolean_or(const std::string& key, bool fallback) const {
  return has(key) ? at(key).boolean() : fallback;
}

void JsonField::allow_only(std::initializer_list<std::string_view> keys) const {
  if (!value_->is_object()) reject("should be an object with keys");
  for (const auto& item : value_->items()) {
    if (std::find(keys.begin(), keys.end(), item.key()) == keys.end()) {
      reject("has the key '" + item.key() + "', which this program does not implement");
    }
  }
}

void JsonField::reject(const std::string& message) const {
  fail(ErrorCategory::input_data, "{}: {}{}{}", file_, key_, key_.empty() ? "" : ": ", message);
}

}  // namespace tofu
