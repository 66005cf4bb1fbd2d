#include "text/byte_level.hpp"

#include <map>

#include "text/unicode.hpp"

namespace tofu {

namespace {

// GPT-2's table: printable Latin-1 stands for itself, the other bytes for U+0100 and on.
std::array<char32_t, 256> code_points() {
  std::array<char32_t, 256> table{};
  char32_t next = 256;
  for (char32_t byte = 0; byte < 256; ++byte) {
    const bool printable =
        (byte >= U'!' && byte <= U'~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    table[byte] = printable ? byte : next++;
  }
  return table;
}

}  // namespace

const std::array<std::string, 256>& byte_level_characters() {
  static const auto characters = [] {
    std::array<std::string, 256> table;
    const auto points = code_points();
    for (std::size_t byte = 0; byte < 256; ++byte) append_utf8(table[byte], points[byte]);
    return table;
  }();
  return characters;
}

std::optional<std::string> byte_level_bytes(std::string_view token) {
  static const auto byte_of = [] {
    std::map<char32_t, char> table;
    const auto points = code_points();
    for (std::size_t byte = 0; byte < 256; ++byte) table[points[byte]] = static_cast<char>(byte);
    return table;
  }();
  std::string bytes;
  for (std::size_t position = 0; position < token.size();) {
    const auto found = byte_of.find(next_code_point(token, position));
    if (found == byte_of.end()) return std::nullopt;
    bytes += found->second;
  }
  return bytes;
}

}  // namespace tofu
