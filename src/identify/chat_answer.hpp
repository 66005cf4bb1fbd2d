// What a large language model answered: is it usable, and which words does it name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/record.hpp"

namespace tofu {

// The general words of an answer, or what is wrong.
struct ChatAnswer {
  std::vector<WordSpan> general;
  std::string content;  // what the model wrote, empty if nothing
  std::string problem;  // empty: usable
};

// Checks what the model wrote about `answer`: strict JSON {"unwanted": [PHRASE, ...]}, perhaps in a
// code fence. A phrase has to occur in the answer as whole words, and counts wherever it does;
// where phrases overlap, the longest takes the place, and one that is left without any is a
// problem. The general words are all words and marks outside of the phrases.
ChatAnswer read_chat_content(const std::string& content, const std::string& answer);

// The same for the JSON of a chat completion. A refusal, an answer that was cut short
// (finish_reason) or held back, and anything that is no completion are problems.
ChatAnswer read_chat_completion(std::string_view json_text, const std::string& answer);

}  // namespace tofu
