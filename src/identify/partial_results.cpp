#include "identify/partial_results.hpp"

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "store/atomic_file.hpp"
#include "store/posix_file.hpp"

namespace tofu {
namespace {

using nlohmann::json;

std::string header_line(const std::string& key) {
  return json{{"results_of", key}}.dump() + "\n";
}

std::string result_line(const std::string& item, const std::string& result) {
  return json{{"item", item}, {"result", result}}.dump() + "\n";
}

// The complete lines of the text as objects; anything else is passed over.
std::vector<json> parse_lines(const std::string& text) {
  std::vector<json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    json value = json::parse(line, nullptr, false);
    if (value.is_object()) lines.push_back(std::move(value));
  }
  return lines;
}

bool is_result(const json& line) {
  return line.contains("item") && line["item"].is_string() && line.contains("result") &&
         line["result"].is_string();
}

}  // namespace

PartialResults::PartialResults(std::filesystem::path path, std::string key)
    : path_(std::move(path)), key_(std::move(key)) {
  if (std::filesystem::exists(path_)) {
    const auto lines = parse_lines(read_file(path_));
    if (!lines.empty() && lines.front().value("results_of", json()) == key_) {
      for (const json& line : lines) {
        if (is_result(line)) results_[line["item"]] = line["result"].get<std::string>();
      }
    } else {
      log_warning("{}: left by a job with other data, model or settings; it is replaced",
                  path_.string());
    }
  }
  rewrite();
}

void PartialResults::rewrite() const {
  std::string text = header_line(key_);
  for (const auto& [item, result] : results_) text += result_line(item, result);
  write_file_atomically(path_, text);
}

void PartialResults::add(const std::map<std::string, std::string>& results) {
  std::string text;
  for (const auto& [item, result] : results) {
    text += result_line(item, result);
    results_[item] = result;
  }
  std::ofstream file(path_, std::ios::binary | std::ios::app);
  file << text;
  file.flush();
  if (!file) {
    fail(ErrorCategory::file_system, "cannot write to {}: is the disk full?", path_.string());
  }
}

void PartialResults::remove() const {
  std::error_code ignored;  // it is only in the way
  std::filesystem::remove(path_, ignored);
}

}  // namespace tofu
