// The objectives, one file per family; the registry (registry.cpp) gives them their names.
#pragma once

#include "objective/objective.hpp"

namespace tofu {

// cross_entropy.cpp
ObjectiveResult cross_entropy(const ObjectiveInput& input);
ObjectiveResult idk(const ObjectiveInput& input);
// gradient_ascent.cpp
ObjectiveResult grad_ascent(const ObjectiveInput& input);
ObjectiveResult grad_diff(const ObjectiveInput& input);
// tpo.cpp
// Mean over the unwanted tokens of (reference logit - policy logit), of each row that has any [R'].
at::Tensor logit_preference_by_row(const SetScores& forget, const Selection& unwanted);
ObjectiveResult tpo(const ObjectiveInput& input);
ObjectiveResult tpo_grad_diff(const ObjectiveInput& input);
// npo.cpp
ObjectiveResult npo(const ObjectiveInput& input);
ObjectiveResult npo_grad_diff(const ObjectiveInput& input);
ObjectiveResult simnpo(const ObjectiveInput& input);
ObjectiveResult simnpo_grad_diff(const ObjectiveInput& input);
// kl.cpp
ObjectiveResult kl(const ObjectiveInput& input);
ObjectiveResult npo_kl(const ObjectiveInput& input);
ObjectiveResult tpo_kl(const ObjectiveInput& input);
// preference.cpp
ObjectiveResult dpo(const ObjectiveInput& input);
ObjectiveResult dpo_grad_diff(const ObjectiveInput& input);
ObjectiveResult kto_logsigmoid(const ObjectiveInput& input);
ObjectiveResult kto_logsigmoid_grad_diff(const ObjectiveInput& input);

// `result` + coefficient * mean negative log-likelihood of the retain answers.
ObjectiveResult add_retain_loss(ObjectiveResult result, const ObjectiveInput& input,
                                double coefficient = 1);

}  // namespace tofu
