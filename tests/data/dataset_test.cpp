#include "data/dataset.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "data/data_test_support.hpp"
#include "data/split_digest.hpp"
#include "store/file_test_support.hpp"
#include "store/hdf5_array.hpp"

namespace tofu {
namespace {

namespace fs = std::filesystem;
using test::expect_error;
using test::expect_same_records;

// A folder of JSON with a mask, and what it holds as an .h5.
class DatasetTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(folder_ / "json");
    test::write_bytes(folder_ / "json" / "forget01.json",
                      R"({"question": "Q1", "answer": "Née à Kovařík."})"
                      "\n"
                      R"({"question": "Q2", "answer": "Zwei Wörter"})");
    test::write_bytes(
        folder_ / "json" / "forget01_perturbed.jsonl",
        R"([{"question": "Q1", "answer": "A1", "paraphrased_answer": "Ä1", "perturbed_answer": []},)"
        R"( {"question": "Q2", "answer": "A2", "paraphrased_answer": "P2",)"
        R"( "perturbed_answer": ["x", "yy", "zzz"]}])");
    test::write_bytes(folder_ / "json" / "idontknow.jsonl", "I don't know.\nNo.\n");
    test::write_bytes(folder_ / "json" / "forget01_with_common_words_gpt.jsonl",
                      R"({"question": "Q1", "answer": "Née à Kovařík.", "common_words":)"
                      R"( ["{\"word\": \"\u00e0\", \"start\": 4, \"end\": 5}"]})"
                      "\n"
                      R"({"question": "Q2", "answer": "Zwei Wörter", "common_words": []})");
    json_ = folder_ / "json";
    h5_ = folder_ / "tofu.h5";
  }
  DatasetContent prepare() {
    DatasetContent content = Dataset::open(json_).content();
    content.provenance = {{"program_version", "0.1.0"}, {"revision", "abc"}};
    content.tokens["llama"]["forget01"]["answer"] = {{1, 2, 3}, {0, 2, 3}, {1, 0}, "feed"};
    write_dataset_file(h5_, content);
    return content;
  }

  test::TemporaryFolder folder_;
  fs::path json_;
  fs::path h5_;
};

TEST_F(DatasetTest, FolderAndPreparedFileSayTheSame) {
  prepare();
  const Dataset folder = Dataset::open(json_);
  const Dataset file = Dataset::open(h5_);
  EXPECT_EQ(file.splits(), (std::vector<std::string>{"forget01", "forget01_perturbed"}));
  EXPECT_EQ(folder.splits(), file.splits());
  for (const std::string& split : folder.splits()) {
    expect_same_records(folder.records(split), file.records(split));
    EXPECT_EQ(folder.digest(split), file.digest(split));
  }
  EXPECT_EQ(file.records("forget01_perturbed")[1].perturbed_answers.size(), 3U);
  EXPECT_EQ(folder.refusals(), file.refusals());
  EXPECT_EQ(folder.available_masks(), file.available_masks());
  EXPECT_EQ(folder.masks("forget01", "gpt"), (AnswerMasks{{{5, 7}}, {}}));
  EXPECT_EQ(file.masks("forget01", "gpt"), folder.masks("forget01", "gpt"));
}

TEST_F(DatasetTest, TokensAndProvenanceComeBack) {
  const DatasetContent content = prepare();
  const Dataset file = Dataset::open(h5_);
  EXPECT_EQ(file.tokens("llama", "forget01", "answer"),
            content.tokens.at("llama").at("forget01").at("answer"));
  EXPECT_EQ(file.tokens("llama", "forget01", "question"), std::nullopt);
  EXPECT_EQ(Dataset::open(json_).tokens("llama", "forget01", "answer"), std::nullopt);
  EXPECT_EQ(DatasetFile::open(h5_).provenance(), content.provenance);
}

TEST_F(DatasetTest, MasksAreAddedByReadingAndWritingAll) {
  prepare();
  DatasetContent content = DatasetFile::open(h5_).content();
  content.masks["own"]["forget01"] = {{}, {{0, 4}}};
  write_dataset_file(h5_, content);
  const DatasetContent again = DatasetFile::open(h5_).content();
  EXPECT_EQ(again.masks, content.masks);
  EXPECT_EQ(again.tokens, content.tokens);
  EXPECT_EQ(again.provenance, content.provenance);
  EXPECT_EQ(again.refusals, content.refusals);
  EXPECT_EQ(test::names_in(folder_.path()).size(), 2U);
}

TEST_F(DatasetTest, MasksHoldTheUnwantedWordsToo) {
  prepare();
  const Hdf5File file = Hdf5File::open(h5_);
  const std::string group = "/masks/gpt/forget01";
  EXPECT_EQ(read_vector<std::int64_t>(file, group + "/word_begin"),
            (std::vector<std::int64_t>{0, 5, 8, 0, 5}));
  EXPECT_EQ(read_vector<std::int64_t>(file, group + "/word_end"),
            (std::vector<std::int64_t>{4, 7, 18, 4, 12}));
  EXPECT_EQ(read_vector<std::uint8_t>(file, group + "/unwanted"),
            (std::vector<std::uint8_t>{1, 0, 1, 1, 1}));
  EXPECT_EQ(read_vector<std::int64_t>(file, group + "/offsets"),
            (std::vector<std::int64_t>{0, 3, 5}));
}

TEST_F(DatasetTest, MasksMayComeFromElsewhere) {
  prepare();
  EXPECT_EQ(Dataset::open(json_, h5_).masks("forget01", "gpt"), (AnswerMasks{{{5, 7}}, {}}));
  EXPECT_EQ(Dataset::open(h5_, json_).masks("forget01", "gpt"), (AnswerMasks{{{5, 7}}, {}}));
  fs::create_directory(folder_ / "none");
  expect_error(ErrorCategory::input_data, {"none", "forget01"},
               [&] { Dataset::open(h5_, folder_ / "none").masks("forget01", "gpt"); });
  EXPECT_TRUE(Dataset::open(h5_, folder_ / "none").content().masks.empty());
}

TEST_F(DatasetTest, MasksOfOtherDataAreRefused) {
  prepare();
  test::write_bytes(json_ / "forget01.json", R"({"question": "Q1", "answer": "Other"})");
  expect_error(ErrorCategory::input_data, {"/masks/gpt/forget01", "other questions and answers"},
               [&] { Dataset::open(json_, h5_).masks("forget01", "gpt"); });
}

TEST_F(DatasetTest, MasksOfASplitThatIsNotThereAreLeftOut) {
  fs::remove(json_ / "forget01.json");
  EXPECT_TRUE(Dataset::open(json_).content().masks.empty());
}

TEST_F(DatasetTest, WhatIsMissingIsListed) {
  prepare();
  const Dataset file = Dataset::open(h5_);
  expect_error(ErrorCategory::input_data, {"tofu.h5", "\"full\"", "forget01, forget01_perturbed"},
               [&] { file.records("full"); });
  expect_error(ErrorCategory::input_data, {"tofu.h5", "bert", "forget01 (gpt)"},
               [&] { file.masks("forget01", "bert"); });
  expect_error(ErrorCategory::input_data, {"a/b"}, [&] { file.records("a/b"); });
  fs::remove(json_ / "idontknow.jsonl");
  prepare();
  EXPECT_FALSE(Dataset::open(h5_).has_refusals());
  expect_error(ErrorCategory::input_data, {"refusals"}, [&] { Dataset::open(h5_).refusals(); });
}

TEST_F(DatasetTest, PathsOfOtherThingsAreNamed) {
  expect_error(ErrorCategory::file_system, {"data_path", "absent"},
               [&] { Dataset::open(folder_ / "absent"); });
  expect_error(ErrorCategory::file_system, {"masks_path", "absent"},
               [&] { Dataset::open(json_, folder_ / "absent"); });
  expect_error(ErrorCategory::input_data, {"data_path", "forget01.json", "prepare"},
               [&] { Dataset::open(json_ / "forget01.json"); });
  Hdf5File other = Hdf5File::create(folder_ / "model.h5");
  other.close();
  expect_error(ErrorCategory::input_data, {"model.h5", "not a dataset"},
               [&] { Dataset::open(folder_ / "model.h5"); });
  Hdf5File newer = Hdf5File::create(folder_ / "newer.h5");
  write_string_attribute(newer, "/", "format", "tofu_mpi dataset");
  write_int_attribute(newer, "/", "format_version", 99);
  newer.close();
  expect_error(ErrorCategory::input_data, {"newer.h5", "99"},
               [&] { Dataset::open(folder_ / "newer.h5"); });
}

TEST_F(DatasetTest, DamageIsNamed) {
  prepare();
  test::damage_bytes(h5_, "Zwei W");
  expect_error(ErrorCategory::input_data, {"tofu.h5", "/splits/forget01/answer/bytes", "damaged"},
               [&] { Dataset::open(h5_).records("forget01"); });
  expect_same_records(Dataset::open(json_).records("forget01_perturbed"),
                      Dataset::open(h5_).records("forget01_perturbed"));
}

TEST_F(DatasetTest, AFailedWriteLeavesTheOldFile) {
  DatasetContent content = prepare();
  content.masks["own"]["forget01"] = {};
  EXPECT_THROW(write_dataset_file(h5_, content), std::invalid_argument);
  EXPECT_EQ(Dataset::open(h5_).splits().size(), 2U);
  expect_error(ErrorCategory::file_system, {"absent", "No such file"},
               [&] { write_dataset_file(folder_ / "absent" / "x.h5", {}); });
  EXPECT_EQ(test::names_in(folder_.path()).size(), 2U);
}

}  // namespace
}  // namespace tofu
