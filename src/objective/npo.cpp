#include "objective/losses.hpp"

namespace tofu {

// Negative Preference Optimization (arXiv 2404.05868, eq. 3), on sums over the labels:
//   L = -2/beta mean log sigmoid(beta (NLL - NLL_ref))
ObjectiveResult npo(const ObjectiveInput& input) {
  const double beta = input.hyper.beta;
  const at::Tensor ratio =
      input.forget->row_nll(Labels::unwanted) - input.forget->reference_row_nll(Labels::unwanted);
  const at::Tensor forget_loss = at::log_sigmoid(beta * ratio).mean() * (-2 / beta);
  return {forget_loss, {{"forget_loss", forget_loss}}};
}

// SimNPO (arXiv 2410.07163): no reference, NLL per token, a margin gamma.
ObjectiveResult simnpo(const ObjectiveInput& input) {
  const double beta = input.hyper.beta;
  const Selection labels = input.forget->set().select(Labels::unwanted);
  const std::int64_t rows = input.forget->set().rows;
  const at::Tensor nll = input.forget->nll(labels);
  const at::Tensor counts = sum_by_row(at::ones_like(nll), labels.rows, rows).clamp_min(1);
  const at::Tensor per_token = sum_by_row(nll, labels.rows, rows) / counts;
  const at::Tensor forget_loss =
      at::log_sigmoid(beta * (per_token - input.hyper.gamma)).mean() * (-2 / beta);
  return {forget_loss, {{"forget_loss", forget_loss}}};
}

namespace {

ObjectiveResult weighted_with_retain(ObjectiveResult result, const ObjectiveInput& input) {
  result.loss = input.hyper.npo_coeff * result.loss;
  return add_retain_loss(std::move(result), input, input.hyper.grad_diff_coeff);
}

}  // namespace

ObjectiveResult npo_grad_diff(const ObjectiveInput& input) {
  return weighted_with_retain(npo(input), input);
}

ObjectiveResult simnpo_grad_diff(const ObjectiveInput& input) {
  return weighted_with_retain(simnpo(input), input);
}

}  // namespace tofu
