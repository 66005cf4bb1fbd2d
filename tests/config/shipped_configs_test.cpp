// The files in configs/ say what the published programs do.
#include <gtest/gtest.h>

#include "config/job_config.hpp"
#include "support/reference.hpp"

namespace tofu {
namespace {

LoadedConfig shipped(const std::string& name) {
  return load_config("forget", test::source_directory() / "configs" / name, {});
}

TEST(ShippedConfigs, ForgetHoldsThePublishedDefaultsAndNoModel) {
  const JobConfig job = shipped("forget.yaml").job;
  EXPECT_EQ(job.model_path, "");
  EXPECT_EQ(job.lr, 1e-5);
  EXPECT_EQ(job.batch_size, 4);
  EXPECT_EQ(job.gradient_accumulation_steps, 4);
  EXPECT_EQ(job.num_epochs, 10);
  EXPECT_EQ(job.beta, 0.32);
  EXPECT_EQ(job.weight_decay, 0.01);
  EXPECT_EQ(job.seed, 1001u);
  EXPECT_EQ(job.split, "forget10");
  EXPECT_EQ(job.forget_loss, "tpo");
  EXPECT_EQ(job.classifier, "bert");
  EXPECT_TRUE(job.fill_mask);
  EXPECT_EQ(job.save_dir, "runs/forget_llama2-7b_forget10_tpo_lr1e-5_beta0.32_seed1001");
}

TEST(ShippedConfigs, FinetuneAndRetrainDifferInSplitAndFolderAlone) {
  const JobConfig finetune = shipped("finetune.yaml").job;
  EXPECT_EQ(finetune.split, "full");
  EXPECT_EQ(finetune.num_epochs, 5);
  EXPECT_EQ(finetune.seed, 42u);
  EXPECT_EQ(finetune.model_path, "");
  JobConfig retrain = shipped("retrain.yaml").job;
  EXPECT_EQ(retrain.split, "retain90");
  retrain.split = finetune.split;
  retrain.save_dir = finetune.save_dir;
  EXPECT_EQ(retrain, finetune);
}

TEST(ShippedConfigs, EvaluateAndIdentifyAreRead) {
  EXPECT_EQ(shipped("eval.yaml").job.eval.ds_size, 300);
  EXPECT_EQ(shipped("identify.yaml").job.out, "data/masks/forget10_with_common_words_bert.jsonl");
}

TEST(ShippedConfigs, FamiliesFrameQuestionsAsPublished) {
  const auto file = test::source_directory() / "configs" / "forget.yaml";
  for (const std::string name : {"llama2-7b", "llama2-13b"}) {
    const ModelFamily family = load_model_family(file, name);
    EXPECT_EQ(family.question_start_tag, "[INST] ");
    EXPECT_EQ(family.question_end_tag, " [/INST]");
    EXPECT_EQ(family.answer_tag, "");
  }
  for (const std::string name : {"llama3-1b", "llama3-3b", "llama3-8b", "llama3-70b",
                                 "smollm2-135m", "mini", "stories260k"}) {
    const ModelFamily family = load_model_family(file, name);
    EXPECT_EQ(family.question_start_tag, "Question: ");
    EXPECT_EQ(family.question_end_tag, "\n");
    EXPECT_EQ(family.answer_tag, "Answer: ");
  }
  EXPECT_EQ(best_beta(load_model_family(file, "llama2-7b"), "forget10"), 0.23);
  EXPECT_EQ(best_beta(load_model_family(file, "llama3-3b"), "forget05"), 0.27);
  EXPECT_EQ(best_beta(load_model_family(file, "llama3-8b"), "forget05"), 0.32);
}

}  // namespace
}  // namespace tofu
