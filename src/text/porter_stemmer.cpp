// M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980, with the departures of
// NLTK's default mode: irregular words, -ies and -ied of four letters, y after a consonant, alli
// first, fulli and logi.
#include "text/porter_stemmer.hpp"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

namespace tofu {

namespace {

bool is_one_of(char c, std::string_view set) {
  return set.find(c) != std::string_view::npos;
}

// Which letters are consonants: all but a, e, i, o, u and a y behind a consonant.
std::vector<bool> consonants(std::string_view word) {
  std::vector<bool> flags;
  for (const char c : word) {
    const bool vowel = is_one_of(c, "aeiou") || (c == 'y' && !flags.empty() && flags.back());
    flags.push_back(!vowel);
  }
  return flags;
}

// Porter's m: how often a consonant follows a vowel.
int measure(std::string_view stem) {
  const auto flags = consonants(stem);
  int m = 0;
  for (std::size_t i = 1; i < flags.size(); ++i) m += !flags[i - 1] && flags[i];
  return m;
}

bool has_measure(std::string_view stem) {
  return measure(stem) > 0;
}
bool has_measure_above_one(std::string_view stem) {
  return measure(stem) > 1;
}

bool contains_vowel(std::string_view stem) {
  const auto flags = consonants(stem);
  return std::find(flags.begin(), flags.end(), false) != flags.end();
}

bool ends_with_consonant(std::string_view word) {
  return !word.empty() && consonants(word).back();
}

bool ends_with_double_consonant(std::string_view word) {
  return word.size() >= 2 && word.back() == word[word.size() - 2] && ends_with_consonant(word);
}

// Porter's *o: consonant, vowel, consonant other than w, x, y. NLTK: also a word of vowel and
// consonant alone.
bool ends_with_cvc(std::string_view word) {
  const auto flags = consonants(word);
  const std::size_t n = flags.size();
  if (n == 2) return !flags[0] && flags[1];
  return n >= 3 && flags[n - 3] && !flags[n - 2] && flags[n - 1] && !is_one_of(word.back(), "wxy");
}

using Condition = bool (*)(std::string_view stem);

struct Rule {
  std::string_view suffix;
  std::string_view replacement;
  Condition condition = nullptr;  // of the word without the suffix; null: always
};

// Applies the first rule whose suffix the word has, if its condition holds.
std::string apply_rules(std::string_view word, std::span<const Rule> rules) {
  for (const auto& rule : rules) {
    if (!word.ends_with(rule.suffix)) continue;
    const auto stem = word.substr(0, word.size() - rule.suffix.size());
    if (rule.condition != nullptr && !rule.condition(stem)) break;
    return std::string(stem) + std::string(rule.replacement);
  }
  return std::string(word);
}

std::string step_1a(const std::string& word) {
  if (word.size() == 4 && word.ends_with("ies")) return word.substr(0, 3);
  static constexpr Rule kRules[] = {{"sses", "ss"}, {"ies", "i"}, {"ss", "ss"}, {"s", ""}};
  return apply_rules(word, kRules);
}

// What is left of a word whose -ed or -ing went.
std::string restore_ending(const std::string& stem) {
  if (stem.ends_with("at") || stem.ends_with("bl") || stem.ends_with("iz")) return stem + "e";
  if (ends_with_double_consonant(stem)) {
    return is_one_of(stem.back(), "lsz") ? stem : stem.substr(0, stem.size() - 1);
  }
  return measure(stem) == 1 && ends_with_cvc(stem) ? stem + "e" : stem;
}

std::string step_1b(const std::string& word) {
  if (word.ends_with("ied")) return word.substr(0, word.size() - (word.size() == 4 ? 1 : 2));
  if (word.ends_with("eed")) {
    const bool long_enough = has_measure(std::string_view(word).substr(0, word.size() - 3));
    return long_enough ? word.substr(0, word.size() - 1) : word;
  }
  for (const std::string_view suffix : {"ed", "ing"}) {
    if (!word.ends_with(suffix)) continue;
    const std::string stem = word.substr(0, word.size() - suffix.size());
    if (contains_vowel(stem)) return restore_ending(stem);
  }
  return word;
}

std::string step_1c(const std::string& word) {
  static constexpr Rule kRules[] = {{"y", "i", [](std::string_view stem) {
                                       return stem.size() > 1 && ends_with_consonant(stem);
                                     }}};
  return apply_rules(word, kRules);
}

std::string step_2(const std::string& word) {
  if (word.ends_with("alli") && has_measure(std::string_view(word).substr(0, word.size() - 4))) {
    return step_2(word.substr(0, word.size() - 2));
  }
  static constexpr Rule kRules[] = {
      {"ational", "ate", has_measure},
      {"tional", "tion", has_measure},
      {"enci", "ence", has_measure},
      {"anci", "ance", has_measure},
      {"izer", "ize", has_measure},
      {"bli", "ble", has_measure},
      {"alli", "al", has_measure},
      {"entli", "ent", has_measure},
      {"eli", "e", has_measure},
      {"ousli", "ous", has_measure},
      {"ization", "ize", has_measure},
      {"ation", "ate", has_measure},
      {"ator", "ate", has_measure},
      {"alism", "al", has_measure},
      {"iveness", "ive", has_measure},
      {"fulness", "ful", has_measure},
      {"ousness", "ous", has_measure},
      {"aliti", "al", has_measure},
      {"iviti", "ive", has_measure},
      {"biliti", "ble", has_measure},
      {"fulli", "ful", has_measure},
      // The l counts with the stem, so that geo- and theo- are long enough.
      {"logi", "log", [](std::string_view stem) { return has_measure(std::string(stem) + "l"); }}};
  return apply_rules(word, kRules);
}

std::string step_3(const std::string& word) {
  static constexpr Rule kRules[] = {{"icate", "ic", has_measure}, {"ative", "", has_measure},
                                    {"alize", "al", has_measure}, {"iciti", "ic", has_measure},
                                    {"ical", "ic", has_measure},  {"ful", "", has_measure},
                                    {"ness", "", has_measure}};
  return apply_rules(word, kRules);
}

std::string step_4(const std::string& word) {
  static constexpr Condition kLong = has_measure_above_one;
  static constexpr Rule kRules[] = {{"al", "", kLong},
                                    {"ance", "", kLong},
                                    {"ence", "", kLong},
                                    {"er", "", kLong},
                                    {"ic", "", kLong},
                                    {"able", "", kLong},
                                    {"ible", "", kLong},
                                    {"ant", "", kLong},
                                    {"ement", "", kLong},
                                    {"ment", "", kLong},
                                    {"ent", "", kLong},
                                    {"ion", "",
                                     [](std::string_view stem) {
                                       return has_measure_above_one(stem) &&
                                              is_one_of(stem.back(), "st");
                                     }},
                                    {"ou", "", kLong},
                                    {"ism", "", kLong},
                                    {"ate", "", kLong},
                                    {"iti", "", kLong},
                                    {"ous", "", kLong},
                                    {"ive", "", kLong},
                                    {"ize", "", kLong}};
  return apply_rules(word, kRules);
}

std::string step_5(std::string word) {
  if (word.ends_with('e')) {
    const auto stem = std::string_view(word).substr(0, word.size() - 1);
    const int m = measure(stem);
    if (m > 1 || (m == 1 && !ends_with_cvc(stem))) word.pop_back();
  }
  if (word.ends_with("ll") && measure(std::string_view(word).substr(0, word.size() - 1)) > 1) {
    word.pop_back();
  }
  return word;
}

constexpr std::pair<std::string_view, std::string_view> kIrregular[] = {
    {"sky", "sky"},        {"skies", "sky"},       {"dying", "die"},        {"lying", "lie"},
    {"tying", "tie"},      {"news", "news"},       {"innings", "inning"},   {"inning", "inning"},
    {"outings", "outing"}, {"outing", "outing"},   {"cannings", "canning"}, {"canning", "canning"},
    {"howe", "howe"},      {"proceed", "proceed"}, {"exceed", "exceed"},    {"succeed", "succeed"}};

}  // namespace

std::string porter_stem(std::string_view word) {
  std::string stem(word);
  for (char& c : stem) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  for (const auto& [irregular, its_stem] : kIrregular) {
    if (stem == irregular) return std::string(its_stem);
  }
  if (stem.size() <= 2) return stem;
  return step_5(step_4(step_3(step_2(step_1c(step_1b(step_1a(stem)))))));
}

}  // namespace tofu
