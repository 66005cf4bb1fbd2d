#include "app/chat_identification.hpp"

#include <cstdlib>

#include "base/error.hpp"
#include "base/log.hpp"
#include "config/config_paths.hpp"
#include "identify/chat_answers.hpp"
#include "identify/chat_client.hpp"
#include "store/atomic_file.hpp"
#include "store/posix_file.hpp"
#include "train/stop_request.hpp"

namespace tofu {
namespace {

constexpr const char* kInstructionFile = "identify_instruction.md";
// The other ranks wait for so long at a time.
constexpr double kSecondsPerRound = 2;

std::filesystem::path instruction_file(const JobConfig& job) {
  if (!job.instruction_path.empty()) return job.instruction_path;
  const auto found = find_config_file(config_folders(), {kInstructionFile});
  if (!found) {
    fail(ErrorCategory::file_system, "configs/{} is not there: set instruction_path",
         kInstructionFile);
  }
  return *found;
}

std::string api_key() {
  for (const char* name : {"TOFU_MPI_API_KEY", "OPENAI_API_KEY"}) {
    const char* key = std::getenv(name);
    if (key != nullptr && *key != '\0') return key;
  }
  return {};
}

ChatClientOptions client_options(const JobConfig& job) {
  ChatClientOptions options;
  options.endpoint = job.endpoint;
  options.api_key = api_key();
  options.max_concurrency = static_cast<int>(job.max_concurrency);
  options.timeout = job.request_timeout;
  return options;
}

// Rank 0 asks, in rounds after which all agree whether to go on. False if the job was asked to
// stop.
bool ask_endpoint(const Identification& task, ChatAnswers* answers) {
  std::optional<ChatClient> client;
  task.world.on_root([&] {
    client.emplace(client_options(task.job()),
                   ChatExchange{[&](const std::string& id) { return answers->request(id); },
                                [&](const std::string& id, const std::string& response) {
                                  return answers->accept(id, response);
                                }},
                   answers->missing());
  });
  bool is_done = false;
  std::size_t logged = 0;
  while (!is_done) {
    task.world.on_root([&] {
      is_done = client->work(kSecondsPerRound);
      const std::size_t received = answers->count() - answers->missing().size();
      if (received != logged) log_info("{} of {} answers", received, answers->count());
      logged = received;
    });
    is_done = task.world.max(is_done ? 1 : 0) > 0;
    if (!is_done && task.world.max(stop_was_requested() ? 1 : 0) > 0) return false;
  }
  task.world.on_root([&] {
    for (const auto& [id, problem] : client->failures()) answers->note_problem(id, problem);
  });
  return true;
}

void remove_if_there(const std::filesystem::path& path) {
  std::error_code ignored;  // it is only in the way
  std::filesystem::remove(path, ignored);
}

// Fails with what is missing, after writing what is wrong and what to send again.
[[noreturn]] void fail_with_report(const Identification& task, const ChatAnswers& answers) {
  const std::filesystem::path report = task.beside(".report");
  const std::filesystem::path retry =
      task.job().emit.empty() ? task.beside(".retry") : std::filesystem::path(task.job().emit);
  write_file_atomically(report, answers.report());
  write_file_atomically(retry, answers.requests());
  fail(ErrorCategory::input_data,
       "{} of {} answers are missing or cannot be used, though all others are kept: {} says what "
       "is wrong with each; send the requests in {} and collect their responses, or start again",
       answers.missing().size(), answers.count(), report.string(), retry.string());
}

// Rank 0 alone. The masks, or none where requests were written for somebody else to send.
std::optional<AnswerMasks> conclude(const Identification& task, const ChatAnswers& answers) {
  const JobConfig& job = task.job();
  const std::size_t missing = answers.missing().size();
  if (missing > 0 && (!job.collect.empty() || !job.endpoint.empty())) {
    fail_with_report(task, answers);
  }
  if (missing > 0) {
    write_file_atomically(job.emit, answers.requests());
    log_info("{}: {} requests; have them answered, then give collect=RESPONSES", job.emit, missing);
    return std::nullopt;
  }
  remove_if_there(task.beside(".report"));
  remove_if_there(task.beside(".retry"));
  return answers.masks();
}

}  // namespace

Identified by_chat(Identification* task) {
  const JobConfig& job = task->job();
  const LoadedConfig& config = task->command_line.config;
  require_key(config, "chat_model", job.chat_model);
  if (job.emit.empty() && job.collect.empty() && job.endpoint.empty()) {
    fail(ErrorCategory::usage,
         "classifier=gpt needs endpoint=http://... to ask a server, or emit=FILE to write requests "
         "and later collect=FILE to read the responses");
  }
  std::string instruction;
  task->world.on_root([&] { instruction = read_file(instruction_file(job)); });
  instruction = task->world.broadcast_from_root(instruction);
  if (task->command_line.dry_run) return {};

  std::optional<ChatAnswers> answers;
  task->world.on_root([&] {
    answers.emplace(job.split, task->records, ChatSettings{instruction, job.chat_model},
                    task->beside(".answers"));
    if (!job.collect.empty()) answers->collect(job.collect);
  });
  if (!job.endpoint.empty() && !ask_endpoint(*task, answers ? &*answers : nullptr)) {
    log_info("stopped on request; the same command goes on from here");
    return {std::nullopt, kExitRequeue};
  }
  std::optional<AnswerMasks> masks;
  task->world.on_root([&] { masks = conclude(*task, *answers); });
  if (task->world.max(masks ? 1 : 0) == 0) return {};
  return {masks ? std::move(masks) : AnswerMasks(), 0};
}

}  // namespace tofu
