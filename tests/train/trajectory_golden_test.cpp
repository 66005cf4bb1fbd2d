// Ten optimizer steps of each reference trajectory, at every ZeRO stage and rank count.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "objective/reference_scores.hpp"
#include "support/golden_batches.hpp"
#include "support/reference.hpp"
#include "support/test_model.hpp"
#include "train/schedule.hpp"
#include "train/training_step.hpp"

namespace tofu::test {
namespace {

using Json = nlohmann::json;

constexpr double kTolerance = 1e-3;

double relative_error(double value, double expected) {
  return std::abs(value - expected) / std::max(1e-6, std::abs(expected));
}

// The samples of one golden micro-batch, and the reference model's scores of the forget samples.
struct GoldenMicroBatch {
  std::vector<Sample> forget;
  std::vector<Sample> retain;
  std::vector<ReferenceScores> references;
};

std::vector<Sample> without_end(std::vector<Sample> samples) {
  for (Sample& sample : samples) {
    for (TokenKind& kind : sample.kinds) {
      if (kind == TokenKind::end) kind = TokenKind::prompt;
    }
  }
  return samples;
}

MicroBatch view(const GoldenMicroBatch& golden, const Objective& objective) {
  MicroBatch batch;
  batch.forget = pointers(golden.forget);
  if (objective.needs_retain) batch.retain = pointers(golden.retain);
  if (objective.needs_reference) {
    for (const ReferenceScores& scores : golden.references) {
      batch.forget_references.push_back(&scores);
    }
  }
  return batch;
}

void check_trajectory(const Json& golden, int zero_stage, bool recompute) {
  const Objective& objective = find_objective(golden["name"]);
  const bool finetuning = objective.name == "cross_entropy";
  const auto folder = golden_directory() / "models";
  const std::string name = golden["model"];
  TestModel model(folder / name, zero_stage, recompute);
  TestModel reference(folder / (name + "-reference"), zero_stage, recompute);
  const HostGroup& world = *model.groups.world;
  std::vector<GoldenMicroBatch> batches;
  for (const Json& batch : golden["micro_batches"]) {
    GoldenMicroBatch made{
        golden_samples(batch["forget"], !finetuning), golden_samples(batch["retain"], false), {}};
    if (finetuning) made.forget = without_end(made.forget);
    if (objective.needs_reference) {
      made.references = score_references(&reference.chain, pointers(made.forget), world);
    }
    batches.push_back(std::move(made));
  }
  Hyperparameters hyper;
  hyper.beta = golden["hyper"].value("beta", hyper.beta);
  hyper.npo_coeff = golden["hyper"].value("npo_coeff", hyper.npo_coeff);
  hyper.grad_diff_coeff = golden["hyper"].value("grad_diff_coeff", hyper.grad_diff_coeff);
  hyper.gamma = golden["hyper"].value("gamma", hyper.gamma);
  const std::int64_t per_step = golden["micro_batches_per_step"];
  for (std::int64_t step = 0; step < golden["steps"].get<std::int64_t>(); ++step) {
    std::vector<MicroBatch> micro_batches;
    for (std::int64_t k = 0; k < per_step; ++k) {
      const auto index = static_cast<std::size_t>((per_step * step + k) % std::ssize(batches));
      micro_batches.push_back(view(batches[index], objective));
    }
    StepOptions options;
    options.max_grad_norm = golden["max_grad_norm"];
    options.adamw.weight_decay = golden["weight_decay"];
    options.adamw.lr = learning_rate(golden["lr"], step, golden["warmup_steps"], golden["steps"]);
    const auto at_step = static_cast<std::size_t>(step);
    EXPECT_NEAR(options.adamw.lr, golden["learning_rates"][at_step].get<double>(), 1e-12);
    const StepReport report =
        training_step(&model.chain, objective, hyper, micro_batches, step + 1, options, world);
    EXPECT_LT(relative_error(report.loss, golden["losses"][at_step]), kTolerance) << step;
    EXPECT_LT(relative_error(report.grad_norm, golden["grad_norms"][at_step]), kTolerance) << step;
  }
  const auto norms =
      model.norms([&](std::size_t i) { return model.parameters.optimizer_shard(i).master; });
  for (const auto& [parameter, value] : golden["final_norms"].items()) {
    EXPECT_LT(relative_error(norms.at(parameter), value), kTolerance) << parameter;
  }
}

void check_all(int zero_stage, bool recompute) {
  std::ifstream file(golden_directory() / "trajectories.json");
  ASSERT_TRUE(file) << "no trajectories.json in " << golden_directory();
  const Json trajectories = Json::parse(file)["trajectories"];
  ASSERT_FALSE(trajectories.empty());
  for (const Json& golden : trajectories) {
    SCOPED_TRACE(golden["name"].get<std::string>() + " " + golden["model"].get<std::string>());
    check_trajectory(golden, zero_stage, recompute);
  }
}

TEST(GoldenTrajectories, Stage0KeepingGraphs) {
  check_all(0, false);
}
TEST(GoldenTrajectories, Stage1) {
  check_all(1, true);
}
TEST(GoldenTrajectories, Stage2) {
  check_all(2, true);
}
TEST(GoldenTrajectories, Stage3) {
  check_all(3, true);
}

}  // namespace
}  // namespace tofu::test
