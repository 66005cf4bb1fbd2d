#include "base/error.hpp"
#include "objective/losses.hpp"

namespace tofu {

const std::vector<Objective>& all_objectives() {
  // name, needs_retain, needs_refusal, needs_reference, evaluate
  static const std::vector<Objective> objectives = {
      {"cross_entropy", false, false, false, cross_entropy},
      {"grad_ascent", false, false, false, grad_ascent},
      {"grad_diff", true, false, false, grad_diff},
      {"idk", true, true, false, idk},
      {"dpo", false, true, true, dpo},
      {"dpo_grad_diff", true, true, true, dpo_grad_diff},
      {"kto_logsigmoid", false, true, true, kto_logsigmoid},
      {"kto_logsigmoid_grad_diff", true, true, true, kto_logsigmoid_grad_diff},
      {"npo", false, false, true, npo},
      {"npo_grad_diff", true, false, true, npo_grad_diff},
      {"simnpo", false, false, false, simnpo},
      {"simnpo_grad_diff", true, false, false, simnpo_grad_diff},
      {"tpo", false, false, true, tpo},
      {"tpo_grad_diff", true, false, true, tpo_grad_diff},
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
