// Which retain sample and which refusal a forget sample is trained with.
#pragma once

#include <cstdint>
#include <string_view>

namespace tofu {

enum class PairingMode {
  published,  // the published program's draw: the same partners in every epoch and for every seed
  per_epoch,  // a new draw in each epoch
};

// "published" or "per_epoch"; Error{usage} otherwise.
PairingMode parse_pairing_mode(std::string_view name);

struct Partners {
  std::int64_t retain = 0;   // row of the retain set
  std::int64_t refusal = 0;  // line of the refusals; -1 if there are none
};

// The partners of forget sample `sample_index`.
// published: with r = the first 32-bit number of std::mt19937 seeded with the low 32 bits of the
// index (what torch.manual_seed(index) and one torch.randint on the CPU use), retain =
// (index + r mod n_retain) mod n_retain and refusal = r mod n_refusals.
// per_epoch: two draws of std::mt19937_64 seeded with mix({seed, epoch, index}).
// Error{input_data} if there is no retain sample or a set has 2^32 and more entries.
Partners draw_partners(PairingMode mode, std::uint64_t seed, std::int64_t epoch,
                       std::int64_t sample_index, std::int64_t n_retain, std::int64_t n_refusals);

}  // namespace tofu
