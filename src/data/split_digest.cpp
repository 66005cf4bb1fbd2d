#include "data/split_digest.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

namespace tofu {
namespace {

class Fnv1a {
 public:
  void add(std::string_view text) {
    for (int shift = 0; shift < 64; shift += 8) {
      add_byte(static_cast<unsigned char>(std::uint64_t{text.size()} >> shift));
    }
    for (const char c : text) add_byte(static_cast<unsigned char>(c));
  }
  std::uint64_t value() const { return hash_; }

 private:
  void add_byte(unsigned char byte) { hash_ = (hash_ ^ byte) * 0x100000001B3U; }

  std::uint64_t hash_ = 0xCBF29CE484222325U;
};

}  // namespace

std::string split_digest(const std::vector<Record>& records) {
  Fnv1a hash;
  for (const Record& record : records) {
    hash.add(record.question);
    hash.add(record.answer);
  }
  return fmt::format("{:016x}", hash.value());
}

}  // namespace tofu
