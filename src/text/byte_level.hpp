// The printable alphabet of byte-level BPE: each of the 256 bytes as one character.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace tofu {

// The character of each byte, as UTF-8.
const std::array<std::string, 256>& byte_level_characters();

// The bytes that `token` spells in that alphabet; nothing if it has another character.
std::optional<std::string> byte_level_bytes(std::string_view token);

}  // namespace tofu
