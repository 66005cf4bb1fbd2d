// Likelihoods and KL divergence of whole models against the reference cases, and independence of
// the batch.
#include "eval/answer_scores.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "support/golden_batches.hpp"
#include "support/reference.hpp"
#include "support/test_model.hpp"

namespace tofu::test {
namespace {

using Json = nlohmann::json;

Json read_cases() {
  std::ifstream file(golden_directory() / "objectives.json");
  EXPECT_TRUE(file) << "no objectives.json in " << golden_directory();
  return Json::parse(file)["cases"];
}

const Json& find_batches(const Json& cases, const std::string& id) {
  for (const Json& entry : cases) {
    if (entry.value("kind", "") == "batches" && entry["id"] == id) return entry;
  }
  throw std::runtime_error("no batches " + id);
}

struct WholeModel {
  explicit WholeModel(const std::string& name)
      : sharded(golden_directory() / "models" / name, 0),
        llama(sharded.source.config(), sharded.parameters.gather_all(), 512) {}
  TestModel sharded;
  Llama llama;
};

TEST(GoldenAnswerScores, Likelihoods) {
  const Json cases = read_cases();
  int checked = 0;
  for (const Json& golden : cases) {
    if (golden.value("kind", "") != "logits") continue;
    const WholeModel model(golden["model"]);
    const auto samples = golden_samples(find_batches(cases, golden["batches"])["forget"], false);
    for (const std::int64_t batch_size : {1, 30}) {
      ScoreOptions options;
      options.samples_per_forward = batch_size;
      const auto scores = score_answers(model.llama, samples, options);
      for (std::size_t i = 0; i < scores.size(); ++i) {
        EXPECT_NEAR(scores[i].nll_sum, golden["nll_sum"][i].get<double>(), 1e-3);
        EXPECT_NEAR(scores[i].nll_mean(), golden["nll_mean"][i].get<double>(), 1e-4);
        ++checked;
      }
    }
  }
  EXPECT_GT(checked, 0);
}

TEST(GoldenAnswerScores, KlDivergence) {
  const Json cases = read_cases();
  int checked = 0;
  for (const Json& golden : cases) {
    if (golden.value("kind", "") != "kl_divergence") continue;
    const WholeModel model(golden["model"]);
    const WholeModel reference(golden["model"].get<std::string>() + "-reference");
    const Json& batch = find_batches(cases, golden["batches"])["forget"];
    const auto samples = golden_samples(batch, true);
    ScoreOptions options;
    options.reference = &reference.llama;
    const auto attended = score_answers(model.llama, samples, options);
    options.kl_padded_length = std::ssize(batch["input_ids"][0]);
    const auto published = score_answers(model.llama, samples, options);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      EXPECT_NEAR(attended[i].kl_divergence, golden["attended"][i].get<double>(), 1e-5);
      EXPECT_NEAR(published[i].kl_divergence, golden["published"][i].get<double>(), 1e-5);
      ++checked;
    }
  }
  EXPECT_GT(checked, 0);
}

TEST(AnswerScores, TheEndCountsWhereItIsAsked) {
  const WholeModel model("llama3-tiny");
  Sample sample{{3, 4, 5}, {4, 5, 2}, {TokenKind::prompt, TokenKind::unwanted, TokenKind::end}};
  ScoreOptions options;
  const AnswerScore dropped = score_answers(model.llama, {sample}, options)[0];
  options.score_end = true;
  const AnswerScore kept = score_answers(model.llama, {sample}, options)[0];
  EXPECT_EQ(dropped.tokens, 1);
  EXPECT_EQ(kept.tokens, 2);
  EXPECT_GT(kept.nll_sum, dropped.nll_sum);
  EXPECT_TRUE(score_answers(model.llama, {}, options).empty());
}

}  // namespace
}  // namespace tofu::test
