// classifier=frequency: a word that many authors' answers share says nothing about one of them.
// Needs the data alone.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "data/answer_masks.hpp"
#include "data/record.hpp"

namespace tofu {

struct FrequencyOptions {
  std::int64_t author_records = 20;  // records in a row that are about one author
  double threshold = 0.2;            // least share of authors for a word to be general
  double name_threshold = 0.5;       // the same for numbers and capitalised words
};

// In how many authors' answers a word occurs, as a share of all authors, by the word's
// word_key().
using DocumentFrequency = std::map<std::string, double>;
DocumentFrequency document_frequency(const std::vector<Record>& retained,
                                     std::int64_t author_records);

// The general words of each record: punctuation; words of the question, as it gives them away;
// numbers and words that are capitalised off the start of a sentence if they reach
// name_threshold; all other words if they reach threshold.
AnswerMasks identify_by_frequency(const std::vector<Record>& records,
                                  const DocumentFrequency& frequency,
                                  const FrequencyOptions& options);

}  // namespace tofu
