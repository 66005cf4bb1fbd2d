// What a loss is: a name, what it needs, and a function of one micro-batch.
#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "objective/labelled_set.hpp"

namespace tofu {

// What TPO's log-sigmoid is taken of: the LPL of each sample, its mean over a micro-batch (as the
// published program does: the loss then depends on the micro-batch size), or over the global batch.
enum class LplScope { sample, micro_batch, global_batch };

// "sample", "micro_batch" or "global_batch"; Error{usage} otherwise.
LplScope parse_lpl_scope(const std::string& name);

// The mean of LPL over the global batch, which has to be known before any gradient.
struct GlobalPreference {
  double lpl = 0;                      // mean over the samples that have unwanted tokens
  double samples_per_micro_batch = 1;  // such samples, over all micro-batches
};

struct Hyperparameters {
  double beta = 0.32;
  double gamma = 0;
  double npo_coeff = 1;
  double grad_diff_coeff = 1;
  double kl_coeff = 1;
  LplScope lpl_scope = LplScope::micro_batch;
  GlobalPreference global_preference;  // with LplScope::global_batch
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
  bool has_lpl = false;              // lpl_scope matters
  bool needs_distributions = false;  // reference distributions of the retain samples
  ObjectiveResult (*evaluate)(const ObjectiveInput& input);
};

// The objective that `forget_loss` names. Error{usage} lists the known ones.
const Objective& find_objective(const std::string& name);
const std::vector<Objective>& all_objectives();

}  // namespace tofu
