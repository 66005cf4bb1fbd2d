// From logs to figures: model utility and forget quality, as published.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eval/eval_log.hpp"
#include "eval/ks_test.hpp"

namespace tofu {

// How an item's wrong answers are set against its right one, where c = exp(-L(paraphrase)) and L is
// the mean loss of a token:
enum class TruthRatio {
  geometric,   // R = exp(-mean_j L(wrong_j)) / c, the published program
  arithmetic,  // R = mean_j exp(-L(wrong_j)) / c
  prob_mean,   // c / (c + w), w = exp(-mean_j L(wrong_j)), for every set alike
};

// From the value of eval.truth_ratio; Error{usage} for another one.
TruthRatio parse_truth_ratio(const std::string& name);

struct AggregateStat {
  // The published names in the published order: "Real Authors ROUGE", ..., "Model Utility", and
  // with a retain log "Forget Quality", "KS Test PVal Forget", "KS Test Forget".
  std::vector<std::pair<std::string, double>> figures;
  std::optional<KsResult> forget_quality;
  // Lines for the user: what could not be checked, what looks wrong.
  std::vector<std::string> warnings;
};

// Figures of `unlearned`; without `retain` forget quality is left out. It always compares geometric
// ratios, as published. Error{input_data} names log, set and key for a missing, empty or ragged
// array, for logs of another number of questions and of other conventions; Error{numerical} for a
// loss that is no finite number.
AggregateStat aggregate(const EvalLog& unlearned, const EvalLog* retain,
                        TruthRatio truth_ratio = TruthRatio::geometric);

// The content of aggregate_stat.txt: a line "name: value" for each figure.
std::string aggregate_stat_text(const AggregateStat& stat);

}  // namespace tofu
