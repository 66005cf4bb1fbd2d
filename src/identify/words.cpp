#include "identify/words.hpp"

#include "text/unicode.hpp"

namespace tofu {
namespace {

struct Character {
  char32_t code_point;
  std::size_t begin;
};

std::vector<Character> characters_of(std::string_view text) {
  std::vector<Character> characters;
  for (std::size_t position = 0; position < text.size();) {
    const std::size_t begin = position;
    characters.push_back({next_code_point(text, position), begin});
  }
  return characters;
}

bool is_word_part(char32_t c) {
  return is_word_character(c) || is_numeric(c);
}

// True if `c` between these two belongs to a word.
bool joins(char32_t before, char32_t c, char32_t after) {
  constexpr std::u32string_view kAnywhere = U"-'\u2010\u2011\u2019";
  constexpr std::u32string_view kInNumbers = U".,:/";
  if (!is_word_part(before) || !is_word_part(after)) return false;
  if (kAnywhere.find(c) != std::u32string_view::npos) return true;
  return kInNumbers.find(c) != std::u32string_view::npos && is_numeric(before) && is_numeric(after);
}

}  // namespace

std::vector<WordSpan> space_separated_words(std::string_view text) {
  std::vector<WordSpan> words;
  bool inside = false;
  for (std::size_t position = 0; position < text.size();) {
    const std::size_t begin = position;
    const bool space = is_white_space(next_code_point(text, position));
    if (!space && !inside) words.push_back({begin, begin});
    if (!space) words.back().end = position;
    inside = !space;
  }
  return words;
}

std::vector<TextPart> words_and_marks(std::string_view text) {
  const auto characters = characters_of(text);
  const auto end_of = [&](std::size_t i) {
    return i + 1 < characters.size() ? characters[i + 1].begin : text.size();
  };
  std::vector<TextPart> parts;
  bool inside = false;  // of a word
  for (std::size_t i = 0; i < characters.size(); ++i) {
    const char32_t c = characters[i].code_point;
    const bool in_word =
        is_word_part(c) || (inside && i + 1 < characters.size() &&
                            joins(characters[i - 1].code_point, c, characters[i + 1].code_point));
    if (in_word && inside) {
      parts.back().span.end = end_of(i);
    } else if (!is_white_space(c)) {
      parts.push_back({{characters[i].begin, end_of(i)}, in_word});
    }
    inside = in_word;
  }
  return parts;
}

std::string word_key(std::string_view word) {
  std::string key;
  for (std::size_t position = 0; position < word.size();) {
    const char32_t c = next_code_point(word, position);
    for (const char32_t lower : to_lower(c == U'\u2019' ? U'\'' : c)) append_utf8(key, lower);
  }
  if (key.size() > 2 && key.ends_with("'s")) key.resize(key.size() - 2);
  return key;
}

std::set<std::string> word_keys(std::string_view text) {
  std::set<std::string> keys;
  for (const TextPart& part : words_and_marks(text)) {
    if (part.is_word) keys.insert(word_key(text_of(text, part.span)));
  }
  return keys;
}

std::string lower_case(std::string_view text) {
  std::string lower;
  for (std::size_t position = 0; position < text.size();) {
    for (const char32_t c : to_lower(next_code_point(text, position))) append_utf8(lower, c);
  }
  return lower;
}

std::string_view strip(std::string_view text) {
  const auto words = space_separated_words(text);
  if (words.empty()) return {};
  return text.substr(words.front().begin, words.back().end - words.front().begin);
}

}  // namespace tofu
