// How a text is cut into words, and when two words are the same.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "data/record.hpp"

namespace tofu {

// The longest runs of characters other than white space: punctuation stays with its word.
std::vector<WordSpan> space_separated_words(std::string_view text);

// Words and, apart from them, every other character that is not white space. A word is a run of
// letters, marks and digits; a hyphen, an apostrophe, and between digits . , : / belong to it when
// they stand inside: "Al-Kuwaiti's", "08/09/1956".
struct TextPart {
  WordSpan span;
  bool is_word = false;
  bool operator==(const TextPart&) const = default;
};
std::vector<TextPart> words_and_marks(std::string_view text);

// A word in lower case, with a plain apostrophe, and without a possessive 's.
std::string word_key(std::string_view word);

// Those of all words of a text.
std::set<std::string> word_keys(std::string_view text);

// Every character in lower case.
std::string lower_case(std::string_view text);

// Without white space at both ends.
std::string_view strip(std::string_view text);

inline std::string_view text_of(std::string_view text, const WordSpan& span) {
  return text.substr(span.begin, span.end - span.begin);
}

}  // namespace tofu
