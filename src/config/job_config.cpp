#include "config/job_config.hpp"

#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>

#include "base/error.hpp"
#include "config/config_file.hpp"
#include "config/config_keys.hpp"
#include "config/config_paths.hpp"
#include "config/interpolation.hpp"

namespace tofu {
namespace {

namespace fs = std::filesystem;

fs::path locate(const std::string& command, const fs::path& config_file) {
  if (!config_file.empty()) return config_file;
  std::vector<std::string> names = {command + ".yaml"};
  if (command == "evaluate") names.push_back("eval.yaml");
  return find_config_file(config_folders(), names).value_or(fs::path());
}

bool is_group(const std::string& name) {
  return std::any_of(config_keys().begin(), config_keys().end(), [&](const ConfigKey& key) {
    return key.name.starts_with(name + ".") || key.published_name.starts_with(name + ".");
  });
}

[[noreturn]] void fail_unknown(const ConfigEntry& entry) {
  if (is_group(entry.key)) {
    fail(ErrorCategory::usage, "{}: {} is a group of keys ({}....), not a value", entry.origin,
         entry.key, entry.key);
  }
  std::vector<std::string> names;
  for (const ConfigKey& key : config_keys()) names.push_back(key.name);
  fail(ErrorCategory::usage, "{}: unknown key {}; did you mean {}?", entry.origin, entry.key,
       nearest_name(entry.key, names));
}

// The values that a job was given, as text, by key; later ones replace earlier ones.
class GivenValues {
 public:
  void add(const ConfigEntry& entry) {
    if (const FixedKey* fixed = find_fixed_key(entry.key)) {
      add_fixed(*fixed, entry);
      return;
    }
    const ConfigKey* key = find_config_key(entry.key);
    if (!key) {
      if (entry.is_null && is_group(entry.key)) return;  // "eval:" with nothing below it
      fail_unknown(entry);
    }
    if (entry.is_list) {
      fail(ErrorCategory::usage, "{}: {} is a list; {} is expected", entry.origin, entry.key,
           key->expects);
    }
    if (entry.is_null) {
      values_.erase(key->name);
    } else {
      values_[key->name] = entry;
    }
  }

  JobConfig resolve() const {
    JobConfig job;
    const ReferenceLookup lookup = [this](const std::string& name) { return value_of(name); };
    for (const ConfigKey& key : config_keys()) {
      const auto given = values_.find(key.name);
      if (given == values_.end()) continue;
      const std::string text = interpolate(key.name, lookup);
      if (!key.parse(job, text)) {
        fail(ErrorCategory::usage, "{}: {} is '{}'; {} is expected", given->second.origin,
             given->second.key, text, key.expects);
      }
    }
    return job;
  }

  std::vector<std::string> warnings() const {
    if (without_effect_.empty()) return {};
    return {fmt::format(
        "these keys of the published configuration have no effect here, where the four sets of "
        "TOFU are fixed: {}",
        fmt::join(without_effect_, ", "))};
  }

 private:
  void add_fixed(const FixedKey& fixed, const ConfigEntry& entry) {
    std::string value = entry.text;
    std::transform(value.begin(), value.end(), value.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (!fixed.only_value.empty() && !entry.is_null && value != fixed.only_value) {
      fail(ErrorCategory::usage, "{}: {} is '{}'; only {} is supported", entry.origin, entry.key,
           entry.text, fixed.only_value);
    }
    without_effect_.push_back(entry.key);
  }

  std::optional<ReferenceSource> value_of(const std::string& name) const {
    const ConfigKey* key = find_config_key(name);
    if (!key) return std::nullopt;
    const auto given = values_.find(key->name);
    if (given != values_.end()) return ReferenceSource{given->second.text, given->second.origin};
    return ReferenceSource{key->format(JobConfig()), "default"};
  }

  std::map<std::string, ConfigEntry> values_;
  std::vector<std::string> without_effect_;
};

// Two spellings of one key in a file are as much a contradiction as one spelling twice.
void check_spellings(const std::vector<ConfigEntry>& entries) {
  std::map<std::string, std::string> spelt;
  for (const ConfigEntry& entry : entries) {
    const ConfigKey* key = find_config_key(entry.key);
    if (!key) continue;
    const auto [first, is_new] = spelt.emplace(key->name, entry.key);
    if (!is_new) {
      fail(ErrorCategory::usage, "{}: {} is the same key as {} above; keep one of them",
           entry.origin, entry.key, first->second);
    }
  }
}

}  // namespace

LoadedConfig load_config(const std::string& command, const fs::path& config_file,
                         const std::vector<std::string>& overrides) {
  LoadedConfig loaded;
  loaded.file = locate(command, config_file);
  GivenValues given;
  if (!loaded.file.empty()) {
    const auto entries = read_config_file(
        loaded.file, [](const std::string& key) { return find_fixed_key(key) != nullptr; });
    check_spellings(entries);
    for (const ConfigEntry& entry : entries) given.add(entry);
  }
  for (const std::string& override_text : overrides) given.add(parse_override(override_text));
  loaded.job = given.resolve();
  loaded.warnings = given.warnings();
  return loaded;
}

std::string to_yaml(const JobConfig& config) {
  YAML::Emitter out;
  out << YAML::BeginMap;
  std::string open_group;
  for (const ConfigKey& key : config_keys()) {
    const std::size_t dot = key.name.find('.');
    const std::string group = dot == std::string::npos ? "" : key.name.substr(0, dot);
    if (group != open_group) {
      if (!open_group.empty()) out << YAML::EndMap;
      if (!group.empty()) out << YAML::Key << group << YAML::Value << YAML::BeginMap;
      open_group = group;
    }
    out << YAML::Key << (group.empty() ? key.name : key.name.substr(dot + 1)) << YAML::Value;
    if (key.is_text) out << YAML::DoubleQuoted;
    out << (key.is_text ? escape_references(key.format(config)) : key.format(config));
  }
  if (!open_group.empty()) out << YAML::EndMap;
  out << YAML::EndMap;
  return std::string(out.c_str()) + "\n";
}

std::vector<std::pair<std::string, std::string>> to_key_values(const JobConfig& config) {
  std::vector<std::pair<std::string, std::string>> values;
  for (const ConfigKey& key : config_keys()) values.emplace_back(key.name, key.format(config));
  return values;
}

void require_key(const LoadedConfig& config, const std::string& key, const std::string& value) {
  if (!value.empty()) return;
  if (config.file.empty()) {
    fail(ErrorCategory::usage, "{} is not set: give {}=... on the command line", key, key);
  }
  fail(ErrorCategory::usage, "{} is not set: set it in {}, or give {}=... on the command line", key,
       config.file.string(), key);
}

std::string complement_split(const std::string& forget_split) {
  constexpr std::string_view kPrefix = "forget";
  int percent = 0;
  if (forget_split.starts_with(kPrefix) && forget_split.size() == kPrefix.size() + 2) {
    const char* end = forget_split.data() + forget_split.size();
    const auto [stop, status] = std::from_chars(end - 2, end, percent);
    if (status != std::errc() || stop != end) percent = 0;
  }
  if (percent < 1 || percent > 99) {
    fail(ErrorCategory::usage,
         "split {}: no retain split is known for it (forget10 has retain90); set retain_set",
         forget_split);
  }
  return fmt::format("retain{:02}", 100 - percent);
}

}  // namespace tofu
