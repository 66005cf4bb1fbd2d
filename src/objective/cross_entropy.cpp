#include "objective/losses.hpp"

namespace tofu {

// Finetuning: mean negative log-likelihood of the answers' tokens (of the end too, where the
// samples were made with one: data.eos).
ObjectiveResult cross_entropy(const ObjectiveInput& input) {
  return {input.forget->mean_nll(Labels::trained), {}};
}

// TOFU (arXiv 2401.06121), "IDK": the mean over all tokens of the refusals and the retain answers
// together.
ObjectiveResult idk(const ObjectiveInput& input) {
  const at::Tensor nll = at::cat({input.refusal->nll(input.refusal->set().select(Labels::answer)),
                                  input.retain->nll(input.retain->set().select(Labels::answer))});
  return {nll.mean(), {}};
}

ObjectiveResult add_retain_loss(ObjectiveResult result, const ObjectiveInput& input,
                                double coefficient) {
  const at::Tensor retain_loss = input.retain->mean_nll(Labels::answer);
  result.loss = result.loss + coefficient * retain_loss;
  result.parts.emplace_back("retain_loss", retain_loss);
  return result;
}

}  // namespace tofu
