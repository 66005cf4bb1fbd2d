// Sequences of different lengths laid end to end: no padding to compute with.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

namespace tofu {

// N tokens of all sequences together.
struct PackedBatch {
  at::Tensor ids_N;                   // int64
  at::Tensor positions_N;             // int64, from 0 in each sequence
  std::vector<std::int64_t> lengths;  // tokens of each sequence; they sum to N
  // Tokens of each sequence that may be attended to. Smaller than the length only where padding is
  // computed too (the published KL divergence counts its positions); empty means all of them.
  std::vector<std::int64_t> attended;
};

// Packs sequences of token ids. `device` is where the tensors go.
PackedBatch pack_sequences(const std::vector<std::vector<std::int64_t>>& sequences,
                           at::Device device);

}  // namespace tofu
