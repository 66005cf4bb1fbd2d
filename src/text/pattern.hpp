// The patterns of tokenizer.json: plain strings, or regular expressions as the Oniguruma library
// reads them (Hugging Face uses it), matched here by PCRE2.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/aligned_text.hpp"
#include "text/json_field.hpp"

namespace tofu {

class Pattern {
 public:
  // Error{input_data} naming `field` if the expression is not one that both libraries read alike.
  static Pattern regex(const std::string& expression, const JsonField& field);
  static Pattern literal(std::string text);
  // {"String": ...} or {"Regex": ...}
  static Pattern parse(const JsonField& field);

  // The matches in valid UTF-8 from left to right; they do not overlap.
  std::vector<ByteSpan> find_all(std::string_view text) const;

 private:
  struct Compiled;
  std::string literal_;
  std::shared_ptr<const Compiled> compiled_;  // empty: a literal
};

}  // namespace tofu
