// JSON records in a file: one per line, or the elements of one array, whatever the file is called.
#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace tofu {

struct RecordPlace {
  std::filesystem::path path;
  std::size_t line = 0;    // of the record's beginning, from 1
  std::size_t record = 0;  // from 1

  std::string text() const;  // "full.json, line 3 (record 3)" with the whole path
};

struct JsonRecord {
  nlohmann::json value;  // an object
  RecordPlace place;
};

// The content of a text file without a byte order mark. Error{input_data} if it is empty, not
// UTF-8 (with the line), or something else than text (a git-lfs pointer, an HTML page).
std::string read_utf8_file(const std::filesystem::path& path);

// All records of a file, at least one. Blank lines do not count. Error{input_data} with file, line
// and record where one is not a JSON object.
std::vector<JsonRecord> read_json_records(const std::filesystem::path& path);

// The string `key` of a record. Error{input_data} if it is missing, not a string or blank.
std::string text_field(const JsonRecord& record, const char* key);

// True if there is nothing but white space.
bool is_blank(std::string_view text);

// Throws Error{input_data} if `name`, which `what` ("split") is called, cannot be the name of a
// file or an HDF5 group.
void require_plain_name(std::string_view what, std::string_view name);

}  // namespace tofu
