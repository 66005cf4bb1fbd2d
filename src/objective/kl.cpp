#include "objective/losses.hpp"

namespace tofu {
namespace {

// KL(reference || policy) of the retain samples' next-token distributions (TOFU, arXiv 2401.06121),
// mean over positions: those of the samples, or with padding as the published programs count.
ObjectiveResult add_kl(ObjectiveResult result, const ObjectiveInput& input, double coefficient) {
  const at::Tensor kl = input.retain->mean_kl();
  result.loss = result.loss + coefficient * kl;
  result.parts.emplace_back("kl", kl);
  return result;
}

}  // namespace

// TOFU's "KL": gradient ascent on the forget samples, held near the reference on the retain ones.
ObjectiveResult kl(const ObjectiveInput& input) {
  return add_kl(grad_ascent(input), input, 1);
}

ObjectiveResult npo_kl(const ObjectiveInput& input) {
  ObjectiveResult result = npo(input);
  result.loss = input.hyper.npo_coeff * result.loss;
  return add_kl(std::move(result), input, input.hyper.kl_coeff);
}

ObjectiveResult tpo_kl(const ObjectiveInput& input) {
  return add_kl(tpo(input), input, input.hyper.kl_coeff);
}

}  // namespace tofu
