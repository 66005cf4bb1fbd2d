#include "data/pairing.hpp"

#include <random>

#include "base/error.hpp"
#include "data/seeded_random.hpp"

namespace tofu {

namespace {

constexpr std::int64_t kMaxEntries = 0xFFFFFFFF;  // torch.randint draws 64 bits for larger ranges

Partners draw_published(std::int64_t sample_index, std::int64_t n_retain, std::int64_t n_refusals) {
  std::mt19937 generator(static_cast<std::uint32_t>(sample_index));
  const auto r = static_cast<std::int64_t>(generator());
  return {(sample_index + r % n_retain) % n_retain, n_refusals > 0 ? r % n_refusals : -1};
}

}  // namespace

PairingMode parse_pairing_mode(std::string_view name) {
  if (name == "published") return PairingMode::published;
  if (name == "per_epoch") return PairingMode::per_epoch;
  fail(ErrorCategory::usage, "retain_pairing is '{}'; it can be published or per_epoch", name);
}

Partners draw_partners(PairingMode mode, std::uint64_t seed, std::int64_t epoch,
                       std::int64_t sample_index, std::int64_t n_retain, std::int64_t n_refusals) {
  if (n_retain <= 0 || n_retain > kMaxEntries || n_refusals < 0 || n_refusals > kMaxEntries) {
    fail(ErrorCategory::input_data,
         "cannot pair forget samples with {} retain samples and {} refusals: there must be at "
         "least one retain sample, and fewer than 2^32 of each",
         n_retain, n_refusals);
  }
  if (mode == PairingMode::published) return draw_published(sample_index, n_retain, n_refusals);
  std::mt19937_64 generator(
      mix({seed, static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(sample_index)}));
  const std::int64_t retain = draw_below(generator, n_retain);
  return {retain, n_refusals > 0 ? draw_below(generator, n_refusals) : -1};
}

}  // namespace tofu
