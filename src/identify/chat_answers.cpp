#include "identify/chat_answers.hpp"

#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "store/posix_file.hpp"
#include "text/unicode.hpp"

namespace tofu {
namespace {

using nlohmann::json;

constexpr const char* kNoAnswer = "there is no answer";

// The text of a response's error, or nothing if there is none.
std::string error_of(const json& line) {
  const json error = line.value("error", json());
  if (!error.is_null()) return "the service reports an error: " + error.dump();
  const json response = line.value("response", json());
  if (!response.is_object() || !response.contains("body")) return "there is no response";
  const json status = response.value("status_code", json(200));
  if (status != 200) {
    return fmt::format("HTTP status {}: {}", status.dump(), response["body"].dump());
  }
  return {};
}

}  // namespace

ChatAnswers::ChatAnswers(const std::string& split, const std::vector<Record>& records,
                         ChatSettings settings, const std::filesystem::path& cache)
    : settings_(std::move(settings)),
      tasks_(make_chat_tasks(split, records, settings_)),
      cache_(cache, "answers of a large language model") {
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    Entry& entry = entries_[tasks_[i].custom_id];
    entry.index = i;
    entry.refused.problem = kNoAnswer;
    const auto kept = cache_.results().find(tasks_[i].custom_id);
    if (kept == cache_.results().end()) continue;
    const ChatAnswer answer = read_chat_content(kept->second, tasks_[i].record.answer);
    entry.good = answer.problem.empty();
    entry.general = answer.general;
  }
}

std::vector<std::string> ChatAnswers::missing() const {
  std::vector<std::string> ids;
  for (const ChatTask& task : tasks_) {
    if (!entries_.at(task.custom_id).good) ids.push_back(task.custom_id);
  }
  return ids;
}

const RefusedAnswer* ChatAnswers::refused(const std::string& id) const {
  const RefusedAnswer& refused = entries_.at(id).refused;
  return refused.content.empty() ? nullptr : &refused;
}

std::string ChatAnswers::request(const std::string& id) const {
  return chat_request_body(settings_, task(id).record, refused(id));
}

std::string ChatAnswers::accept(const std::string& id, const std::string& completion) {
  return take(id, read_chat_completion(completion, task(id).record.answer));
}

std::string ChatAnswers::take(const std::string& id, const ChatAnswer& answer) {
  Entry& entry = entries_.at(id);
  if (entry.good) return {};
  if (!answer.problem.empty()) {
    entry.refused = {answer.content, answer.problem};
    return answer.problem;
  }
  entry.good = true;
  entry.general = answer.general;
  cache_.add({{id, answer.content}});
  return {};
}

void ChatAnswers::note_problem(const std::string& id, const std::string& problem) {
  entries_.at(id).refused.problem = problem;
}

void ChatAnswers::collect(const std::filesystem::path& responses) {
  std::istringstream stream(read_file(responses));
  std::size_t number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    collect_line(line, fmt::format("{}, line {}", responses.string(), number));
  }
}

void ChatAnswers::collect_line(const std::string& text, const std::string& where) {
  const json line = json::parse(text, nullptr, false);
  if (!line.is_object() || !line.contains("custom_id") || !line["custom_id"].is_string()) {
    log_warning("{}: not a response with a custom_id; is the file complete?", where);
    return;
  }
  const auto id = line["custom_id"].get<std::string>();
  if (!entries_.contains(id)) {
    log_warning("{}: {} is an answer to another request (other data, instruction or chat_model)",
                where, id);
    return;
  }
  const std::string error = error_of(line);
  if (!error.empty()) {
    take(id, {{}, {}, error});
    return;
  }
  accept(id, line["response"]["body"].dump());
}

std::string ChatAnswers::requests() const {
  std::string lines;
  for (const std::string& id : missing()) lines += batch_line(settings_, task(id), refused(id));
  return lines;
}

std::string ChatAnswers::report() const {
  std::string lines;
  for (const std::string& id : missing()) {
    const Entry& entry = entries_.at(id);
    nlohmann::ordered_json line;
    line["custom_id"] = id;
    line["record"] = entry.index + 1;
    line["problem"] = replace_invalid_utf8(entry.refused.problem);
    line["content"] = entry.refused.content;
    lines += line.dump() + "\n";
  }
  return lines;
}

AnswerMasks ChatAnswers::masks() const {
  AnswerMasks masks;
  for (const ChatTask& task : tasks_) {
    const Entry& entry = entries_.at(task.custom_id);
    if (!entry.good) throw std::logic_error("an answer is missing: " + task.custom_id);
    masks.push_back(entry.general);
  }
  return masks;
}

}  // namespace tofu
