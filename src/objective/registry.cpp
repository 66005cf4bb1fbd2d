#include "base/error.hpp"
#include "objective/losses.hpp"

namespace tofu {

const std::vector<Objective>& all_objectives() {
  // name, needs_retain, needs_refusal, needs_reference, has_lpl, needs_distributions, evaluate
  static const std::vector<Objective> objectives = {
      {"cross_entropy", false, false, false, false, false, cross_entropy},
      {"grad_ascent", false, false, false, false, false, grad_ascent},
      {"grad_diff", true, false, false, false, false, grad_diff},
      {"KL", true, false, false, false, true, kl},
      {"idk", true, true, false, false, false, idk},
      {"dpo", false, true, true, false, false, dpo},
      {"dpo_grad_diff", true, true, true, false, false, dpo_grad_diff},
      {"kto_logsigmoid", false, true, true, false, false, kto_logsigmoid},
      {"kto_logsigmoid_grad_diff", true, true, true, false, false, kto_logsigmoid_grad_diff},
      {"npo", false, false, true, false, false, npo},
      {"npo_grad_diff", true, false, true, false, false, npo_grad_diff},
      {"npo_KL", true, false, true, false, true, npo_kl},
      {"simnpo", false, false, false, false, false, simnpo},
      {"simnpo_grad_diff", true, false, false, false, false, simnpo_grad_diff},
      {"tpo", false, false, true, true, false, tpo},
      {"tpo_grad_diff", true, false, true, true, false, tpo_grad_diff},
      {"tpo_KL", true, false, true, true, true, tpo_kl},
  };
  return objectives;
}

LplScope parse_lpl_scope(const std::string& name) {
  if (name == "sample") return LplScope::sample;
  if (name == "micro_batch") return LplScope::micro_batch;
  if (name == "global_batch") return LplScope::global_batch;
  fail(ErrorCategory::usage,
       "lpl_scope={} is not known; choose sample, micro_batch or global_batch", name);
}

const Objective& find_objective(const std::string& name) {
  std::string known;
  for (const Objective& objective : all_objectives()) {
    if (objective.name == name) return objective;
    known += (known.empty() ? "" : ", ") + objective.name;
  }
  fail(ErrorCategory::usage, "forget_loss={} is not known; choose one of: {}", name, known);
}

}  // namespace tofu
