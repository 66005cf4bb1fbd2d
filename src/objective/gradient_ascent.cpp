#include "objective/losses.hpp"

namespace tofu {

// TOFU (arXiv 2401.06121), gradient ascent: minus the mean negative log-likelihood of the labels.
ObjectiveResult grad_ascent(const ObjectiveInput& input) {
  const at::Tensor forget_loss = -input.forget->mean_nll(Labels::unwanted);
  return {forget_loss, {{"forget_loss", forget_loss}}};
}

// Gradient difference: the same with descent on the retain answers.
ObjectiveResult grad_diff(const ObjectiveInput& input) {
  return add_retain_loss(grad_ascent(input), input);
}

}  // namespace tofu
