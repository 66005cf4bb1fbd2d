#include "app/objective_settings.hpp"

namespace tofu {

Hyperparameters hyperparameters(const JobConfig& job, const ModelFamily& family) {
  Hyperparameters hyper;
  hyper.beta = job.beta.value_or(best_beta(family, job.split));
  hyper.gamma = job.gamma;
  hyper.npo_coeff = job.npo_coeff;
  hyper.grad_diff_coeff = job.grad_diff_coeff;
  hyper.kl_coeff = job.kl_coeff;
  hyper.lpl_scope = parse_lpl_scope(job.lpl_scope);
  return hyper;
}

}  // namespace tofu
