// How far two identifiers agree on which words are unwanted.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "data/answer_masks.hpp"
#include "data/record.hpp"

namespace tofu {

// A word of an answer (words_and_marks() without the marks). It is general if any part of it is in
// a general word, as the tokens of a training sample are.
struct LabelledWord {
  WordSpan span;
  bool unwanted = false;
};
std::vector<LabelledWord> label_words(const std::string& answer,
                                      const std::vector<WordSpan>& general);

// Words counted by what two masks, A and B, say of them.
struct Agreement {
  std::int64_t words = 0;
  std::int64_t unwanted_in_both = 0;
  std::int64_t unwanted_in_a_alone = 0;
  std::int64_t unwanted_in_b_alone = 0;
  std::int64_t answers = 0;
  std::int64_t answers_without_unwanted_a = 0;
  std::int64_t answers_without_unwanted_b = 0;
  // Disputed words in lower case, with how often A alone and B alone finds them unwanted.
  struct Dispute {
    std::int64_t a_alone = 0;
    std::int64_t b_alone = 0;
  };
  std::map<std::string, Dispute> disputes;

  double share_a() const;  // of unwanted words
  double share_b() const;
  // Cohen's kappa: (p - e) / (1 - e) with p the observed agreement and e that of two identifiers
  // with these shares by chance. 1 where both say the same of every word.
  double kappa() const;
  // Of A, with B as the truth; 1 where there is nothing to find.
  double precision() const;
  double recall() const;
};

// `a` and `b` are masks of the same records.
Agreement compare_masks(const std::vector<Record>& records, const AnswerMasks& a,
                        const AnswerMasks& b);

// A table with a line for each split, and the words that are disputed most over all of them.
std::string agreement_report(const std::map<std::string, Agreement>& by_split);

}  // namespace tofu
