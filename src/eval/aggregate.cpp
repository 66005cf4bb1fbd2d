#include "eval/aggregate.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "base/error.hpp"

namespace tofu {
namespace {

constexpr const char* kUnnamedLog = "evaluation log";

// What the figures take a set for.
struct SetRole {
  const char* name;
  const char* title;
  bool is_choice;  // the answers are short choices: the right one is set against the wrong ones
  bool is_forget;
};

constexpr std::array kSetRoles = {
    SetRole{kRealAuthorsSet, "Real Authors", true, false},
    SetRole{kRealWorldSet, "Real World", true, false},
    SetRole{kRetainSet, "Retain", false, false},
    SetRole{kForgetSet, "Forget", false, true},
};

std::string name_of(const EvalLog& log) {
  return log.source.empty() ? kUnnamedLog : log.source;
}

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// log(mean(exp(-loss))) without underflow of a single term.
double log_mean_probability(std::span<const double> losses) {
  const double least = *std::min_element(losses.begin(), losses.end());
  double sum = 0;
  for (const double loss : losses) sum += std::exp(least - loss);
  return std::log(sum / static_cast<double>(losses.size())) - least;
}

void check_finite(std::span<const double> values, const std::string& where) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      fail(ErrorCategory::numerical, "{}: item {} is {}", where, i, values[i]);
    }
  }
}

// The set `name` of a log, with arrays that fit together and hold finite numbers.
const SetLog& checked_set(const EvalLog& log, const char* name) {
  const auto found = log.sets.find(name);
  if (found == log.sets.end()) {
    fail(ErrorCategory::input_data, "{}: the set {} is missing", name_of(log), name);
  }
  const SetLog& set = found->second;
  const std::string where = fmt::format("{}: {}", name_of(log), name);
  const std::size_t count = set.avg_gt_loss.size();
  const auto check_count = [&](const char* key, std::size_t size) {
    if (size == 0) fail(ErrorCategory::input_data, "{}: {} is empty", where, key);
    if (size != count) {
      fail(ErrorCategory::input_data, "{}: {} has {} items, but avg_gt_loss has {}", where, key,
           size, count);
    }
  };
  const auto check = [&](const char* key, const std::vector<double>& values) {
    check_count(key, values.size());
    check_finite(values, fmt::format("{}: {}", where, key));
  };
  check("avg_gt_loss", set.avg_gt_loss);
  check("rougeL_recall", set.rougeL_recall);
  check("avg_paraphrased_loss", set.avg_paraphrased_loss);
  if (set.kl_divergence) check("kl_divergence", *set.kl_divergence);
  check_count("average_perturb_loss", set.average_perturb_loss.size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::vector<double>& losses = set.average_perturb_loss[i];
    const std::size_t due = set.average_perturb_loss.front().size();
    if (losses.empty() || losses.size() != due) {
      fail(ErrorCategory::input_data,
           "{}: average_perturb_loss: item {} has {} wrong answers, item 0 has {}", where, i,
           losses.size(), due);
    }
    check_finite(losses, fmt::format("{}: average_perturb_loss {}", where, i));
  }
  return set;
}

// Mean probability of the right answer; against the wrong ones where the answers are short choices.
double probability(const SetLog& set, bool is_choice) {
  std::vector<double> values;
  for (std::size_t i = 0; i < set.avg_gt_loss.size(); ++i) {
    const double loss = set.avg_gt_loss[i];
    if (!is_choice) {
      values.push_back(std::exp(-loss));
      continue;
    }
    // p / (p + sum_j p_j), each divided by p.
    double sum = 1;
    for (const double wrong : set.average_perturb_loss[i]) sum += std::exp(loss - wrong);
    values.push_back(1 / sum);
  }
  return mean(values);
}

// log R of an item: log of the probability of the wrong answers over that of the right one.
double log_ratio(const SetLog& set, std::size_t item, TruthRatio truth_ratio) {
  const std::vector<double>& wrong = set.average_perturb_loss[item];
  const double log_wrong =
      truth_ratio == TruthRatio::arithmetic ? log_mean_probability(wrong) : -mean(wrong);
  return log_wrong + set.avg_paraphrased_loss[item];
}

double truth_ratio_of(const SetLog& set, bool is_forget, TruthRatio truth_ratio) {
  constexpr double kTiny = 1e-10;  // keeps 0 / 0 out where both answers are impossible
  std::vector<double> values;
  for (std::size_t i = 0; i < set.avg_paraphrased_loss.size(); ++i) {
    const double log_r = log_ratio(set, i, truth_ratio);
    if (truth_ratio == TruthRatio::prob_mean) {
      const double right = std::exp(-set.avg_paraphrased_loss[i]);
      values.push_back(right / (right + std::exp(-mean(set.average_perturb_loss[i])) + kTiny));
    } else if (is_forget) {
      values.push_back(std::exp(-std::abs(log_r)));  // min(R, 1 / R)
    } else {
      values.push_back(std::max(0.0, 1 - std::exp(log_r)));
    }
  }
  return mean(values);
}

// 0 if any value is 0.
double harmonic_mean(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) {
    if (value == 0) return 0;
    sum += 1 / value;
  }
  return static_cast<double>(values.size()) / sum;
}

void add_model_utility(const EvalLog& log, TruthRatio truth_ratio, AggregateStat& stat) {
  std::vector<double> utilities;
  for (const SetRole& role : kSetRoles) {
    const SetLog& set = checked_set(log, role.name);
    const std::string title = role.title;
    const std::array values = {mean(set.rougeL_recall), probability(set, role.is_choice),
                               truth_ratio_of(set, role.is_forget, truth_ratio)};
    stat.figures.emplace_back(title + " ROUGE", values[0]);
    stat.figures.emplace_back(title + " Probability", values[1]);
    stat.figures.emplace_back(title + " Truth Ratio", values[2]);
    if (set.kl_divergence) {
      stat.figures.emplace_back(title + " KL Divergence", mean(*set.kl_divergence));
    }
    if (!role.is_forget) utilities.insert(utilities.end(), values.begin(), values.end());
  }
  stat.figures.emplace_back("Model Utility", harmonic_mean(utilities));
}

// Refuses a retain log of other questions or conventions, and says what cannot be known.
void check_comparable(const EvalLog& unlearned, const EvalLog& retain, AggregateStat& stat) {
  const SetLog& ours = checked_set(unlearned, kForgetSet);
  const SetLog& theirs = checked_set(retain, kForgetSet);
  const std::string names = fmt::format("{} and {}", name_of(unlearned), name_of(retain));
  if (ours.avg_gt_loss.size() != theirs.avg_gt_loss.size()) {
    fail(ErrorCategory::input_data,
         "{}: {} has {} questions in the unlearned model's log and {} in the retain model's; "
         "evaluate both on the same split and with the same eval.ds_size",
         names, kForgetSet, ours.avg_gt_loss.size(), theirs.avg_gt_loss.size());
  }
  std::vector<std::string> differences;
  std::vector<std::string> unchecked;
  const auto compare = [&](const EvalConventions& left, const EvalConventions& right, bool report) {
    for (const auto& [name, value] : left) {
      const auto other = right.find(name);
      if (other == right.end()) {
        unchecked.push_back(name);
      } else if (report && other->second != value) {
        differences.push_back(
            fmt::format("{} is {} there and {} here", name, other->second, value));
      }
    }
  };
  compare(unlearned.conventions, retain.conventions, true);
  compare(retain.conventions, unlearned.conventions, false);
  if (!differences.empty()) {
    fail(ErrorCategory::input_data,
         "{} cannot be compared: {}; evaluate the retain model again in the same way", names,
         fmt::join(differences, ", "));
  }
  if (!unchecked.empty()) {
    stat.warnings.push_back(
        fmt::format("{}: one of the two logs does not record {}: not checked that they agree",
                    names, fmt::join(unchecked, ", ")));
  } else if (unlearned.conventions.empty()) {
    stat.warnings.push_back(fmt::format(
        "{}: neither log records its conventions (questions, end of sequence, number of items): "
        "not checked that they agree",
        names));
  }
  if (ours == theirs) {
    stat.warnings.push_back(fmt::format(
        "{}: {} is the same in both; was the same model evaluated twice?", names, kForgetSet));
  }
  std::size_t other_length = 0;
  for (std::size_t i = 0; i < std::min(ours.num_token_gt.size(), theirs.num_token_gt.size()); ++i) {
    if (ours.num_token_gt[i] != theirs.num_token_gt[i]) ++other_length;
  }
  if (other_length > 0) {
    stat.warnings.push_back(fmt::format(
        "{}: {} of {} answers have another number of tokens in {}: other questions, another "
        "tokenizer, or another treatment of the end of the sequence",
        names, other_length, ours.num_token_gt.size(), kForgetSet));
  }
}

void add_forget_quality(const EvalLog& unlearned, const EvalLog& retain, AggregateStat& stat) {
  const auto ratios = [](const EvalLog& log) {
    const SetLog& set = checked_set(log, kForgetSet);
    std::vector<double> values;
    for (std::size_t i = 0; i < set.avg_paraphrased_loss.size(); ++i) {
      // The published test is on 1 / R.
      values.push_back(std::exp(-log_ratio(set, i, TruthRatio::geometric)));
    }
    return values;
  };
  const KsResult test = ks_test(ratios(unlearned), ratios(retain));
  stat.forget_quality = test;
  stat.figures.emplace_back("Forget Quality", test.p_value);
  stat.figures.emplace_back("KS Test PVal Forget", test.p_value);
  stat.figures.emplace_back("KS Test Forget", test.statistic);
}

}  // namespace

TruthRatio parse_truth_ratio(const std::string& name) {
  if (name == "geometric") return TruthRatio::geometric;
  if (name == "arithmetic") return TruthRatio::arithmetic;
  if (name == "prob_mean") return TruthRatio::prob_mean;
  fail(ErrorCategory::usage,
       "eval.truth_ratio is '{}'; geometric, arithmetic or prob_mean is expected", name);
}

AggregateStat aggregate(const EvalLog& unlearned, const EvalLog* retain, TruthRatio truth_ratio) {
  AggregateStat stat;
  add_model_utility(unlearned, truth_ratio, stat);
  if (retain) {
    check_comparable(unlearned, *retain, stat);
    add_forget_quality(unlearned, *retain, stat);
  }
  return stat;
}

std::string aggregate_stat_text(const AggregateStat& stat) {
  std::string text;
  for (const auto& [name, value] : stat.figures) text += fmt::format("{}: {}\n", name, value);
  return text;
}

}  // namespace tofu
