// Strict reading of tokenizer files: every value knows the file and key that it came from, and keys
// that nobody asked for are an error.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace tofu {

// The content of a file, as it stands. Error{file_system} if it cannot be read.
std::string read_text_file(const std::filesystem::path& path);

// Parses the content of `path`. Error{input_data} if it is not JSON or no object.
nlohmann::json parse_json_object(const std::filesystem::path& path, const std::string& content);

// A value inside a JSON file. All members throw Error{input_data} that names file and key when the
// value is missing or of another type. The JSON must outlive it.
class JsonField {
 public:
  JsonField(const nlohmann::json& value, std::string file, std::string key = "")
      : value_(&value), file_(std::move(file)), key_(std::move(key)) {}

  const nlohmann::json& json() const { return *value_; }
  bool is_null() const { return value_->is_null(); }
  bool has(const std::string& key) const;  // there and not null
  JsonField at(const std::string& key) const;
  std::vector<JsonField> elements() const;  // of a list

  std::string string() const;
  bool boolean() const;
  std::int64_t token_id() const;  // 0 .. 2^32-1, as token ids are
  std::int64_t count() const;     // the same range

  std::string string_or(const std::string& key, std::string_view fallback) const;
  bool boolean_or(const std::string& key, bool fallback) const;
  std::string required_string(const std::string& key) const { return at(key).string(); }

  // Throws if the object has a key that is not listed.
  void allow_only(std::initializer_list<std::string_view> keys) const;

  // Throws Error{input_data} "FILE: KEY: message".
  [[noreturn]] void reject(const std::string& message) const;

 private:
  const nlohmann::json* value_;
  std::string file_;
  std::string key_;
};

}  // namespace tofu
