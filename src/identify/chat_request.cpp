#include "identify/chat_request.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "data/split_digest.hpp"

namespace tofu {
namespace {

using Json = nlohmann::ordered_json;

Json message(const char* role, const std::string& content) {
  return Json{{"role", role}, {"content", content}};
}

Json request_body(const ChatSettings& settings, const Record& record,
                  const RefusedAnswer* refused) {
  Json messages = Json::array();
  messages.push_back(message("system", settings.instruction));
  messages.push_back(
      message("user", fmt::format("Question: {}\nAnswer: {}", record.question, record.answer)));
  if (refused != nullptr && !refused->content.empty()) {
    messages.push_back(message("assistant", refused->content));
    messages.push_back(message(
        "user", fmt::format("That cannot be used: {}. Answer again, with the JSON object alone.",
                            refused->problem)));
  }
  Json body;
  body["model"] = settings.model;
  body["messages"] = std::move(messages);
  body["temperature"] = 0;
  body["response_format"] = Json{{"type", "json_object"}};
  return body;
}

}  // namespace

std::vector<ChatTask> make_chat_tasks(const std::string& split, const std::vector<Record>& records,
                                      const ChatSettings& settings) {
  std::vector<ChatTask> tasks;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Record settings_text{settings.instruction, settings.model, {}, {}};
    tasks.push_back(
        {fmt::format("{}-{:04}-{}", split, i + 1, split_digest({settings_text, records[i]})),
         records[i]});
  }
  return tasks;
}

std::string chat_request_body(const ChatSettings& settings, const Record& record,
                              const RefusedAnswer* refused) {
  return request_body(settings, record, refused).dump();
}

std::string batch_line(const ChatSettings& settings, const ChatTask& task,
                       const RefusedAnswer* refused) {
  Json line;
  line["custom_id"] = task.custom_id;
  line["method"] = "POST";
  line["url"] = "/v1/chat/completions";
  line["body"] = request_body(settings, task.record, refused);
  return line.dump() + "\n";
}

}  // namespace tofu
