#include "text/aligned_text.hpp"

#include "text/unicode.hpp"

namespace tofu {

AlignedText::AlignedText(std::string_view input) : text_(input) {
  input_.reserve(input.size());
  for (std::size_t begin = 0; begin < input.size();) {
    const std::size_t end = begin + utf8_length(input[begin]);
    input_.insert(input_.end(), end - begin, ByteSpan{begin, end});
    begin = end;
  }
}

ByteSpan AlignedText::input_span(std::size_t begin, std::size_t end) const {
  if (begin < end) return {input_[begin].begin, input_[end - 1].end};
  const std::size_t place = begin > 0 ? input_[begin - 1].end : 0;
  return {place, place};
}

AlignedText AlignedText::slice(std::size_t begin, std::size_t end) const {
  AlignedText part;
  part.append(*this, begin, end);
  return part;
}

void AlignedText::append(std::string_view text, ByteSpan input) {
  text_ += text;
  input_.insert(input_.end(), text.size(), input);
}

void AlignedText::append(const AlignedText& other, std::size_t begin, std::size_t end) {
  text_.append(other.text_, begin, end - begin);
  const auto first = other.input_.begin();
  input_.insert(input_.end(), first + static_cast<std::ptrdiff_t>(begin),
                first + static_cast<std::ptrdiff_t>(end));
}

void AlignedText::prepend(std::string_view text) {
  if (empty()) return;
  text_.insert(0, text);
  input_.insert(input_.begin(), text.size(), ByteSpan(input_.front()));
}

}  // namespace tofu
