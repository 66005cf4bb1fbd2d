#include "objective/losses.hpp"

namespace tofu {
namespace {

// log pi(y|x) - log pi_ref(y|x) of each row [R], over the labels.
at::Tensor log_ratio(const SetScores& scores, Labels labels) {
  return scores.reference_row_nll(labels) - scores.row_nll(labels);
}

}  // namespace

// DPO (arXiv 2305.18290, eq. 7) with the refusal preferred over the forget answer; scaled by
// 2/beta as the published unlearning programs do.
ObjectiveResult dpo(const ObjectiveInput& input) {
  const double beta = input.hyper.beta;
  const at::Tensor margin =
      log_ratio(*input.refusal, Labels::answer) - log_ratio(*input.forget, Labels::unwanted);
  return {at::log_sigmoid(beta * margin).mean() * (-2 / beta), {}};
}

ObjectiveResult dpo_grad_diff(const ObjectiveInput& input) {
  return add_retain_loss(dpo(input), input);
}

// KTO (arXiv 2402.01306) as the NPO paper uses it for unlearning; the KL term comes from the
// refusals and carries no gradient:
//   L = 1 - 2/beta mean log sigmoid(KL - beta (log pi(y|x) - log pi_ref(y|x)))
ObjectiveResult kto_logsigmoid(const ObjectiveInput& input) {
  const double beta = input.hyper.beta;
  const at::Tensor kl_term = log_ratio(*input.refusal, Labels::answer).mean().detach();
  const at::Tensor forget_ratio = log_ratio(*input.forget, Labels::unwanted);
  const at::Tensor loss = 1 - at::log_sigmoid(kl_term - beta * forget_ratio).mean() * (2 / beta);
  return {loss, {{"kl_term", kl_term}}};
}

ObjectiveResult kto_logsigmoid_grad_diff(const ObjectiveInput& input) {
  return add_retain_loss(kto_logsigmoid(input), input);
}

}  // namespace tofu
