#include <gtest/gtest.h>

#include "config/job_config.hpp"
#include "config_test_support.hpp"

namespace tofu {
namespace {

using test::error_of;
using test::expect_contains;

constexpr const char* kFamilies =
    "pythia-1.4:\n  hf_key: a/b\n  question_start_tag: \"Q: \"\n  question_end_tag: \"\\n\"\n"
    "  answer_tag: \"\"\n  flash_attention2: \"true\"\n"
    "llama:\n  question_start_tag: x\n  question_end_tag: y\n  answer_tag: z\n"
    "  best_beta:\n    forget01: 0.5\n";

class ModelFamilies : public test::ScratchFolder {
 protected:
  ModelFamily load(const std::string& text, const std::string& name) const {
    write("model_config.yaml", text);
    return load_model_family(folder_ / "forget.yaml", name);
  }
};

TEST_F(ModelFamilies, EntryBesideTheConfigurationFileIsRead) {
  const ModelFamily pythia = load(kFamilies, "pythia-1.4");
  EXPECT_EQ(pythia.name, "pythia-1.4");
  EXPECT_EQ(pythia.hf_key, "a/b");
  EXPECT_EQ(pythia.question_start_tag, "Q: ");
  EXPECT_EQ(pythia.question_end_tag, "\n");
  EXPECT_EQ(pythia.answer_tag, "");
  EXPECT_TRUE(pythia.best_beta.empty());
}

TEST_F(ModelFamilies, BestBetaFallsBackToThePublishedDefault) {
  const ModelFamily llama = load(kFamilies, "llama");
  EXPECT_EQ(best_beta(llama, "forget01"), 0.5);
  EXPECT_EQ(best_beta(llama, "forget10"), 0.32);
}

TEST_F(ModelFamilies, UnknownFamilyNamesFileAndKnownOnes) {
  const std::string message = error_of([&] { load(kFamilies, "phi"); });
  expect_contains(message, "model_config.yaml");
  expect_contains(message, "'phi'");
  expect_contains(message, "llama, pythia-1.4");
}

TEST_F(ModelFamilies, BadEntriesAreErrors) {
  expect_contains(error_of([&] { load("a:\n  answer_tg: x\n", "a"); }),
                  "model_config.yaml:2: unknown key a.answer_tg; did you mean answer_tag?");
  expect_contains(error_of([&] { load("a:\n  answer_tag: x\n", "a"); }),
                  "lacks question_start_tag");
  expect_contains(error_of([&] { load("a: 3\n", "a"); }), "a has no keys");
  expect_contains(error_of([&] { load("a:\n  best_beta:\n    forget01: high\n", "a"); }),
                  "a.best_beta.forget01 is 'high'");
  expect_contains(error_of([&] { load("", "a"); }), "no model family 'a'");
}

TEST_F(ModelFamilies, ConfigurationElsewhereFallsBackToTheShippedFamilies) {
  std::filesystem::current_path(folder_);
  EXPECT_EQ(load_model_family(folder_ / "other" / "job.yaml", "mini").answer_tag, "Answer: ");
  EXPECT_EQ(load_model_family("", "llama2-7b").question_start_tag, "[INST] ");
}

}  // namespace
}  // namespace tofu
