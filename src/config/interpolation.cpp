#include "config/interpolation.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "base/error.hpp"

namespace tofu {
namespace {

class Interpolator {
 public:
  explicit Interpolator(const ReferenceLookup& lookup) : lookup_(lookup) {}

  std::string value_of(const std::string& key) {
    const auto source = lookup_(key);
    if (!source) {
      fail(ErrorCategory::usage, "{}: there is no key {} to refer to", place(), key);
    }
    if (std::find(chain_.begin(), chain_.end(), key) != chain_.end()) {
      fail(ErrorCategory::usage, "{}: the references go round in a circle: {} -> {}", place(),
           fmt::join(chain_, " -> "), key);
    }
    chain_.push_back(key);
    origins_.push_back(source->origin);
    std::string value = replace(source->text);
    chain_.pop_back();
    origins_.pop_back();
    return value;
  }

 private:
  // Where the value that is being read was set.
  std::string place() const {
    if (chain_.empty()) return "configuration";
    return fmt::format("{}: {}", origins_.back(), chain_.back());
  }

  std::string replace(const std::string& text) {
    std::string result;
    std::size_t position = 0;
    while (position < text.size()) {
      const std::size_t begin = text.find("${", position);
      if (begin == std::string::npos) break;
      std::size_t backslashes = 0;
      while (begin - backslashes > position && text[begin - backslashes - 1] == '\\') {
        ++backslashes;
      }
      result.append(text, position, begin - backslashes - position);
      result.append(backslashes / 2, '\\');
      if (backslashes % 2 == 1) {
        result += "${";
        position = begin + 2;
        continue;
      }
      const std::size_t end = closing_brace(text, begin + 2);
      result += resolve(replace(text.substr(begin + 2, end - begin - 2)));
      position = end + 1;
    }
    return result.append(text, position);
  }

  std::size_t closing_brace(const std::string& text, std::size_t position) const {
    for (int depth = 1; position < text.size(); ++position) {
      if (text.compare(position, 2, "${") == 0) ++depth;
      if (text[position] == '}' && --depth == 0) return position;
    }
    fail(ErrorCategory::usage, "{}: '{}' lacks a closing brace", place(), text);
  }

  std::string resolve(const std::string& reference) {
    for (const std::string prefix : {"env:", "oc.env:"}) {
      if (!reference.starts_with(prefix)) continue;
      const std::string name = reference.substr(prefix.size());
      const char* value = std::getenv(name.c_str());
      if (!value) {
        fail(ErrorCategory::usage, "{}: the environment variable {} is not set", place(), name);
      }
      return value;
    }
    const std::string key = absolute(reference);
    std::string value = value_of(key);
    if (value.empty()) {
      fail(ErrorCategory::usage,
           "{}: refers to {}, which is not set: set it there, or give {}=... on the command line",
           place(), key, key);
    }
    return value;
  }

  // "..split" inside eval.retain_result is the key split, ".eos" is eval.eos.
  std::string absolute(const std::string& reference) const {
    const std::size_t dots = std::min(reference.find_first_not_of('.'), reference.size());
    if (dots == 0) return reference;
    std::string group = chain_.back();
    for (std::size_t level = 0; level < dots; ++level) {
      const std::size_t dot = group.rfind('.');
      if (dot == std::string::npos && level + 1 < dots) {
        fail(ErrorCategory::usage, "{}: ${{{}}} goes above the top of the file", place(),
             reference);
      }
      group = dot == std::string::npos ? std::string() : group.substr(0, dot);
    }
    return (group.empty() ? "" : group + ".") + reference.substr(dots);
  }

  const ReferenceLookup& lookup_;
  std::vector<std::string> chain_;
  std::vector<std::string> origins_;
};

}  // namespace

std::string interpolate(const std::string& key, const ReferenceLookup& lookup) {
  return Interpolator(lookup).value_of(key);
}

std::string escape_references(const std::string& plain) {
  std::string result;
  std::size_t backslashes = 0;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    if (plain.compare(i, 2, "${") == 0) result.append(backslashes + 1, '\\');
    backslashes = plain[i] == '\\' ? backslashes + 1 : 0;
    result += plain[i];
  }
  return result;
}

}  // namespace tofu
