// classifier=model: the fine-tuned model itself tells what it learnt. A word whose probability
// drops without the question, or for a model that never learnt the facts, is unwanted.
#pragma once

#include <string>
#include <vector>

#include "comm/session.hpp"
#include "config/job_config.hpp"
#include "data/answer_masks.hpp"
#include "model/llama.hpp"
#include "text/tokenizer.hpp"

namespace tofu {

struct WordScoring {
  const Llama& model;
  const Tokenizer& tokenizer;
  const ModelFamily& family;
  bool with_question = true;  // false: an empty question in the family's frame
  std::int64_t batch_size = 8;
  std::int64_t max_length = 500;  // tokens; what is behind them is not scored
};

// The probability of each word of each answer (words_and_marks() without the marks): the product
// of those of its tokens, each after all the text before it. Batches do not depend on the number
// of ranks and are dealt out to them. Error{numerical} if the model gives no number. Collective.
std::vector<std::vector<double>> word_probabilities(const WordScoring& scoring,
                                                    const std::vector<Record>& records,
                                                    const HostGroup& world);

// The general words: those whose probability, with the knowledge and without, drops by no more than
// `threshold`; words of the question, as it gives them away; and all marks. Words that were not
// scored are unwanted.
AnswerMasks identify_by_drop(const std::vector<Record>& records,
                             const std::vector<std::vector<double>>& knowing,
                             const std::vector<std::vector<double>>& ignorant, double threshold);

}  // namespace tofu
