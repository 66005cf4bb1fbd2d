#include "data/json_dataset.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "store/file_test_support.hpp"

namespace tofu {
namespace {

using test::expect_error;

class JsonDataset : public testing::Test {
 protected:
  std::vector<Record> read(const std::string& content, const std::string& name = "full.json") {
    test::write_bytes(folder_ / name, content);
    return read_split(folder_.path(), "full");
  }
  void expect_refused(const std::string& content, std::vector<std::string> parts) {
    parts.emplace_back("full.json");
    expect_error(ErrorCategory::input_data, parts, [&] { read(content); });
  }

  test::TemporaryFolder folder_;
};

TEST_F(JsonDataset, ReadsLinesAndArraysWhateverTheName) {
  const std::string first = R"({"question": "Who?", "answer": "Él\u00e9 [x], \"y\"]", "other": 1})";
  const std::string second =
      R"({"question": "Why?", "answer": "So.", "paraphrased_answer": "Thus.",)"
      R"( "perturbed_answer": ["No.", "Never."]})";
  for (const std::string& content :
       {first + "\n" + second, first + "\r\n\r\n" + second + "\r\n",
        "\xEF\xBB\xBF" + first + "\n" + second, "[" + first + "," + second + "]",
        " \n[\n" + first + ",\r\n  " + second + "\n]\n"}) {
    for (const char* name : {"full.json", "full.jsonl"}) {
      const std::vector<Record> records = read(content, name);
      std::filesystem::remove(folder_ / name);
      ASSERT_EQ(records.size(), 2U) << content;
      EXPECT_EQ(records[0].question, "Who?");
      EXPECT_EQ(records[0].answer, "Élé [x], \"y\"]");
      EXPECT_EQ(records[0].paraphrased_answer, "");
      EXPECT_TRUE(records[0].perturbed_answers.empty());
      EXPECT_EQ(records[1].paraphrased_answer, "Thus.");
      EXPECT_EQ(records[1].perturbed_answers, (std::vector<std::string>{"No.", "Never."}));
    }
  }
}

TEST_F(JsonDataset, ReadsARecordOfSeveralLinesInAnArray) {
  const auto records = read("[\n  {\n    \"question\": \"Q\",\n    \"answer\": \"A\"\n  }\n]\n");
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].answer, "A");
}

TEST_F(JsonDataset, OnePerturbedAnswerMayBeAString) {
  EXPECT_EQ(
      read(R"({"question": "Q", "answer": "A", "perturbed_answer": "B"})")[0].perturbed_answers,
      std::vector<std::string>{"B"});
}

TEST_F(JsonDataset, KeepsTextsAsTheyAre) {
  const auto records = read(R"({"question": " Q\n ", "answer": "\tA\u0000 "})");
  EXPECT_EQ(records[0].question, " Q\n ");
  EXPECT_EQ(records[0].answer, std::string("\tA\0 ", 4));
}

TEST_F(JsonDataset, NamesLineAndRecordOfWhatIsWrong) {
  const std::string good = R"({"question": "Q", "answer": "A"})";
  const auto second = [&](const std::string& record) { return good + "\n\n" + record + "\n"; };
  const std::string place = "line 3 (record 2)";
  expect_refused(second(R"({"question": "Q"})"), {place, "\"answer\" is missing"});
  expect_refused(second(R"({"answer": "A"})"), {place, "\"question\" is missing"});
  expect_refused(second(R"({"question": "Q", "answer": 3})"), {place, "\"answer\"", "number"});
  expect_refused(second(R"({"question": "Q", "answer": "\u00a0 "})"),
                 {place, "\"answer\" is empty"});
  expect_refused(second(R"({"question": "Q", "answer": null})"), {place, "null"});
  expect_refused(second(R"({"question": "Q", "answer": "A", "paraphrased_answer": []})"),
                 {place, "\"paraphrased_answer\"", "array"});
  for (const char* value : {"[\"a\", 3]", "{}", "7", "[\"\"]", "[null]"}) {
    expect_refused(second(R"({"question": "Q", "answer": "A", "perturbed_answer": )" +
                          std::string(value) + "}"),
                   {place, "\"perturbed_answer\""});
  }
  expect_refused(second(R"({"question": "Q", "answer": "A)"), {place, "not JSON"});
  expect_refused(second("\"text\""), {place, "string"});
  expect_refused(second("{\"question\": \"Q\", \"answer\": \"\xFF\"}"), {"line 3", "UTF-8"});
  expect_refused(second(R"({"question": "Q", "answer": "\ud800"})"), {place, "not JSON"});
}

TEST_F(JsonDataset, NamesLineAndRecordInAnArray) {
  const std::string good = R"({"question": "Q", "answer": "A"})";
  expect_refused("[\n" + good + ",\n\n{\"question\": \"Q\"}\n]", {"line 4 (record 2)", "missing"});
  expect_refused("[\n" + good + ",\n]", {"line 3 (record 2)", "not JSON"});
  expect_refused("[\n" + good + ",\n3]", {"line 3 (record 2)", "number"});
  expect_refused("[" + good + ", {\"question\": \"Q", {"after record 1", "half-downloaded"});
  expect_refused("[" + good, {"half-downloaded"});
  expect_refused("[" + good + ",", {"half-downloaded"});
  expect_refused("[" + good + "]\n" + good, {"line 1", "follows"});
  expect_refused("[]", {"no records"});
  expect_refused("[", {"half-downloaded"});
  expect_refused("[\"a\\", {"half-downloaded"});
}

TEST_F(JsonDataset, RecognisesForeignFiles) {
  expect_refused("", {"empty"});
  expect_refused("\xEF\xBB\xBF\r\n", {"empty"});
  expect_refused("<!DOCTYPE html><html>", {"HTML"});
  expect_refused("version https://git-lfs.github.com/spec/v1\noid sha256:1\n", {"git lfs pull"});
  expect_refused(std::string("\xFF\xFE{\0", 4), {"UTF-16"});
}

TEST_F(JsonDataset, AMissingSplitListsTheOthers) {
  test::write_bytes(folder_ / "forget01.json", "{}");
  test::write_bytes(folder_ / "retain99.jsonl", "{}");
  test::write_bytes(folder_ / "idontknow.jsonl", "I don't know.");
  test::write_bytes(folder_ / "forget01_with_common_words_gpt.jsonl", "{}");
  test::write_bytes(folder_ / "README.md", "");
  EXPECT_EQ(available_splits(folder_.path()), (std::vector<std::string>{"forget01", "retain99"}));
  expect_error(ErrorCategory::input_data, {"\"forget1\"", "forget01, retain99"},
               [&] { read_split(folder_.path(), "forget1"); });
  expect_error(ErrorCategory::input_data, {"../x"}, [&] { read_split(folder_.path(), "../x"); });
  expect_error(ErrorCategory::file_system, {"absent", "No such file"},
               [&] { read_split(folder_ / "absent", "full"); });
  test::write_bytes(folder_ / "retain99.json", "{}");
  expect_error(ErrorCategory::input_data, {"retain99.json and retain99.jsonl"},
               [&] { read_split(folder_.path(), "retain99"); });
}

TEST_F(JsonDataset, RefusalsAreLines) {
  expect_error(ErrorCategory::input_data, {"idontknow.jsonl", "missing"},
               [&] { read_refusals(folder_.path()); });
  EXPECT_FALSE(has_refusals(folder_.path()));
  test::write_bytes(folder_ / "idontknow.jsonl", "\xEF\xBB\xBFI don't know.\r\n\r\nNo idée.");
  EXPECT_TRUE(has_refusals(folder_.path()));
  EXPECT_EQ(read_refusals(folder_.path()), (std::vector<std::string>{"I don't know.", "No idée."}));
  test::write_bytes(folder_ / "idontknow.jsonl", "yes\nno \xC3\n");
  expect_error(ErrorCategory::input_data, {"line 2", "UTF-8"},
               [&] { read_refusals(folder_.path()); });
  test::write_bytes(folder_ / "idontknow.jsonl", " \n");
  expect_error(ErrorCategory::input_data, {"empty"}, [&] { read_refusals(folder_.path()); });
}

}  // namespace
}  // namespace tofu
