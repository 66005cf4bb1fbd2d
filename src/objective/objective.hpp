// What a loss is: a name, what it needs, and a function of one micro-batch.
#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "objective/labelled_set.hpp"

namespace tofu {

struct Hyperparameters {
  double beta = 0.32;
  double gamma = 0;
  double npo_coeff = 1;
  double grad_diff_coeff = 1;
  double kl_coeff = 1;
  bool lpl_per_sample = false;  // log-sigmoid of each sample's LPL, not of the micro-batch's mean
};

// One micro-batch of an objective: the forget samples, and their partners where asked for.
struct ObjectiveInput {
  std::optional<SetScores> forget;
  std::optional<SetScores> retain;
  std::optional<SetScores> refusal;
  Hyperparameters hyper;
};

struct ObjectiveResult {
  at::Tensor loss;                                        // scalar, differentiable
  std::vector<std::pair<std::string, at::Tensor>> parts;  // scalars, for the log
};

struct Objective {
  std::string name;
  bool needs_retain = false;
  bool needs_refusal = false;
  bool needs_reference = false;      // reference scores of the forget and refusal samples
  bool needs_distributions = false;  // reference distributions of the retain samples
  ObjectiveResult (*evaluate)(const ObjectiveInput& input);
};

// The objective that `forget_loss` names. Error{usage} lists the known ones.
const Objective& find_objective(const std::string& name);
const std::vector<Objective>& all_objectives();

}  // namespace tofu
