#include "base/error.hpp"
#include "objective/losses.hpp"

namespace tofu {

const std::vector<Objective>& all_objectives() {
  // name, needs_retain, needs_refusal, needs_reference, needs_distributions, evaluate
  static const std::vector<Objective> objectives = {
      {"cross_entropy", false, false, false, false, cross_entropy},
      {"grad_ascent", false, false, false, false, grad_ascent},
      {"grad_diff", true, false, false, false, grad_diff},
      {"KL", true, false, false, true, kl},
      {"idk", true, true, false, false, idk},
      {"dpo", false, true, true, false, dpo},
      {"dpo_grad_diff", true, true, true, false, dpo_grad_diff},
      {"kto_logsigmoid", false, true, true, false, kto_logsigmoid},
      {"kto_logsigmoid_grad_diff", true, true, true, false, kto_logsigmoid_grad_diff},
      {"npo", false, false, true, false, npo},
      {"npo_grad_diff", true, false, true, false, npo_grad_diff},
      {"npo_KL", true, false, true, true, npo_kl},
      {"simnpo", false, false, false, false, simnpo},
      {"simnpo_grad_diff", true, false, false, false, simnpo_grad_diff},
      {"tpo", false, false, true, false, tpo},
      {"tpo_grad_diff", true, false, true, false, tpo_grad_diff},
      {"tpo_KL", true, false, true, true, tpo_kl},
  };
  return objectives;
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
