// Text on its way through a tokenizer: every byte remembers which bytes of the input it stands for,
// so that tokens of rewritten text can be placed in the text that the user gave.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tofu {

// Bytes [begin, end).
struct ByteSpan {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool operator==(const ByteSpan&) const = default;
};

class AlignedText {
 public:
  AlignedText() = default;
  // Text as given: each character stands for itself. It must be valid UTF-8.
  explicit AlignedText(std::string_view input);

  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }

  // The input that bytes [begin, end) of text() stand for; an empty span is placed where it is.
  ByteSpan input_span(std::size_t begin, std::size_t end) const;

  AlignedText slice(std::size_t begin, std::size_t end) const;

  // Adds text that stands for `input`.
  void append(std::string_view text, ByteSpan input);
  // Adds bytes [begin, end) of `other` with what they stand for.
  void append(const AlignedText& other, std::size_t begin, std::size_t end);

  // Puts `text` in front; it shares the input of the first character. Does nothing to empty text.
  void prepend(std::string_view text);

 private:
  std::string text_;
  std::vector<ByteSpan> input_;  // one per byte of text_
};

}  // namespace tofu
