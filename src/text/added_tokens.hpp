// The `added_tokens` of a tokenizer.json: tokens that are found in the text before anything else
// splits it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "text/aligned_text.hpp"
#include "text/json_field.hpp"
#include "text/normalizer.hpp"
#include "text/subword_model.hpp"

namespace tofu {

struct AddedToken {
  std::int64_t id = 0;
  std::string content;
  bool single_word = false;  // only where no letter or digit touches it
  bool strip_left = false;   // takes the white space before it along
  bool strip_right = false;  // takes the white space behind it along
  bool normalized = true;    // is looked for in the normalised text, itself normalised
  bool special = false;      // is left out of decoded text
};

// A stretch of text: an added token, or text to tokenise.
struct TextSegment {
  AlignedText text;
  std::optional<std::int64_t> token;
};

class AddedTokens {
 public:
  AddedTokens() = default;
  // Error{input_data} if a token is not one the model can hold under its id.
  AddedTokens(const JsonField& list, const Vocabulary& vocabulary, const Normalizer& normalizer);
  explicit AddedTokens(std::vector<AddedToken> tokens);

  // Splits `text` at the added tokens and normalises what is between them.
  std::vector<TextSegment> split(const AlignedText& text, const Normalizer& normalizer) const;

  const std::vector<AddedToken>& tokens() const { return tokens_; }
  const AddedToken* find(std::string_view content) const;
  const AddedToken* find(std::int64_t id) const;

 private:
  // What is searched for in the text, and whose token it is.
  struct Needle {
    std::string text;
    std::size_t token = 0;
  };
  // Needles by first byte, longest first.
  struct Needles {
    std::unordered_map<char, std::vector<Needle>> by_first_byte;
    void add(const std::string& text, std::size_t token);
    const Needle* longest_at(std::string_view text) const;
  };

  std::vector<TextSegment> split_at(const AlignedText& text, const Needles& needles) const;

  std::vector<AddedToken> tokens_;
  Needles plain_;
  Needles normalized_;
  std::unordered_map<std::int64_t, std::size_t> by_id_;
};

}  // namespace tofu
