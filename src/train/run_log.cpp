#include "train/run_log.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "store/atomic_file.hpp"

namespace tofu {
namespace {

constexpr const char* kLogName = "log.jsonl";
// Between progress lines where there is no terminal to draw a bar on.
constexpr double kSecondsBetweenLines = 10;
constexpr int kBarWidth = 30;

// Behind mpirun, standard error is a pipe even where it ends on a terminal; who starts it can say
// so with TOFU_MPI_PROGRESS=bar.
bool draws_bar() {
  const char* progress = std::getenv("TOFU_MPI_PROGRESS");
  return isatty(STDERR_FILENO) != 0 || (progress != nullptr && std::string(progress) == "bar");
}

std::vector<nlohmann::json> read_lines(const std::filesystem::path& path) {
  std::vector<nlohmann::json> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    // A line that was cut by the end of an earlier job is dropped.
    auto json = nlohmann::json::parse(line, nullptr, false);
    if (json.is_object() && json.contains("step")) lines.push_back(std::move(json));
  }
  return lines;
}

}  // namespace

RunLog::RunLog(const std::filesystem::path& folder, bool is_root, std::int64_t resumed_step,
               std::int64_t total_steps, std::int64_t log_every)
    : folder_(folder),
      is_root_(is_root),
      resumed_step_(resumed_step),
      total_steps_(total_steps),
      log_every_(log_every) {
  if (!is_root) return;
  std::string kept;
  for (const auto& line : read_lines(folder / kLogName)) {
    if (line["step"] <= resumed_step) kept += line.dump() + "\n";
  }
  write_file_atomically(folder / kLogName, kept);
  file_.open(folder / kLogName, std::ios::app);
  if (!file_) {
    fail(ErrorCategory::file_system, "{} cannot be written", (folder / kLogName).string());
  }
}

void RunLog::write(const StepRecord& record) {
  if (!is_root_) return;
  show_progress(record);
  const bool due = record.step % log_every_ == 0 || record.step == total_steps_;
  if (!due) return;
  nlohmann::ordered_json line = {
      {"step", record.step}, {"epoch", record.epoch}, {"loss", record.report.loss}};
  for (const auto& [name, value] : record.report.parts) line[name] = value;
  line["lr"] = record.lr;
  line["grad_norm"] = record.report.grad_norm;
  line["step_s"] = record.seconds;
  line["tokens"] = record.report.tokens;
  file_ << line.dump() << "\n" << std::flush;
  if (!file_) {
    fail(ErrorCategory::file_system, "{} cannot be written; is the disk full?",
         (folder_ / kLogName).string());
  }
}

void RunLog::show_progress(const StepRecord& record) {
  const auto now = std::chrono::steady_clock::now();
  const bool terminal = draws_bar();
  const bool last = record.step == total_steps_;
  const std::chrono::duration<double> since = now - last_shown_;
  if (!last && since.count() < (terminal ? 0.1 : kSecondsBetweenLines)) return;
  last_shown_ = now;
  const std::chrono::duration<double> elapsed = now - start_;
  const auto done = static_cast<double>(record.step - resumed_step_);
  const auto left = static_cast<double>(total_steps_ - record.step);
  const std::string text = fmt::format(
      "step {}/{}  loss {:.4f}  lr {:.2e}  {:.0f} tokens/s  {:.0f} s left", record.step,
      total_steps_, record.report.loss, record.lr,
      static_cast<double>(record.report.tokens) / record.seconds, elapsed.count() / done * left);
  if (!terminal) {
    log_line(text);
    return;
  }
  const auto filled = static_cast<int>(kBarWidth * record.step / total_steps_);
  std::fprintf(stderr, "\r[%s%s] %s\x1b[K%s",
               std::string(static_cast<std::size_t>(filled), '=').c_str(),
               std::string(static_cast<std::size_t>(kBarWidth - filled), ' ').c_str(), text.c_str(),
               last ? "\n" : "");
  std::fflush(stderr);
}

void RunLog::write_loss_table() const {
  if (!is_root_) return;
  const auto lines = read_lines(folder_ / kLogName);
  if (lines.empty()) return;
  std::vector<std::string> columns = {"step", "loss"};
  for (const auto& [name, value] : lines.front().items()) {
    if (value.is_number() && name != "step" && name != "loss") columns.push_back(name);
  }
  std::string table;
  for (const std::string& column : columns) table += (table.empty() ? "" : ",") + column;
  table += "\n";
  for (const auto& line : lines) {
    std::string row;
    for (const std::string& column : columns) {
      row += (row.empty() ? "" : ",") + (line.contains(column) ? line[column].dump() : "");
    }
    table += row + "\n";
  }
  write_file_atomically(folder_ / "loss_log.csv", table);
}

}  // namespace tofu
