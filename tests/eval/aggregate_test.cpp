#include "eval/aggregate.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "eval_log_support.hpp"
#include "support/reference.hpp"

namespace tofu {
namespace {

using test::error_of;
using test::expect_contains;

std::map<std::string, double> as_map(const AggregateStat& stat) {
  return {stat.figures.begin(), stat.figures.end()};
}

TEST(AggregateGolden, AgreesWithReference) {
  const auto folder = test::golden_directory();
  std::ifstream stream(folder / "aggregate.json");
  ASSERT_TRUE(stream) << folder;
  const auto cases = nlohmann::ordered_json::parse(stream).at("cases");
  ASSERT_FALSE(cases.empty());
  for (const auto& test_case : cases) {
    const auto path = [&](const char* key) {
      return folder / test_case.at(key).get<std::string>();
    };
    const EvalLog unlearned = read_eval_log(path("unlearned"));
    const EvalLog retain = read_eval_log(path("retain"));
    const AggregateStat stat = aggregate(unlearned, &retain);
    const auto& expected = test_case.at("expected");
    ASSERT_EQ(stat.figures.size(), expected.size());
    for (std::size_t i = 0; const auto& [name, value] : expected.items()) {
      const auto& [our_name, our_value] = stat.figures[i++];
      const double due = value;
      const bool is_p = name == "Forget Quality" || name == "KS Test PVal Forget";
      EXPECT_EQ(our_name, name);
      EXPECT_NEAR(our_value, due, is_p ? 1e-6 * due : 1e-9) << name;
    }
  }
}

TEST(Aggregate, OneItemByHand) {
  EvalLog log = test::small_log(1);
  const auto figures = as_map(aggregate(log, nullptr));
  const double p = std::exp(-0.5);
  const double choice = p / (p + std::exp(-1.0) + std::exp(-2.0) + std::exp(-3.0));
  const double ratio = std::exp(-2.0) / std::exp(-0.25);
  EXPECT_NEAR(figures.at("Retain Probability"), p, 1e-15);
  EXPECT_NEAR(figures.at("Real Authors Probability"), choice, 1e-15);
  EXPECT_NEAR(figures.at("Real World Probability"), choice, 1e-15);
  EXPECT_NEAR(figures.at("Retain Truth Ratio"), 1 - ratio, 1e-15);
  EXPECT_NEAR(figures.at("Forget Truth Ratio"), ratio, 1e-15);
  const double inverses = 3 / 0.5 + 1 / p + 2 / choice + 3 / (1 - ratio);
  EXPECT_NEAR(figures.at("Model Utility"), 9 / inverses, 1e-14);
  EXPECT_FALSE(figures.contains("Forget Quality"));
  EXPECT_FALSE(figures.contains("Retain KL Divergence"));
}

TEST(Aggregate, OtherTruthRatios) {
  const EvalLog log = test::small_log(1);
  const double c = std::exp(-0.25);
  const double wrong = (std::exp(-1.0) + std::exp(-2.0) + std::exp(-3.0)) / 3;
  auto figures = as_map(aggregate(log, nullptr, TruthRatio::arithmetic));
  EXPECT_NEAR(figures.at("Retain Truth Ratio"), 1 - wrong / c, 1e-15);
  EXPECT_NEAR(figures.at("Forget Truth Ratio"), wrong / c, 1e-15);
  figures = as_map(aggregate(log, nullptr, TruthRatio::prob_mean));
  EXPECT_NEAR(figures.at("Retain Truth Ratio"), c / (c + std::exp(-2.0) + 1e-10), 1e-15);
  EXPECT_NEAR(figures.at("Forget Truth Ratio"), c / (c + std::exp(-2.0) + 1e-10), 1e-15);
  EXPECT_EQ(parse_truth_ratio("prob_mean"), TruthRatio::prob_mean);
  error_of([] { parse_truth_ratio("median"); }, ErrorCategory::usage);
}

TEST(Aggregate, KlDivergenceStandsWhereTheLogHasIt) {
  EvalLog log = test::small_log(2);
  log.sets[kRetainSet].kl_divergence = {1.0, 2.0};
  const AggregateStat stat = aggregate(log, nullptr);
  EXPECT_EQ(as_map(stat).at("Retain KL Divergence"), 1.5);
  EXPECT_EQ(as_map(stat).count("Forget KL Divergence"), 0u);
  EXPECT_EQ(as_map(stat).at("Model Utility"),
            as_map(aggregate(test::small_log(2), nullptr)).at("Model Utility"));
}

// A model driven apart by gradient ascent: losses in the thousands are figures, not failures.
TEST(Aggregate, HugeLossesGiveNumbers) {
  const EvalLog diverged = test::small_log(3, 5000);
  const EvalLog retain = test::small_log(3);
  const AggregateStat stat = aggregate(diverged, &retain);
  for (const auto& [name, value] : stat.figures) EXPECT_TRUE(std::isfinite(value)) << name;
  EXPECT_EQ(as_map(stat).at("Model Utility"), 0);
}

TEST(Aggregate, TextHasALinePerFigure) {
  AggregateStat stat;
  stat.figures = {{"Model Utility", 0.5}, {"Forget Quality", 1.834066410994743e-21}};
  EXPECT_EQ(aggregate_stat_text(stat),
            "Model Utility: 0.5\nForget Quality: 1.834066410994743e-21\n");
}

TEST(Aggregate, MissingEmptyRaggedAndNotANumberAreErrors) {
  const auto with = [](auto change, ErrorCategory category = ErrorCategory::input_data) {
    EvalLog log = test::small_log(3);
    change(log.sets[kRealWorldSet]);
    return error_of([&] { aggregate(log, nullptr); }, category);
  };
  const std::string where = "log.json: eval_real_world_wo_options.json: ";
  expect_contains(with([](SetLog& set) { set = {}; }), where + "avg_gt_loss is empty");
  expect_contains(with([](SetLog& set) { set.rougeL_recall.pop_back(); }),
                  where + "rougeL_recall has 2 items");
  expect_contains(with([](SetLog& set) { set.average_perturb_loss[1].pop_back(); }),
                  where + "average_perturb_loss: item 1 has 2 wrong answers");
  expect_contains(with([](SetLog& set) { set.average_perturb_loss[2][0] = std::nan(""); },
                       ErrorCategory::numerical),
                  where + "average_perturb_loss 2: item 0 is nan");
  expect_contains(
      with([](SetLog& set) { set.avg_gt_loss[1] = std::numeric_limits<double>::infinity(); },
           ErrorCategory::numerical),
      where + "avg_gt_loss: item 1 is inf");
  EvalLog log = test::small_log(3);
  log.sets.erase(kForgetSet);
  expect_contains(error_of([&] { aggregate(log, nullptr); }), "eval_log_forget.json is missing");
}

TEST(Aggregate, RetainLogOfOtherQuestionsIsRefused) {
  const EvalLog unlearned = test::small_log(4);
  EvalLog retain = test::small_log(4, 0.5);
  retain.source = "retain.json";
  retain.sets[kForgetSet] = test::small_set(3);
  const std::string message = error_of([&] { aggregate(unlearned, &retain); });
  expect_contains(message, "log.json and retain.json");
  expect_contains(message, "4 questions in the unlearned model's log and 3 in the retain model's");
}

TEST(Aggregate, OtherConventionsAreRefusedByName) {
  EvalLog unlearned = test::small_log(4);
  EvalLog retain = test::small_log(4, 0.5);
  unlearned.conventions = {{"eos", "drop"}, {"decode", "greedy"}, {"ds_size", "4"}};
  retain.conventions = {{"eos", "keep"}, {"decode", "greedy"}, {"ds_size", "300"}};
  const std::string message = error_of([&] { aggregate(unlearned, &retain); });
  expect_contains(message, "eos is keep there and drop here");
  expect_contains(message, "ds_size is 300 there");
  EXPECT_EQ(message.find("decode"), std::string::npos);
  retain.conventions = unlearned.conventions;
  EXPECT_TRUE(aggregate(unlearned, &retain).warnings.empty());
}

TEST(Aggregate, WhatCannotBeCheckedIsSaid) {
  EvalLog unlearned = test::small_log(4);
  EvalLog retain = test::small_log(4, 0.5);
  ASSERT_EQ(aggregate(unlearned, &retain).warnings.size(), 1u);
  unlearned.conventions = {{"eos", "drop"}, {"decode", "greedy"}};
  const auto warnings = aggregate(unlearned, &retain).warnings;
  ASSERT_EQ(warnings.size(), 1u);
  expect_contains(warnings[0], "decode, eos");
}

TEST(Aggregate, SameLogTwiceAndOtherAnswerLengthsAreWarned) {
  EvalLog log = test::small_log(4);
  log.conventions = {{"eos", "drop"}};
  EvalLog other = log;
  auto warnings = aggregate(log, &other).warnings;
  ASSERT_EQ(warnings.size(), 1u);
  expect_contains(warnings[0], "same model evaluated twice");
  other.sets[kForgetSet] = test::small_set(4, 0.5);
  other.sets[kForgetSet].num_token_gt[1] = 5;
  warnings = aggregate(log, &other).warnings;
  ASSERT_EQ(warnings.size(), 1u);
  expect_contains(warnings[0], "1 of 4 answers");
}

}  // namespace
}  // namespace tofu
