#include "data/answer_masks.hpp"

#include <algorithm>

#include "text/unicode.hpp"

namespace tofu {
namespace {

// Appends the runs of characters other than white space in [begin, end) of the answer.
void append_unwanted(std::string_view answer, std::size_t begin, std::size_t end,
                     std::vector<MaskedWord>& words) {
  std::size_t run = begin;  // where the current run begins
  for (std::size_t position = begin; position < end;) {
    const std::size_t character = position;
    if (!is_white_space(next_code_point(answer, position))) continue;
    if (character > run) words.push_back({{run, character}, true});
    run = position;
  }
  if (end > run) words.push_back({{run, end}, true});
}

bool begins_character(std::string_view text, std::size_t position) {
  return position == text.size() || (static_cast<unsigned char>(text[position]) & 0xC0U) != 0x80U;
}

}  // namespace

std::vector<MaskedWord> masked_words(std::string_view answer,
                                     const std::vector<WordSpan>& general) {
  std::vector<MaskedWord> words;
  std::size_t covered = 0;
  for (const WordSpan& span : general) {
    // General words may overlap; what is between them does not.
    if (span.begin > covered) append_unwanted(answer, covered, span.begin, words);
    words.push_back({span, false});
    covered = std::max(covered, span.end);
  }
  append_unwanted(answer, covered, answer.size(), words);
  return words;
}

bool is_word_of(std::string_view text, const WordSpan& span) {
  return span.begin < span.end && span.end <= text.size() && begins_character(text, span.begin) &&
         begins_character(text, span.end);
}

}  // namespace tofu
