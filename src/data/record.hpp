// What a dataset says, before any tokenizer has seen it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace tofu {

// One question and answer of a TOFU split. The evaluation splits add a paraphrase of the answer
// and wrong answers; elsewhere both are empty.
struct Record {
  std::string question;
  std::string answer;
  std::string paraphrased_answer;
  std::vector<std::string> perturbed_answers;
};

// UTF-8 bytes [begin, end) of an answer. (Files count in Unicode characters; here it is bytes.)
struct WordSpan {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool operator==(const WordSpan&) const = default;
};

}  // namespace tofu
