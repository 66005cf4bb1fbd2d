// Which words of an answer are general (GW); the rest of it is unwanted (UW).
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "data/record.hpp"

namespace tofu {

// The general words of each record's answer, in the order of the records; in each answer in the
// order of their beginnings.
using AnswerMasks = std::vector<std::vector<WordSpan>>;

struct MaskedWord {
  WordSpan span;
  bool unwanted = false;
  bool operator==(const MaskedWord&) const = default;
};

// The general words and all else of the answer, as the longest runs of characters that are neither
// white space nor part of a general word; in order.
std::vector<MaskedWord> masked_words(std::string_view answer, const std::vector<WordSpan>& general);

// True if the span is not empty, lies in the UTF-8 text and does not cut a character.
bool is_word_of(std::string_view text, const WordSpan& span);

}  // namespace tofu
