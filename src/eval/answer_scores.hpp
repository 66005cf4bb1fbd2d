// Teacher-forced scores of answers: how likely a model finds each of them.
#pragma once

#include <vector>

#include "data/sample.hpp"
#include "model/llama.hpp"

namespace tofu {

struct AnswerScore {
  double nll_sum = 0;        // nats, over the scored tokens
  std::int64_t tokens = 0;   // their number
  double kl_divergence = 0;  // from the reference, mean over positions; 0 without one

  double nll_mean() const { return tokens > 0 ? nll_sum / static_cast<double>(tokens) : 0; }
};

struct ScoreOptions {
  bool score_end = false;            // eval.eos keep: the end of the sequence counts too
  const Llama* reference = nullptr;  // KL(reference || model) over all tokens of the sample
  // Positions per sample that the KL divergence averages over; 0: its own tokens (attended). The
  // published program pads to this length and counts the padding.
  std::int64_t kl_padded_length = 0;
  std::int64_t samples_per_forward = 30;
};

// One score per sample, in order.
std::vector<AnswerScore> score_answers(const Llama& model, const std::vector<Sample>& samples,
                                       const ScoreOptions& options);

}  // namespace tofu
