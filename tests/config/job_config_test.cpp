#include "config/job_config.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>

#include "config/config_keys.hpp"
#include "config_test_support.hpp"

namespace tofu {
namespace {

using test::error_of;
using test::expect_contains;

class Config : public test::ScratchFolder {
 protected:
  // Overrides alone, on top of an empty file.
  JobConfig with(const std::vector<std::string>& overrides) const {
    return load_config("forget", write("empty.yaml", ""), overrides).job;
  }
  std::string error_with(const std::string& override_text) const {
    return error_of([&] { with({override_text}); });
  }
};

TEST_F(Config, NumbersInTheSpellingsOfYaml) {
  EXPECT_EQ(with({"lr=1e-5"}).lr, 1e-5);
  EXPECT_EQ(with({"lr=1.e-05"}).lr, 1e-5);
  EXPECT_EQ(with({"lr=+.5"}).lr, 0.5);
  EXPECT_EQ(with({"batch_size=8"}).batch_size, 8);
  EXPECT_EQ(with({"max_steps=1e3"}).max_steps, 1000);
  EXPECT_EQ(with({"num_epochs=0.5"}).num_epochs, 0.5);
  EXPECT_EQ(with({"seed=18446744073709551615"}).seed, std::numeric_limits<std::uint64_t>::max());
}

TEST_F(Config, BooleansInTheSpellingsOfYamlAndPython) {
  for (const std::string text : {"true", "True", "yes", "on", "TRUE"}) {
    EXPECT_TRUE(with({"overwrite_dir=" + text}).overwrite_dir) << text;
  }
  for (const std::string text : {"false", "False", "no", "off"}) {
    EXPECT_FALSE(with({"fill_mask=" + text}).fill_mask) << text;
  }
  expect_contains(error_with("fill_mask=maybe"), "fill_mask is 'maybe'; true or false is expected");
}

TEST_F(Config, WordsThatStandForNumbers) {
  EXPECT_EQ(with({"eval.ds_size=all"}).eval.ds_size, -1);
  EXPECT_EQ(with({"eval.ds_size=-1"}).eval.ds_size, -1);
  EXPECT_EQ(with({"eval_steps=steps_per_epoch"}).eval_steps, -1);
  EXPECT_EQ(with({"warmup_steps=3", "warmup_steps=steps_per_epoch"}).warmup_steps, -1);
  EXPECT_EQ(with({"beta=0.1", "beta=auto"}).beta, std::nullopt);
  EXPECT_EQ(with({"beta=0.1"}).beta, 0.1);
}

TEST_F(Config, NullIsTheDefault) {
  EXPECT_EQ(with({"lr=1", "lr=null"}), JobConfig());
  EXPECT_EQ(with({"beta=0.1", "beta=~"}).beta, std::nullopt);
  const auto file = write("null.yaml", "retain_set: null\nmodel_path:\nbatch_size: ~\n");
  EXPECT_EQ(load_config("forget", file, {}).job, JobConfig());
}

TEST_F(Config, LaterOverridesReplaceEarlierOnesAndTheFile) {
  const auto file = write("a.yaml", "lr: 1\nLoRA:\n  r: 4\n");
  const JobConfig job = load_config("forget", file, {"lr=2", "+LoRA.r=8", "lr=3"}).job;
  EXPECT_EQ(job.lr, 3);
  EXPECT_EQ(job.lora.r, 8);
}

TEST_F(Config, ValuesOutsideTheirRangeAreErrorsThatNameKeyAndRange) {
  expect_contains(error_with("zero_stage=4"),
                  "the command line: zero_stage is '4'; an integer from 0 to 3 is expected");
  for (const std::string text : {"batch_size=0",
                                 "batch_size=-1",
                                 "batch_size=2.5",
                                 "batch_size=",
                                 "batch_size=4x",
                                 "lr=nan",
                                 "lr=inf",
                                 "lr=-1",
                                 "lr=0x10",
                                 "seed=-1",
                                 "seed=1e30",
                                 "eval.ds_size=0",
                                 "eval.ds_size=some",
                                 "eval_steps=-2",
                                 "precision=fp16",
                                 "LoRA.dropout=2",
                                 "beta=0",
                                 "max_steps=99999999999999999999",
                                 "zero_stage=4294967296",
                                 "eval.eos=Keep"}) {
    const std::string key = text.substr(0, text.find('='));
    expect_contains(error_with(text), "the command line: " + key + " is '");
  }
}

TEST_F(Config, UnknownKeyNamesTheNearest) {
  expect_contains(error_with("learning_rte=1"), "the command line: unknown key learning_rte");
  expect_contains(error_with("batchsize=1"), "did you mean batch_size?");
  expect_contains(error_with("eval.dssize=1"), "did you mean eval.ds_size?");
  expect_contains(error_with("ds_size=1"), "did you mean eval.ds_size?");
  expect_contains(error_with("lora.r=1"), "did you mean LoRA.r?");
  const auto file = write("a.yaml", "lr: 1\nforget_los: tpo\n");
  const std::string message = error_of([&] { load_config("forget", file, {}); });
  expect_contains(message, "a.yaml:2: unknown key forget_los; did you mean forget_loss?");
}

TEST_F(Config, ErrorInTheFileNamesItsLine) {
  const auto file = write("a.yaml", "lr: 1\n\neval:\n  batch_size: many\n");
  expect_contains(error_of([&] { load_config("forget", file, {}); }),
                  "a.yaml:4: eval.batch_size is 'many'");
  EXPECT_EQ(load_config("forget", file, {"eval.batch_size=3"}).job.eval.batch_size, 3);
}

TEST_F(Config, ReferencesSeeOverridesAndDefaults) {
  const auto file = write("a.yaml", "save_dir: r/${forget_loss}_${lr}_${split}_${eval.ds_size}\n");
  EXPECT_EQ(load_config("forget", file, {"lr=1e-5", "split=full"}).job.save_dir,
            "r/tpo_1e-5_full_300");
}

TEST_F(Config, ReferenceToAKeyThatIsNotSetSaysSo) {
  const std::string message = error_with("save_dir=${model_path}/unlearned");
  expect_contains(message, "model_path, which is not set");
}

// The published file for the same job, but for its comments.
TEST_F(Config, PublishedFileIsRead) {
  const auto file = write("published.yaml",
                          "model_family: llama2-7b\nmodel_path: m\nLoRA:\n  r: 0\n  alpha: 32\n"
                          "lr: 1e-5\nsplit: forget05\nretain_set: retain95\nclassifier: gpt\n"
                          "fill_mask: True\nKL_coeff: 1.0\nseed: 1001\nrun_index: 1\n"
                          "overwrite_dir: true\neval_steps: steps_per_epoch\n"
                          "warmup_steps: steps_per_epoch\n"
                          "save_dir: ${model_path}/${lr}_eval${eval_steps}_${run_index}\n"
                          "eval:\n  retain_result: data/${..retain_set}/log.json\n"
                          "  model_path: ${..model_path}\n  aggr_save_dir: ${..aggr_save_dir}\n"
                          "  data_path: [a, b]\n  split_list:\n    - retain\n    - ${split}\n"
                          "  generation:\n    max_length: 150\n    max_new_tokens: null\n"
                          "  ds_size: 300\n  use_pretrained: false\n  batch_size: 30\n");
  const LoadedConfig loaded = load_config("forget", file, {});
  EXPECT_EQ(loaded.job.save_dir, "m/1e-5_evalsteps_per_epoch_1");
  EXPECT_EQ(loaded.job.eval.retain_result, "data/retain95/log.json");
  EXPECT_EQ(loaded.job.eval.max_length, 150);
  EXPECT_EQ(loaded.job.eval_steps, -1);
  ASSERT_EQ(loaded.warnings.size(), 1u);
  expect_contains(loaded.warnings[0], "eval.split_list");
  expect_contains(error_of([&] { load_config("forget", file, {"eval.use_pretrained=true"}); }),
                  "only false is supported");
}

// A value other than the default for every key: what is written comes back.
TEST_F(Config, WrittenConfigurationComesBack) {
  JobConfig job;
  job.model_family = "llama2-7b";
  job.model_path = "a path/with: colon # and \"quotes\" \\ \xC3\xA9 ${split} \\${x}";
  job.prompt = "two\nlines\tand a tab";
  job.classifier = "null";
  job.retain_set = "true";
  job.out = " spaces around ";
  job.lr = 0.1 + 0.2;
  job.beta = 1.0 / 3;
  job.seed = std::numeric_limits<std::uint64_t>::max();
  job.max_steps = std::numeric_limits<std::int64_t>::max();
  job.warmup_steps = -1;
  job.eval_steps = -1;
  job.overwrite_dir = true;
  job.fill_mask = false;
  job.lora = {.r = 16, .alpha = 1, .dropout = 0};
  job.eval.ds_size = -1;
  job.eval.eos = "keep";
  job.data.border = "offsets";
  job.recompute = "off";
  job.zero_stage = 3;
  const auto file = write("config.yaml", to_yaml(job));
  EXPECT_EQ(load_config("forget", file, {}).job, job);
  EXPECT_EQ(load_config("forget", write("d.yaml", to_yaml({})), {}).job, JobConfig());
}

TEST_F(Config, EveryKeyIsInTheTableOnceAndTakesItsOwnText) {
  std::set<std::string> names;
  for (const ConfigKey& key : config_keys()) {
    EXPECT_TRUE(names.insert(key.name).second) << key.name;
    JobConfig job;
    EXPECT_TRUE(key.is_text || key.parse(job, key.format(job))) << key.name;
    EXPECT_EQ(find_config_key(key.name), &key);
  }
  const auto values = to_key_values(JobConfig());
  EXPECT_EQ(values.size(), config_keys().size());
  const auto has = [&](const std::string& key, const std::string& value) {
    return std::find(values.begin(), values.end(), std::pair(key, value)) != values.end();
  };
  EXPECT_TRUE(has("eval.batch_size", "30"));
  EXPECT_TRUE(has("beta", "auto"));
  EXPECT_TRUE(has("lr", "1e-05"));
  EXPECT_TRUE(has("fill_mask", "true"));
}

TEST_F(Config, CommandReadsItsFileOfTheCurrentFolder) {
  write("configs/forget.yaml", "lr: 3\n");
  write("configs/eval.yaml", "lr: 4\n");
  std::filesystem::current_path(folder_);
  const LoadedConfig loaded = load_config("forget", "", {});
  EXPECT_EQ(loaded.job.lr, 3);
  EXPECT_EQ(loaded.file, "configs/forget.yaml");
  EXPECT_EQ(load_config("evaluate", "", {}).job.lr, 4);
  write("configs/evaluate.yaml", "lr: 5\n");
  EXPECT_EQ(load_config("evaluate", "", {}).job.lr, 5);
}

TEST_F(Config, CommandFallsBackToTheShippedFileThenToDefaults) {
  std::filesystem::current_path(folder_);
  const LoadedConfig finetune = load_config("finetune", "", {});
  EXPECT_EQ(finetune.file.filename(), "finetune.yaml");
  EXPECT_EQ(finetune.job.seed, 42u);
  const LoadedConfig convert = load_config("convert", "", {"from=a", "to=b"});
  EXPECT_TRUE(convert.file.empty());
  EXPECT_EQ(convert.job.from, "a");
}

TEST_F(Config, RequiredKeyNamesKeyAndFileAsFound) {
  write("configs/forget.yaml", "model_path:\n");
  std::filesystem::current_path(folder_);
  const LoadedConfig loaded = load_config("forget", "", {});
  EXPECT_EQ(error_of([&] { require_key(loaded, "model_path", loaded.job.model_path); }),
            "model_path is not set: set it in configs/forget.yaml, or give model_path=... on the "
            "command line");
  EXPECT_NO_THROW(require_key(loaded, "split", loaded.job.split));
  EXPECT_EQ(error_of([] { require_key({}, "from", ""); }),
            "from is not set: give from=... on the command line");
}

TEST(ComplementSplit, IsTheRestOfTheForgetSplit) {
  EXPECT_EQ(complement_split("forget01"), "retain99");
  EXPECT_EQ(complement_split("forget05"), "retain95");
  EXPECT_EQ(complement_split("forget10"), "retain90");
  EXPECT_EQ(complement_split("forget90"), "retain10");
  for (const std::string split : {"full", "forget", "forget100", "forget00", "forget1", "forget-5",
                                  "forgetxx", "", "forget10_perturbed"}) {
    expect_contains(error_of([&] { complement_split(split); }), "retain_set");
  }
}

}  // namespace
}  // namespace tofu
