// Small evaluation logs, and what an error says.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "base/error.hpp"
#include "eval/eval_log.hpp"

namespace tofu::test {

// A set of `count` items with three wrong answers each; `shift` moves all losses.
inline SetLog small_set(std::size_t count, double shift = 0) {
  SetLog set;
  for (std::size_t i = 0; i < count; ++i) {
    const double x = static_cast<double>(i) * 0.25 + shift;
    set.avg_gt_loss.push_back(0.5 + x);
    set.gt_loss.push_back((0.5 + x) * 4);
    set.num_token_gt.push_back(4);
    set.rouge1_recall.push_back(0.75);
    set.rougeL_recall.push_back(0.5);
    set.average_perturb_loss.push_back({1 + x, 2 + x, 3 + x});
    set.avg_paraphrased_loss.push_back(0.25 + 2 * x);
    set.generated_text.push_back({fmt::format("q{}", i), "gen\n\"x\"", "\xC3\xA9t\xC3\xA9"});
  }
  return set;
}

inline EvalLog small_log(std::size_t count, double shift = 0) {
  EvalLog log;
  log.source = "log.json";
  for (const char* name : kEvalSets) log.sets[name] = small_set(count, shift);
  return log;
}

inline std::string error_of(const std::function<void()>& action,
                            ErrorCategory category = ErrorCategory::input_data) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), category) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return {};
}

inline void expect_contains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "'" << part << "' is not in: " << text;
}

}  // namespace tofu::test
