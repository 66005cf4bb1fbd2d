// The Porter stemmer with the extensions of NLTK, which ROUGE uses.
#pragma once

#include <string>
#include <string_view>

namespace tofu {

// The stem of a word, in lower case. ASCII letters are stemmed; other bytes count as consonants.
std::string porter_stem(std::string_view word);

}  // namespace tofu
