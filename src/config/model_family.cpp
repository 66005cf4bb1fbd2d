#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <ranges>
#include <set>

#include "base/error.hpp"
#include "config/config_file.hpp"
#include "config/config_keys.hpp"
#include "config/config_paths.hpp"
#include "config/job_config.hpp"

namespace tofu {
namespace {

namespace fs = std::filesystem;

constexpr double kPublishedBeta = 0.32;
constexpr std::string_view kBestBeta = "best_beta.";

fs::path locate(const fs::path& config_file) {
  const std::string name = "model_config.yaml";
  std::vector<fs::path> folders = config_folders();
  if (!config_file.empty()) folders.insert(folders.begin(), config_file.parent_path());
  const auto found = find_config_file(folders, {name});
  if (!found) {
    fail(ErrorCategory::usage, "there is no {} in {}", name,
         fmt::join(folders | std::views::transform([](const fs::path& p) { return p.string(); }),
                   ", "));
  }
  return *found;
}

// Sets one key of an entry of model_config.yaml.
void set_family_key(ModelFamily& family, const std::string& key, const ConfigEntry& entry) {
  const std::map<std::string, std::string*> texts = {
      {"hf_key", &family.hf_key},
      {"question_start_tag", &family.question_start_tag},
      {"question_end_tag", &family.question_end_tag},
      {"answer_tag", &family.answer_tag},
  };
  // Published keys about how the published program runs a model; they change no value.
  const std::vector<std::string> without_effect = {"flash_attention2", "gradient_checkpointing",
                                                   "ft_model_path"};
  if (const auto text = texts.find(key); text != texts.end()) {
    if (entry.is_list) {
      fail(ErrorCategory::usage, "{}: {} is a list; text is expected", entry.origin, entry.key);
    }
    *text->second = entry.text;
  } else if (key.starts_with(kBestBeta)) {
    double beta = 0;
    const char* end = entry.text.data() + entry.text.size();
    const auto [stop, status] = std::from_chars(entry.text.data(), end, beta);
    if (status != std::errc() || stop != end || !(beta > 0)) {
      fail(ErrorCategory::usage, "{}: {} is '{}'; a number above 0 is expected", entry.origin,
           entry.key, entry.text);
    }
    family.best_beta[key.substr(kBestBeta.size())] = beta;
  } else if (std::find(without_effect.begin(), without_effect.end(), key) == without_effect.end()) {
    std::vector<std::string> known;
    for (const auto& [name, member] : texts) known.push_back(name);
    known.emplace_back(kBestBeta.substr(0, kBestBeta.size() - 1));
    fail(ErrorCategory::usage, "{}: unknown key {}; did you mean {}?", entry.origin, entry.key,
         nearest_name(key, known));
  }
}

}  // namespace

ModelFamily load_model_family(const fs::path& config_file, const std::string& name) {
  const fs::path file = locate(config_file);
  ModelFamily family;
  family.name = name;
  std::set<std::string> families;
  std::set<std::string> set_keys;
  for (const ConfigEntry& entry : read_config_file(file, [](const auto&) { return false; })) {
    // Names of families hold dots ("pythia-1.4"), names of keys do not, but for best_beta.<split>.
    std::size_t dot = entry.key.rfind('.');
    const std::size_t beta = entry.key.rfind(fmt::format(".{}", kBestBeta));
    if (beta != std::string::npos) dot = beta;
    if (dot == std::string::npos) {
      fail(ErrorCategory::usage, "{}: {} has no keys below it", entry.origin, entry.key);
    }
    families.insert(entry.key.substr(0, dot));
    ModelFamily other;
    const bool is_this = entry.key.substr(0, dot) == name;
    set_family_key(is_this ? family : other, entry.key.substr(dot + 1), entry);
    if (is_this) set_keys.insert(entry.key.substr(dot + 1));
  }
  if (!families.contains(name)) {
    fail(ErrorCategory::usage, "{}: there is no model family '{}' (model_family); it has {}",
         file.string(), name, fmt::join(families, ", "));
  }
  for (const char* key : {"question_start_tag", "question_end_tag", "answer_tag"}) {
    if (!set_keys.contains(key)) {
      fail(ErrorCategory::usage, "{}: the model family {} lacks {}", file.string(), name, key);
    }
  }
  return family;
}

double best_beta(const ModelFamily& family, const std::string& split) {
  const auto found = family.best_beta.find(split);
  return found == family.best_beta.end() ? kPublishedBeta : found->second;
}

}  // namespace tofu
