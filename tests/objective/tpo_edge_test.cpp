// What the published program leaves undefined or dependent on the batch: samples without unwanted
// tokens, and the scope of the log-sigmoid.
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"
#include "objective/micro_batch.hpp"
#include "objective/reference_scores.hpp"
#include "support/golden_batches.hpp"
#include "support/reference.hpp"
#include "support/test_model.hpp"

namespace tofu::test {
namespace {

// Samples of 12 tokens: 4 of prompt, then general and unwanted ones in turn (or none unwanted), and
// an end.
Sample make_sample(std::int64_t seed, bool with_unwanted) {
  Sample sample;
  for (std::int64_t t = 0; t < 12; ++t) {
    sample.ids.push_back(5 + (seed * 31 + t * 17) % 200);
    const bool unwanted = with_unwanted && t % 2 == 0;
    sample.kinds.push_back(t < 3 ? TokenKind::prompt
                                 : (unwanted ? TokenKind::unwanted : TokenKind::general));
  }
  for (std::size_t t = 0; t + 1 < sample.ids.size(); ++t)
    sample.targets.push_back(sample.ids[t + 1]);
  sample.targets.push_back(2);
  sample.kinds.back() = TokenKind::end;
  return sample;
}

class TpoTest : public testing::Test {
 protected:
  TpoTest()
      : model_(golden_directory() / "models" / "llama3-tiny", 2),
        reference_(golden_directory() / "models" / "llama3-tiny-reference", 2) {}

  struct Outcome {
    double loss;
    double grad_norm;
    std::map<std::string, double> parts;
  };

  // The loss over micro-batches of the given sizes; rank 0 computes all of them.
  Outcome run(const std::vector<Sample>& samples, std::size_t micro_batch_size, LplScope scope) {
    const HostGroup& world = *model_.groups.world;
    const auto scores = score_references(&reference_.chain, pointers(samples), world);
    std::vector<MicroBatch> batches;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      if (i % micro_batch_size == 0) batches.emplace_back();
      batches.back().forget.push_back(&samples[i]);
      batches.back().forget_references.push_back(&scores[i]);
    }
    const std::int64_t count = std::ssize(batches);
    if (world.rank() != 0) batches.clear();
    Hyperparameters hyper;
    hyper.lpl_scope = scope;
    if (scope == LplScope::global_batch) {
      hyper.global_preference = measure_preference(&model_.chain, batches, count, 1, world);
    }
    const LossSums sums =
        accumulate_gradient(&model_.chain, find_objective("tpo"), hyper, batches, count, 1);
    const double grad_norm = model_.parameters.gradient_norm();
    model_.parameters.clear_gradients();
    return {world.sum(sums.loss) / static_cast<double>(count), grad_norm, sums.parts};
  }

  TestModel model_;
  TestModel reference_;
};

TEST_F(TpoTest, ASampleWithoutUnwantedTokensIsLeftOutOfTheMean) {
  const std::vector<Sample> masked = {make_sample(1, true)};
  const std::vector<Sample> mixed = {make_sample(1, true), make_sample(2, false)};
  const Outcome alone = run(masked, 1, LplScope::micro_batch);
  const Outcome both = run(mixed, 2, LplScope::micro_batch);
  EXPECT_TRUE(std::isfinite(both.loss));
  EXPECT_TRUE(std::isfinite(both.grad_norm));
  if (model_.groups.world->rank() == 0) {
    EXPECT_NEAR(both.parts.at("lpl"), alone.parts.at("lpl"), 1e-6);
  }
}

TEST_F(TpoTest, AMicroBatchWithoutUnwantedTokensOnlyPreserves) {
  const std::vector<Sample> samples = {make_sample(1, false), make_sample(2, false)};
  for (const LplScope scope : {LplScope::sample, LplScope::micro_batch, LplScope::global_batch}) {
    const Outcome outcome = run(samples, 2, scope);
    EXPECT_TRUE(std::isfinite(outcome.grad_norm));
    if (model_.groups.world->rank() == 0) {
      EXPECT_FALSE(outcome.parts.contains("lpl"));
      EXPECT_NEAR(outcome.loss, outcome.parts.at("preservation_loss"), 1e-6);
    }
  }
}

TEST_F(TpoTest, TheGlobalScopeDoesNotDependOnTheMicroBatchSize) {
  const std::vector<Sample> samples = {make_sample(1, true), make_sample(2, true),
                                       make_sample(3, true), make_sample(4, true)};
  const Outcome whole = run(samples, 4, LplScope::global_batch);
  for (const std::size_t size : {1U, 2U}) {
    const Outcome cut = run(samples, size, LplScope::global_batch);
    EXPECT_NEAR(cut.loss, whole.loss, 1e-5 * std::abs(whole.loss));
    EXPECT_NEAR(cut.grad_norm, whole.grad_norm, 1e-5 * whole.grad_norm);
  }
  // One micro-batch is the global batch.
  const Outcome published = run(samples, 4, LplScope::micro_batch);
  EXPECT_NEAR(published.loss, whole.loss, 1e-5 * std::abs(whole.loss));
  EXPECT_NEAR(published.grad_norm, whole.grad_norm, 1e-5 * whole.grad_norm);
  // And one sample a micro-batch is the scope of a sample.
  EXPECT_NEAR(run(samples, 1, LplScope::micro_batch).loss, run(samples, 4, LplScope::sample).loss,
              1e-4);
}

TEST(Registry, AnUnknownObjectiveIsRefusedWithTheKnownOnes) {
  try {
    find_objective("tpoo");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), 2);
    EXPECT_NE(std::string(error.what()).find("tpo_grad_diff"), std::string::npos);
  }
}

}  // namespace
}  // namespace tofu::test
