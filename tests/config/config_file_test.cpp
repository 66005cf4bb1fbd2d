#include "config/config_file.hpp"

#include <gtest/gtest.h>

#include "config/job_config.hpp"
#include "config_test_support.hpp"

namespace tofu {
namespace {

using test::error_of;
using test::expect_contains;

class ConfigFile : public test::ScratchFolder {
 protected:
  JobConfig load(const std::string& text, const std::vector<std::string>& overrides = {}) const {
    return load_config("forget", write("job.yaml", text), overrides).job;
  }
  std::string error_in(const std::string& text,
                       ErrorCategory category = ErrorCategory::usage) const {
    return error_of([&] { load(text); }, category);
  }
};

TEST_F(ConfigFile, EmptyFileGivesDefaults) {
  EXPECT_EQ(load(""), JobConfig());
  EXPECT_EQ(load("# only a comment\n\n"), JobConfig());
  EXPECT_EQ(load("eval:\nLoRA:\n"), JobConfig());
}

TEST_F(ConfigFile, ByteOrderMarkAndWindowsLinesAreRead) {
  const JobConfig job =
      load("\xEF\xBB\xBFlr: 2e-5\r\neval:\r\n  ds_size: 7\r\nsplit: \"full\"\r\n");
  EXPECT_EQ(job.lr, 2e-5);
  EXPECT_EQ(job.eval.ds_size, 7);
  EXPECT_EQ(job.split, "full");
}

TEST_F(ConfigFile, NestedAndDottedKeysAreTheSame) {
  EXPECT_EQ(load("LoRA:\n  r: 8\n"), load("LoRA.r: 8\n"));
  EXPECT_EQ(load("{\"LoRA\": {\"r\": 8}}"), load("LoRA.r: 8\n"));
}

TEST_F(ConfigFile, DuplicateKeyIsAnErrorWithBothLines) {
  const std::string message = error_in("lr: 1\nseed: 2\nlr: 3\n");
  expect_contains(message, "job.yaml:3: lr");
  expect_contains(message, "line 1");
  expect_contains(error_in("eval:\n  eos: keep\neval.eos: drop\n"), "job.yaml:3: eval.eos");
}

TEST_F(ConfigFile, TwoSpellingsOfOneKeyAreAnError) {
  expect_contains(error_in("eval:\n  max_length: 5\n  generation:\n    max_length: 6\n"),
                  "eval.generation.max_length is the same key as eval.max_length");
}

TEST_F(ConfigFile, TabsAreAnErrorWithLineAndColumn) {
  const std::string message = error_in("lr: 1\neval:\n\tds_size: 3\n");
  expect_contains(message, "job.yaml: not valid YAML at line 3, column ");
  expect_contains(message, "indent with spaces, not tabs");
}

TEST_F(ConfigFile, WhatIsNotAMappingIsAnError) {
  expect_contains(error_in("just words\n"), "key: value");
  expect_contains(error_in("- a\n- b\n"), "key: value");
  expect_contains(error_in("lr: 1\n---\nlr: 2\n"), "2 YAML documents");
  expect_contains(error_in("[a, b]: 3\n"), "job.yaml:1");
}

TEST_F(ConfigFile, ForeignFilesAreErrors) {
  EXPECT_FALSE(error_in(std::string("\x89HDF\r\n\x1a\n\0\0\0\0\xff\xff", 14)).empty());
  expect_contains(error_in(std::string(2 << 20, 'x')), "too many for a configuration file");
}

TEST_F(ConfigFile, MissingFileAndFolderAreFileSystemErrors) {
  const auto missing = folder_ / "none.yaml";
  expect_contains(error_of([&] { load_config("forget", missing, {}); }, ErrorCategory::file_system),
                  "none.yaml: there is no such");
  expect_contains(error_of([&] { load_config("forget", folder_, {}); }, ErrorCategory::file_system),
                  "not a file");
}

TEST_F(ConfigFile, SelfReferringAnchorIsAnError) {
  error_in("eval: &a\n  batch_size: *a\n");
}

TEST_F(ConfigFile, ListForAValueIsAnError) {
  expect_contains(error_in("lr: [1, 2]\n"), "job.yaml:1: lr is a list");
  expect_contains(error_in("model_path: [a]\n"), "model_path is a list");
  expect_contains(error_in("eval: 3\n"), "eval is a group of keys");
}

TEST(Override, KeepsTextAsItIs) {
  EXPECT_EQ(parse_override("prompt=Who: me? #1").text, "Who: me? #1");
  EXPECT_EQ(parse_override("a=b=c").text, "b=c");
  EXPECT_EQ(parse_override("a= x ").text, "x");
  EXPECT_EQ(parse_override("a=").text, "");
  EXPECT_EQ(parse_override("prompt=\"a\\n\\u00e9\"").text, "a\n\xC3\xA9");
  EXPECT_EQ(parse_override("prompt='it''s'").text, "it's");
}

TEST(Override, QuotedNullIsText) {
  EXPECT_TRUE(parse_override("a=null").is_null);
  EXPECT_TRUE(parse_override("a=~").is_null);
  EXPECT_FALSE(parse_override("a='null'").is_null);
  EXPECT_EQ(parse_override("a='null'").text, "null");
}

TEST(Override, PlusOfHydraIsAccepted) {
  EXPECT_EQ(parse_override("+lr=1").key, "lr");
  EXPECT_EQ(parse_override("++eval.ds_size=1").key, "eval.ds_size");
}

TEST(Override, WithoutEqualsSignSaysWhatIsExpected) {
  for (const std::string text : {"lr", "=3", "+", "", "+=1"}) {
    expect_contains(error_of([&] { parse_override(text); }), "key=value is expected");
  }
}

}  // namespace
}  // namespace tofu
