#include "report/run_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/error.hpp"

namespace tofu {
namespace {

using Json = nlohmann::json;

constexpr std::array kFigures = {"Model Utility",      "Forget Quality",     "Forget ROUGE",
                                 "Forget Probability", "Forget Truth Ratio", "Retain ROUGE",
                                 "Retain Probability", "Retain Truth Ratio"};

std::vector<Json> read_log(const std::filesystem::path& path) {
  std::vector<Json> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    Json json = Json::parse(line, nullptr, false);
    if (json.is_object() && json.contains("loss") && json.contains("step")) {
      lines.push_back(std::move(json));
    }
  }
  return lines;
}

std::map<std::string, std::string> read_figures(const std::filesystem::path& path) {
  std::map<std::string, std::string> figures;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(": ");
    if (colon != std::string::npos) figures[line.substr(0, colon)] = line.substr(colon + 2);
  }
  return figures;
}

// The losses as a row of bars, each the mean of a stretch of steps.
std::string loss_bars(const std::vector<Json>& log) {
  constexpr std::size_t kColumns = 60;
  static constexpr std::array kBars = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const std::size_t columns = std::min(kColumns, log.size());
  std::vector<double> means(columns, 0);
  for (std::size_t c = 0; c < columns; ++c) {
    const std::size_t first = log.size() * c / columns;
    const std::size_t last = log.size() * (c + 1) / columns;
    for (std::size_t i = first; i < last; ++i) means[c] += log[i]["loss"].get<double>();
    means[c] /= static_cast<double>(last - first);
  }
  const auto [low, high] = std::minmax_element(means.begin(), means.end());
  const double range = std::max(1e-12, *high - *low);
  std::string text;
  for (const double mean : means) {
    text += kBars[static_cast<std::size_t>((mean - *low) / range * (kBars.size() - 1) + 0.5)];
  }
  return text;
}

std::string describe_training(const std::vector<Json>& log) {
  std::vector<double> speeds;
  for (const Json& line : log) {
    if (line.value("step_s", 0.0) > 0) {
      speeds.push_back(line.value("tokens", 0.0) / line["step_s"].get<double>());
    }
  }
  std::sort(speeds.begin(), speeds.end());
  return fmt::format("steps {} to {}, loss {:.4g} to {:.4g}, median {:.0f} tokens/s\nloss {}\n",
                     log.front()["step"].get<std::int64_t>(),
                     log.back()["step"].get<std::int64_t>(), log.front()["loss"].get<double>(),
                     log.back()["loss"].get<double>(),
                     speeds.empty() ? 0.0 : speeds[speeds.size() / 2], loss_bars(log));
}

// Evaluations by step; one directly in the folder (of `evaluate`) as step -1.
std::map<std::int64_t, std::map<std::string, std::string>> find_evaluations(
    const std::filesystem::path& run) {
  std::map<std::int64_t, std::map<std::string, std::string>> found;
  const std::string prefix = "checkpoint-";
  for (const auto& entry : std::filesystem::directory_iterator(run)) {
    const std::string name = entry.path().filename().string();
    const auto file = entry.path() / "aggregate_stat.txt";
    if (name.starts_with(prefix) && std::filesystem::exists(file)) {
      found[std::atoll(name.c_str() + prefix.size())] = read_figures(file);
    }
  }
  if (std::filesystem::exists(run / "aggregate_stat.txt")) {
    found[-1] = read_figures(run / "aggregate_stat.txt");
  }
  return found;
}

std::string cell(const std::map<std::string, std::string>& figures, const char* name) {
  const auto figure = figures.find(name);
  if (figure == figures.end()) return "-";
  return fmt::format("{:.4g}", std::strtod(figure->second.c_str(), nullptr));
}

}  // namespace

std::string run_report(const std::filesystem::path& run_folder) {
  if (!std::filesystem::is_directory(run_folder)) {
    fail(ErrorCategory::file_system, "{} is not a run's folder: give save_dir of a run",
         run_folder.string());
  }
  const auto log = read_log(run_folder / "log.jsonl");
  const auto evaluations = find_evaluations(run_folder);
  if (log.empty() && evaluations.empty()) {
    fail(ErrorCategory::input_data, "{} holds no log.jsonl and no aggregate_stat.txt",
         run_folder.string());
  }
  std::string text = run_folder.string() + "\n";
  if (!log.empty()) text += describe_training(log);
  if (evaluations.empty()) return text;
  text += fmt::format("{:>6}", "step");
  for (const char* name : kFigures) text += fmt::format("  {:>18}", name);
  for (const auto& [step, figures] : evaluations) {
    text += fmt::format("\n{:>6}", step < 0 ? "-" : fmt::format("{}", step));
    for (const char* name : kFigures) text += fmt::format("  {:>18}", cell(figures, name));
  }
  return text + "\n";
}

}  // namespace tofu
