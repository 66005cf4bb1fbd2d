// tofu_mpi forget, evaluate and aggregate.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "e2e/mini_jobs.hpp"

namespace tofu {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::run_program;

constexpr const char* kSets[] = {"eval_log.json", "eval_log_forget.json",
                                 "eval_real_author_wo_options.json",
                                 "eval_real_world_wo_options.json"};
constexpr double kTolerance = 1e-6;

// Texts are to be equal, numbers close.
void expect_same_json(const json& a, const json& b, const std::string& where) {
  if (a.is_number() && b.is_number()) {
    const double expected = b.get<double>();
    EXPECT_NEAR(a.get<double>(), expected, kTolerance * std::max(1.0, std::abs(expected))) << where;
    return;
  }
  ASSERT_EQ(a.type(), b.type()) << where;
  if (!a.is_structured()) {
    EXPECT_EQ(a, b) << where;
    return;
  }
  const json flat_a = a.flatten();
  const json flat_b = b.flatten();
  ASSERT_EQ(flat_a.size(), flat_b.size()) << where;
  for (const auto& [name, value] : flat_a.items()) {
    ASSERT_TRUE(flat_b.contains(name)) << where << name;
    if (!value.is_structured()) expect_same_json(value, flat_b[name], where + name);
  }
}

TEST(Unlearning, ForgetLeavesThePublishedFiles) {
  const test::ScratchFolder scratch;
  const fs::path run = scratch.path() / "run";
  const auto outcome = run_program(2, test::forget(test::trained_model(), run));
  test::expect_success(outcome);
  EXPECT_TRUE(outcome.says("forget quality is left out")) << outcome.output;

  const auto log = test::read_log(run);
  ASSERT_EQ(log.size(), 3u);
  for (const auto& line : log) {
    for (const char* key :
         {"step", "loss", "lpl", "preservation_loss", "lr", "grad_norm", "step_s", "tokens"}) {
      EXPECT_TRUE(line.contains(key)) << key;
    }
  }
  EXPECT_NE(test::read_text(run / "checkpoint/aggregate_stat.txt").find("Model Utility"),
            std::string::npos);
  const json aggregated = test::read_json(run / "checkpoint/eval_log_aggregated.json");
  for (const char* set : kSets) {
    const json of_set = test::read_json(run / "checkpoint" / set);
    ASSERT_TRUE(aggregated.contains(set));
    EXPECT_EQ(aggregated[set].at("avg_gt_loss"), of_set.at("avg_gt_loss")) << set;
    EXPECT_EQ(of_set.at("avg_gt_loss").size(), 8u) << set;
  }
}

TEST(Unlearning, TheEvaluationIsTheSameOnAnyRankCount) {
  const test::ScratchFolder scratch;
  for (const int ranks : {1, 3}) {
    test::expect_success(run_program(
        ranks, test::evaluate(test::trained_model(), scratch.path() / std::to_string(ranks))));
  }
  expect_same_json(test::read_json(scratch.path() / "3/eval_log_aggregated.json"),
                   test::read_json(scratch.path() / "1/eval_log_aggregated.json"), "");
}

TEST(Unlearning, AggregateComparesTwoLogs) {
  const test::ScratchFolder scratch;
  test::expect_success(run_program(1, test::evaluate(test::trained_model(), scratch.path() / "a")));
  test::expect_success(run_program(
      1, test::evaluate(test::mini_model(), scratch.path() / "b", {"init=random", "seed=7"})));
  const fs::path table = scratch.path() / "table.txt";
  const auto outcome = run_program(
      2, {"aggregate", "ckpt_result=" + (scratch.path() / "a/eval_log_aggregated.json").string(),
          "retain_result=" + (scratch.path() / "b/eval_log_aggregated.json").string(),
          "save_file=" + table.string()});
  test::expect_success(outcome);
  for (const char* figure : {"Model Utility", "Forget Quality", "KS Test Forget"}) {
    EXPECT_EQ(outcome.count(std::string(figure) + ":"), 1) << outcome.output;
  }
  EXPECT_EQ(test::read_text(table), outcome.result);
}

}  // namespace
}  // namespace tofu
