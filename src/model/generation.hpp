// Text generation with a key-value cache and continuous batching: a sequence that ends makes room
// for the next one at once.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "model/llama.hpp"

namespace tofu {

struct GenerationOptions {
  std::int64_t max_length = 200;    // tokens of prompt and continuation together
  std::int64_t max_new_tokens = 0;  // 0: as max_length allows
  std::int64_t batch_size = 16;     // sequences under way at once
  bool sample = false;              // draw from the softmax instead of taking the most likely token
  // The seed of a sequence's own generator, by its place in `prompts`: what is drawn does not
  // depend on which other sequences are under way. Needed with `sample`.
  std::function<std::uint64_t(std::size_t)> seed_of;
};

// The continuation of each prompt, without the end-of-sequence token that stopped it. A prompt that
// is as long as the limit gets an empty one.
std::vector<std::vector<std::int64_t>> generate(
    const Llama& model, const std::vector<std::vector<std::int64_t>>& prompts,
    const GenerationOptions& options);

}  // namespace tofu
