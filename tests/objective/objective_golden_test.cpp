// Every loss of the reference cases, its parts and the gradient norm of every parameter, at every
// ZeRO stage, computed by the first rank's micro-batch while the others take part empty-handed.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <set>

#include "objective/micro_batch.hpp"
#include "objective/reference_scores.hpp"
#include "support/golden_batches.hpp"
#include "support/reference.hpp"
#include "support/test_model.hpp"

namespace tofu::test {
namespace {

using Json = nlohmann::json;

// Values below 1e-2 (LPL, a difference of mean logits that are of order one) are compared to 1e-6,
// which is what fp32 leaves of them.
double relative_error(double value, double expected) {
  return std::abs(value - expected) / std::max(1e-2, std::abs(expected));
}

Json read_cases() {
  std::ifstream file(golden_directory() / "objectives.json");
  EXPECT_TRUE(file) << "no objectives.json in " << golden_directory();
  return Json::parse(file)["cases"];
}

Hyperparameters hyperparameters(const Json& json) {
  Hyperparameters hyper;
  hyper.beta = json["beta"];
  hyper.gamma = json["gamma"];
  hyper.npo_coeff = json["npo_coeff"];
  hyper.grad_diff_coeff = json["grad_diff_coeff"];
  return hyper;
}

bool is_known(const std::string& name) {
  for (const Objective& objective : all_objectives()) {
    if (objective.name == name) return true;
  }
  return false;
}

void check_case(const Json& golden, const Json& batches, TestModel* model, TestModel* reference) {
  const Objective& objective = find_objective(golden["name"]);
  const bool fill_mask = golden["hyper"]["fill_mask"];
  // The finetuning case is the unmasked answer without its end.
  auto forget = golden_samples(batches["forget"], objective.name != "cross_entropy" && fill_mask);
  if (objective.name == "cross_entropy") {
    for (Sample& sample : forget) {
      for (TokenKind& kind : sample.kinds) {
        if (kind == TokenKind::end) kind = TokenKind::prompt;
      }
    }
  }
  const auto retain = golden_samples(batches["retain"], false);
  const auto refusal = golden_samples(batches["idk"], false);
  std::vector<MicroBatch> local;
  const HostGroup& world = *model->groups.world;
  const auto forget_scores = score_references(&reference->chain, pointers(forget), world);
  const auto refusal_scores = score_references(&reference->chain, pointers(refusal), world);
  const auto padded_length = std::ssize(batches["retain"]["input_ids"][0]);
  ReferenceDistributions distributions;
  if (objective.needs_distributions) {
    distributions =
        reference_distributions(&reference->chain, pointers(retain), padded_length, world);
  }
  if (world.rank() == 0) {
    MicroBatch batch;
    batch.forget = pointers(forget);
    if (objective.needs_retain) batch.retain = pointers(retain);
    if (objective.needs_refusal) batch.refusal = pointers(refusal);
    if (objective.needs_distributions) {
      for (const at::Tensor& normed_TD : distributions.normed_TD) {
        batch.retain_distributions.push_back(&normed_TD);
      }
      batch.reference_head_VD = distributions.head_VD;
      batch.retain_padded_length = padded_length;
    }
    if (objective.needs_reference) {
      for (const auto& scores : forget_scores) batch.forget_references.push_back(&scores);
      if (objective.needs_refusal) {
        for (const auto& scores : refusal_scores) batch.refusal_references.push_back(&scores);
      }
    }
    local.push_back(batch);
  }
  const LossSums sums =
      accumulate_gradient(&model->chain, objective, hyperparameters(golden["hyper"]), local, 1, 1);
  if (world.rank() == 0) {
    EXPECT_LT(relative_error(sums.loss, golden["loss"]), 1e-4);
    for (const auto& [name, value] : golden["parts"].items()) {
      ASSERT_TRUE(sums.parts.contains(name)) << name;
      EXPECT_LT(relative_error(sums.parts.at(name), value), 1e-4) << name;
    }
  }
  EXPECT_LT(relative_error(model->parameters.gradient_norm(), golden["grad_norm"]), 1e-4);
  const auto norms = model->norms([&](std::size_t i) { return model->parameters.gradient(i); });
  for (const auto& [name, value] : golden["grad_norms"].items()) {
    ASSERT_TRUE(norms.contains(name)) << name;
    EXPECT_LT(relative_error(norms.at(name), value), 1e-4) << name;
  }
  model->parameters.clear_gradients();
}

void check_all(int zero_stage, bool recompute) {
  const Json cases = read_cases();
  std::map<std::string, Json> batches;
  for (const Json& golden : cases) {
    if (golden.value("kind", "") == "batches") batches[golden["id"]] = golden;
  }
  std::map<std::string, std::unique_ptr<TestModel>> models;
  const auto model_of = [&](const std::string& name) {
    auto& model = models[name];
    if (!model) {
      model =
          std::make_unique<TestModel>(golden_directory() / "models" / name, zero_stage, recompute);
    }
    return model.get();
  };
  int checked = 0;
  std::set<std::string> unknown;
  for (const Json& golden : cases) {
    if (!golden.contains("name")) continue;
    const std::string name = golden["name"];
    if (!is_known(name)) {
      unknown.insert(name);
      continue;
    }
    SCOPED_TRACE(name + " " + golden["batches"].get<std::string>() + " " + golden["hyper"].dump());
    const std::string model = golden["model"];
    check_case(golden, batches.at(golden["batches"]), model_of(model),
               model_of(model + "-reference"));
    ++checked;
  }
  EXPECT_GT(checked, 0);
  for (const std::string& name : unknown) ADD_FAILURE() << "no objective named " << name;
}

TEST(GoldenObjectives, Stage0) {
  check_all(0, true);
}
TEST(GoldenObjectives, Stage1) {
  check_all(1, true);
}
TEST(GoldenObjectives, Stage2KeepingGraphs) {
  check_all(2, false);
}
TEST(GoldenObjectives, Stage3) {
  check_all(3, true);
}

}  // namespace
}  // namespace tofu::test
