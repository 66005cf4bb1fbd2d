#include "config/config_file.hpp"

#include <yaml-cpp/yaml.h>

#include <fstream>
#include <sstream>

#include "base/error.hpp"

namespace tofu {
namespace {

namespace fs = std::filesystem;

// Far above any configuration: whoever names a model file here gets an answer at once.
constexpr std::uintmax_t kLargestFile = 1 << 20;
constexpr int kDeepestNesting = 8;

std::string read_text(const fs::path& file) {
  std::error_code status;
  if (!fs::exists(file, status)) {
    fail(ErrorCategory::file_system, "{}: there is no such configuration file", file.string());
  }
  if (!fs::is_regular_file(file, status)) {
    fail(ErrorCategory::file_system, "{}: not a file; give the path of a YAML file", file.string());
  }
  const auto size = fs::file_size(file, status);
  if (!status && size > kLargestFile) {
    fail(ErrorCategory::usage, "{}: {} bytes are too many for a configuration file; is it one?",
         file.string(), size);
  }
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  if (stream) text << stream.rdbuf();
  // An empty file makes the insertion of its buffer fail: that alone is no error.
  if (!stream || (text.str().size() != size)) {
    fail(ErrorCategory::file_system, "{}: cannot be read; check its permissions", file.string());
  }
  return text.str();
}

// YAML's most frequent mistake, for which the parser has no message of its own.
bool is_tab_indented(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find_first_not_of(' ');
    if (first != std::string::npos && line[first] == '\t') return true;
  }
  return false;
}

class Flattener {
 public:
  Flattener(const fs::path& file, const std::function<bool(const std::string&)>& is_opaque)
      : file_(file), is_opaque_(is_opaque) {}

  void add(const YAML::Node& map, const std::string& prefix, int depth) {
    if (depth > kDeepestNesting) {
      fail(ErrorCategory::usage, "{}: {} is nested too deep", where(map), prefix);
    }
    for (const auto& pair : map) {
      if (!pair.first.IsScalar()) {
        fail(ErrorCategory::usage, "{}: a key has to be a word", where(pair.first));
      }
      const std::string key = prefix + pair.first.Scalar();
      const YAML::Node& value = pair.second;
      if (value.IsMap() && !is_opaque_(key)) {
        add(value, key + ".", depth + 1);
        continue;
      }
      const auto [first, is_new] = lines_.emplace(key, pair.first.Mark().line + 1);
      if (!is_new) {
        fail(ErrorCategory::usage, "{}: {} stands here again, first in line {}; keep one of them",
             where(pair.first), key, first->second);
      }
      entries.push_back({.key = key,
                         .text = value.IsScalar() ? value.Scalar() : std::string(),
                         .is_null = value.IsNull(),
                         .is_list = value.IsSequence(),
                         .origin = where(pair.first)});
    }
  }

  std::vector<ConfigEntry> entries;

 private:
  std::string where(const YAML::Node& node) const {
    return fmt::format("{}:{}", file_.string(), node.Mark().line + 1);
  }

  const fs::path& file_;
  const std::function<bool(const std::string&)>& is_opaque_;
  std::map<std::string, int> lines_;
};

std::string trimmed(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

bool is_null_word(const std::string& text) {
  return text == "null" || text == "Null" || text == "NULL" || text == "~";
}

}  // namespace

std::vector<ConfigEntry> read_config_file(
    const fs::path& file, const std::function<bool(const std::string&)>& is_opaque) {
  const std::string text = read_text(file);
  std::vector<YAML::Node> documents;
  try {
    documents = YAML::LoadAll(text);
  } catch (const YAML::Exception& error) {
    fail(ErrorCategory::usage, "{}: not valid YAML at line {}, column {}: {}{}", file.string(),
         error.mark.line + 1, error.mark.column + 1, error.msg,
         is_tab_indented(text) ? "; indent with spaces, not tabs" : "");
  }
  if (documents.empty() || (documents.size() == 1 && documents[0].IsNull())) return {};
  if (documents.size() > 1) {
    fail(ErrorCategory::usage, "{}: holds {} YAML documents (separated by ---); keep one",
         file.string(), documents.size());
  }
  if (!documents[0].IsMap()) {
    fail(ErrorCategory::usage, "{}: not a configuration: lines of the form 'key: value' are due",
         file.string());
  }
  Flattener flattener(file, is_opaque);
  flattener.add(documents[0], "", 0);
  return std::move(flattener.entries);
}

ConfigEntry parse_override(const std::string& text) {
  const auto equals = text.find('=');
  std::string key = trimmed(text.substr(0, equals));
  key.erase(0, std::min<std::size_t>(key.find_first_not_of('+'), 2));
  if (equals == std::string::npos || key.empty()) {
    fail(ErrorCategory::usage, "the command line: '{}': key=value is expected", text);
  }
  ConfigEntry entry{
      .key = key, .text = trimmed(text.substr(equals + 1)), .origin = "the command line"};
  const bool is_quoted = entry.text.size() >= 2 && entry.text.front() == entry.text.back() &&
                         (entry.text.front() == '"' || entry.text.front() == '\'');
  if (is_quoted) {
    try {
      entry.text = YAML::Load(entry.text).Scalar();
    } catch (const YAML::Exception& error) {
      fail(ErrorCategory::usage, "the command line: {}: {} is not valid YAML: {}", key, entry.text,
           error.msg);
    }
  } else {
    entry.is_null = is_null_word(entry.text);
  }
  return entry;
}

}  // namespace tofu
