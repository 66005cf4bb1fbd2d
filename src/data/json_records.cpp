#include "data/json_records.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "store/posix_file.hpp"
#include "text/unicode.hpp"

namespace tofu {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kJsonSpace = " \t\r\n";

std::size_t line_at(std::string_view text, std::size_t position) {
  return 1 + static_cast<std::size_t>(std::count(
                 text.begin(), text.begin() + static_cast<std::ptrdiff_t>(position), '\n'));
}

// The JSON library's message without its own name, line and column, which count in the record.
std::string reason_of(const json::parse_error& error) {
  const std::string text = error.what();
  const std::size_t begin = text.find(": ");
  return begin == std::string::npos ? text : text.substr(begin + 2);
}

JsonRecord parse_record(std::string_view text, RecordPlace place) {
  json value;
  try {
    value = json::parse(text);
  } catch (const json::parse_error& error) {
    fail(ErrorCategory::input_data, "{}: not JSON at byte {} of the record: {}", place.text(),
         error.byte, reason_of(error));
  }
  if (!value.is_object()) {
    fail(ErrorCategory::input_data, "{}: not a JSON object but {}", place.text(),
         value.type_name());
  }
  return {std::move(value), std::move(place)};
}

std::vector<JsonRecord> parse_lines(const fs::path& path, std::string_view text) {
  std::vector<JsonRecord> records;
  std::size_t line = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view content = text.substr(begin, end - begin);
    ++line;
    if (content.find_first_not_of(kJsonSpace) != std::string_view::npos) {
      records.push_back(parse_record(content, {path, line, records.size() + 1}));
    }
    begin = end + 1;
  }
  return records;
}

// Where the array element that begins at `position` ends: the comma or bracket behind it, or the
// end of the text.
std::size_t element_end(std::string_view text, std::size_t position) {
  int depth = 0;
  bool in_string = false;
  for (; position < text.size(); ++position) {
    const char c = text[position];
    if (in_string) {
      if (c == '\\') ++position;
      if (c == '"') in_string = false;
      continue;
    }
    if (depth == 0 && (c == ',' || c == ']')) return position;
    if (c == '"') in_string = true;
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
  }
  return text.size();
}

// The array begins at `bracket`. Elements are cut out and parsed one by one, so that each has its
// line.
std::vector<JsonRecord> parse_array(const fs::path& path, std::string_view text,
                                    std::size_t bracket) {
  std::vector<JsonRecord> records;
  const auto next = [&](std::size_t position) {
    return std::min(text.find_first_not_of(kJsonSpace, position), text.size());
  };
  std::size_t line = 1;
  std::size_t counted = 0;  // up to where lines are counted
  std::size_t position = next(bracket + 1);
  const bool has_elements = position < text.size() && text[position] != ']';
  while (has_elements && position < text.size()) {
    line += line_at(text.substr(counted), position - counted) - 1;
    counted = position;
    const std::size_t end = element_end(text, position);
    if (end == text.size()) {
      position = end;
      break;
    }
    records.push_back(
        parse_record(text.substr(position, end - position), {path, line, records.size() + 1}));
    position = end;
    if (text[end] == ']') break;
    position = next(end + 1);
  }
  if (position == text.size()) {
    fail(ErrorCategory::input_data,
         "{}: the array does not end (after record {}); half-downloaded? Get the file again",
         path.string(), records.size());
  }
  if (text.find_first_not_of(kJsonSpace, position + 1) != std::string_view::npos) {
    fail(ErrorCategory::input_data, "{}, line {}: something follows the end of the array",
         path.string(), line_at(text, position));
  }
  return records;
}

}  // namespace

std::string RecordPlace::text() const {
  return fmt::format("{}, line {} (record {})", path.string(), line, record);
}

std::string read_utf8_file(const fs::path& path) {
  std::string text = read_file(path);
  if (const auto foreign = describe_foreign_content(text)) {
    fail(ErrorCategory::input_data, "{}: the file is {}", path.string(), *foreign);
  }
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  if (const auto position = find_invalid_utf8(text)) {
    fail(ErrorCategory::input_data, "{}, line {}: invalid UTF-8; save the file as UTF-8",
         path.string(), line_at(text, *position));
  }
  if (is_blank(text)) fail(ErrorCategory::input_data, "{}: the file is empty", path.string());
  return text;
}

std::vector<JsonRecord> read_json_records(const fs::path& path) {
  const std::string text = read_utf8_file(path);
  const std::size_t begin = text.find_first_not_of(kJsonSpace);
  std::vector<JsonRecord> records =
      text[begin] == '[' ? parse_array(path, text, begin) : parse_lines(path, text);
  if (records.empty()) {
    fail(ErrorCategory::input_data, "{}: there are no records in the file", path.string());
  }
  return records;
}

std::string text_field(const JsonRecord& record, const char* key) {
  const auto field = record.value.find(key);
  if (field == record.value.end()) {
    fail(ErrorCategory::input_data, "{}: \"{}\" is missing", record.place.text(), key);
  }
  if (!field->is_string()) {
    fail(ErrorCategory::input_data, "{}: \"{}\" has to be a string, not {}", record.place.text(),
         key, field->type_name());
  }
  auto text = field->get<std::string>();
  if (is_blank(text)) {
    fail(ErrorCategory::input_data, "{}: \"{}\" is empty", record.place.text(), key);
  }
  return text;
}

bool is_blank(std::string_view text) {
  for (std::size_t position = 0; position < text.size();) {
    if (!is_white_space(next_code_point(text, position))) return false;
  }
  return true;
}

void require_plain_name(std::string_view what, std::string_view name) {
  if (!name.empty() && name != "." && name != ".." &&
      name.find_first_of(std::string_view("/\\\0", 3)) == std::string_view::npos) {
    return;
  }
  fail(ErrorCategory::input_data, "\"{}\" cannot be the name of a {}", name, what);
}

}  // namespace tofu
