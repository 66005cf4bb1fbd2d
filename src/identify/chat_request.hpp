// classifier=gpt: what a large language model behind the OpenAI chat API is asked, one question and
// answer at a time.
#pragma once

#include <string>
#include <vector>

#include "data/record.hpp"

namespace tofu {

struct ChatSettings {
  std::string instruction;  // the system message
  std::string model;        // its name at the service
};

// One record to be asked about.
struct ChatTask {
  // "forget01-0007-<digest of instruction, model, question and answer>": an answer to another
  // question is not taken for one to this.
  std::string custom_id;
  Record record;
};

std::vector<ChatTask> make_chat_tasks(const std::string& split, const std::vector<Record>& records,
                                      const ChatSettings& settings);

// An answer that could not be used, to be told to the model when it is asked again.
struct RefusedAnswer {
  std::string content;  // empty if there was none
  std::string problem;
};

// The JSON body of a chat completion request: the instruction, the question and answer, and, when
// asking again, what was wrong with the last answer (null: asking for the first time).
std::string chat_request_body(const ChatSettings& settings, const Record& record,
                              const RefusedAnswer* refused);

// A line of a batch file of OpenAI's format, with its end of line.
std::string batch_line(const ChatSettings& settings, const ChatTask& task,
                       const RefusedAnswer* refused);

}  // namespace tofu
