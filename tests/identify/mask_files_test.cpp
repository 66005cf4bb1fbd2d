#include "identify/mask_files.hpp"

#include <gtest/gtest.h>

#include "data/json_masks.hpp"
#include "store/file_test_support.hpp"

namespace tofu {
namespace {

using test::expect_error;

const std::vector<Record> kRecords = {{"Où?", "Née à Elvas.", {}, {}}, {"Who?", "Zoë", {}, {}}};
const AnswerMasks kMasks = {{{0, 4}, {5, 7}}, {}};

class MaskFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(folder_ / "data");
    test::write_bytes(folder_ / "data/forget01.json",
                      R"([{"question": "Où?", "answer": "Née à Elvas."},
                          {"question": "Who?", "answer": "Zoë"}])");
    dataset_.emplace(Dataset::open(folder_ / "data"));
  }
  void write(const std::string& name, const std::string& classifier, const AnswerMasks& masks) {
    write_split_masks(folder_ / name, *dataset_, "forget01", classifier, {kRecords, masks},
                      {{"program", "test"}});
  }

  test::TemporaryFolder folder_;
  std::optional<Dataset> dataset_;
};

TEST_F(MaskFiles, AFileOfAnyNameIsRead) {
  write("x.jsonl", "bert", kMasks);
  const auto found = read_all_masks(folder_ / "x.jsonl");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found.at("").masks, kMasks);
  EXPECT_EQ(found.at("").records[1].answer, "Zoë");
  EXPECT_NE(test::read_bytes(folder_ / "x.jsonl.provenance").find("\"program\""),
            std::string::npos);
}

TEST_F(MaskFiles, ADatasetFileIsMadeAndThenAddedTo) {
  write("x.h5", "bert", kMasks);
  write("x.h5", "gpt", {{}, {}});
  write("x.h5", "bert", {{{0, 4}}, {}});  // in place of the first
  const std::string path = folder_ / "x.h5";
  EXPECT_EQ(read_all_masks(path + ":bert").at("forget01").masks, (AnswerMasks{{{0, 4}}, {}}));
  EXPECT_EQ(read_all_masks(path + ":gpt").at("forget01").masks, (AnswerMasks{{}, {}}));
  expect_error(ErrorCategory::input_data, {"CLASSIFIER", "forget01 (bert)", "forget01 (gpt)"},
               [&] { read_all_masks(path); });
  EXPECT_EQ(Dataset::open(path).masks("forget01", "bert"), (AnswerMasks{{{0, 4}}, {}}));
}

TEST_F(MaskFiles, ADatasetFileWithOtherAnswersIsLeftAlone) {
  write("x.h5", "bert", kMasks);
  const std::string before = test::read_bytes(folder_ / "x.h5");
  expect_error(ErrorCategory::input_data, {"x.h5", "forget01", "other questions"}, [&] {
    write_split_masks(folder_ / "x.h5", *dataset_, "forget01", "bert",
                      {{{"Où?", "Née à Porto.", {}, {}}}, {{}}}, {});
  });
  EXPECT_EQ(test::read_bytes(folder_ / "x.h5"), before);
}

TEST_F(MaskFiles, WhereMasksGo) {
  EXPECT_EQ(mask_output(folder_.path(), "forget01", "bert"),
            folder_ / "forget01_with_common_words_bert.jsonl");
  EXPECT_EQ(mask_output("a/b.h5", "forget01", "bert"), "a/b.h5");
  expect_error(ErrorCategory::usage, {"x.txt", ".jsonl"},
               [&] { mask_output("x.txt", "forget01", "bert"); });
}

TEST_F(MaskFiles, FilesAndDatasetsAreCompared) {
  write("forget01_with_common_words_bert.jsonl", "bert", kMasks);
  write("x.h5", "gpt", {{{0, 4}}, {}});
  write("other.jsonl", "gpt", {{{0, 4}}, {}});
  const std::string folder = folder_.path();
  for (const std::string& other : {folder + "/x.h5", folder + "/other.jsonl"}) {
    const auto found = compare_all_masks(folder + ":bert", other);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found.begin()->first, "forget01");
    EXPECT_EQ(found.begin()->second.words, 4);
    EXPECT_EQ(found.begin()->second.unwanted_in_b_alone, 1);
  }
}

TEST_F(MaskFiles, WhatCannotBeComparedIsNamed) {
  write("forget01_with_common_words_bert.jsonl", "bert", kMasks);
  write_mask_file(folder_ / "other.jsonl", {{"Où?", "Née à Porto.", {}, {}}}, {{}});
  write_mask_file(folder_ / "forget05_with_common_words_bert.jsonl", kRecords, kMasks);
  const std::string bert = folder_ / "forget01_with_common_words_bert.jsonl";
  expect_error(ErrorCategory::input_data, {"no split in common"},
               [&] { compare_all_masks(bert, folder_ / "other.jsonl"); });
  std::filesystem::create_directory(folder_ / "changed");
  write_masks(folder_ / "changed", "forget01", "bert", {{"Où?", "Née à Porto.", {}, {}}}, {{}});
  expect_error(ErrorCategory::input_data, {"forget01", "different questions"},
               [&] { compare_all_masks(bert, folder_ / "changed"); });
  expect_error(ErrorCategory::input_data, {"no split in common"},
               [&] { compare_all_masks(bert, folder_ / "forget05_with_common_words_bert.jsonl"); });
  expect_error(ErrorCategory::file_system, {"none.jsonl"},
               [&] { compare_all_masks(bert, folder_ / "none.jsonl"); });
}

}  // namespace
}  // namespace tofu
