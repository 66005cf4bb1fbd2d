// The answers of a large language model about a split, as they come in: good ones are kept on the
// disk, the others are remembered with what was wrong, and nothing is dropped.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "data/answer_masks.hpp"
#include "identify/chat_answer.hpp"
#include "identify/chat_request.hpp"
#include "identify/partial_results.hpp"

namespace tofu {

// For one process.
class ChatAnswers {
 public:
  // `cache`: the file of good answers; those to the same requests are taken from it.
  ChatAnswers(const std::string& split, const std::vector<Record>& records, ChatSettings settings,
              const std::filesystem::path& cache);

  std::size_t count() const { return tasks_.size(); }
  // The custom_ids of the records without a good answer, in their order.
  std::vector<std::string> missing() const;
  // The body to ask about a record (again).
  std::string request(const std::string& id) const;
  // Takes the JSON of a chat completion; returns what is wrong with it, empty if it is good.
  std::string accept(const std::string& id, const std::string& completion);
  // Remembers why there is no answer.
  void note_problem(const std::string& id, const std::string& problem);

  // Takes a file of batch responses: JSON lines with custom_id and response, or error. Lines that
  // are no response to a request of ours are warned of. Error{file_system} if it cannot be read.
  void collect(const std::filesystem::path& responses);

  // Batch lines for what is missing.
  std::string requests() const;
  // A JSON line for each missing answer: custom_id, record (from 1), problem, content.
  std::string report() const;
  // The general words of each record. Nothing may be missing.
  AnswerMasks masks() const;

 private:
  struct Entry {
    std::size_t index = 0;  // of the record
    bool good = false;
    std::vector<WordSpan> general;
    RefusedAnswer refused;
  };
  const ChatTask& task(const std::string& id) const { return tasks_[entries_.at(id).index]; }
  const RefusedAnswer* refused(const std::string& id) const;
  std::string take(const std::string& id, const ChatAnswer& answer);
  void collect_line(const std::string& line, const std::string& where);

  ChatSettings settings_;
  std::vector<ChatTask> tasks_;
  std::map<std::string, Entry> entries_;  // by custom_id
  PartialResults cache_;
};

}  // namespace tofu
