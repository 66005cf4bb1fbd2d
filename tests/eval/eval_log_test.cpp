#include "eval/eval_log.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "eval_log_support.hpp"

namespace tofu {
namespace {

using test::error_of;
using test::expect_contains;

EvalLog parse(const nlohmann::json& json) {
  return parse_eval_log(json.dump(), "log.json");
}

nlohmann::json small_json() {
  return nlohmann::json::parse(eval_log_json(test::small_log(12)));
}

TEST(EvalLog, WrittenLogComesBack) {
  EvalLog log = test::small_log(12);
  log.sets[kForgetSet].kl_divergence.emplace(12, 0.125);
  log.conventions = {{"eos", "drop"}, {"ds_size", "300"}};
  const EvalLog read = parse_eval_log(eval_log_json(log), "log.json");
  EXPECT_EQ(read.sets, log.sets);
  EXPECT_EQ(read.conventions, log.conventions);
}

// The published scripts walk over the entries of the log as sets, and over arrays by name.
TEST(EvalLog, LayoutIsThePublishedOne) {
  EvalLog log = test::small_log(11);
  log.conventions = {{"eos", "drop"}};
  const auto json = nlohmann::json::parse(eval_log_json(log));
  EXPECT_EQ(json.size(), 4u);
  const auto& set = json.at("eval_log_forget.json");
  EXPECT_EQ(set.at("avg_gt_loss").at("10"), 3.0);
  EXPECT_EQ(set.at("average_perturb_loss").at("0"), nlohmann::json({1.0, 2.0, 3.0}));
  EXPECT_EQ(set.at("generated_text").at("1").at(0), "q1");
  EXPECT_EQ(set.at("conventions").at("eos"), "drop");
  EXPECT_FALSE(set.contains("kl_divergence"));
  EXPECT_EQ(nlohmann::json::parse(set_log_json(log.sets[kForgetSet], log.conventions)), set);
}

TEST(EvalLog, ListsAndObjectsInAnyOrderAreTheSame) {
  auto json = small_json();
  auto& set = json[kRetainSet];
  for (auto& [name, array] : set.items()) {
    nlohmann::json list = nlohmann::json::array();
    for (std::size_t i = 0; i < array.size(); ++i) list.push_back(array[std::to_string(i)]);
    array = list;
  }
  // nlohmann::json sorts keys as text ("0", "1", "10", "11", "2"), so the natural order is at
  // stake.
  EXPECT_EQ(parse(json).sets, test::small_log(12).sets);
}

TEST(EvalLog, GeneratedTextThatEndsWithinACharacterIsWritten) {
  EvalLog log = test::small_log(1);
  log.sets[kRetainSet].generated_text[0].generated = "cut \xC3";
  EXPECT_EQ(parse_eval_log(eval_log_json(log), "x").sets[kRetainSet].generated_text[0].generated,
            "cut \xEF\xBF\xBD");
}

TEST(EvalLog, BadArraysNameSetAndKey) {
  const auto with = [](const char* key, const nlohmann::json& value) {
    auto json = small_json();
    json[kForgetSet][key] = value;
    return error_of([&] { parse(json); });
  };
  expect_contains(with("avg_gt_loss", 3), "log.json: eval_log_forget.json: avg_gt_loss is neither");
  expect_contains(with("gt_loss", {1, 2}), "gt_loss has 2 items, but avg_gt_loss has 12");
  expect_contains(with("rougeL_recall", {{"x", 1}}), "rougeL_recall has the key 'x'");
  expect_contains(with("avg_paraphrased_loss", nlohmann::json::array_t(12)),
                  "avg_paraphrased_loss: item 0 is null");
  expect_contains(with("average_perturb_loss", std::vector<double>(12)),
                  "average_perturb_loss: item 0 is not a list");
  expect_contains(with("generated_text", std::vector<int>(12)), "generated_text: item 0");
  expect_contains(with("conventions", "x"), "conventions is not an object");
  auto json = small_json();
  json[kForgetSet].erase("avg_gt_loss");
  expect_contains(error_of([&] { parse(json); }), "eval_log_forget.json: avg_gt_loss is missing");
  json = small_json();
  json[kForgetSet]["gt_loss"]["99"] = json[kForgetSet]["gt_loss"]["3"];
  json[kForgetSet]["gt_loss"].erase("3");
  expect_contains(error_of([&] { parse(json); }), "gt_loss is about other items");
}

TEST(EvalLog, SetsOfDifferentRunsAreRefused) {
  auto json = small_json();
  json[kForgetSet]["conventions"] = {{"eos", "drop"}};
  json[kRetainSet]["conventions"] = {{"eos", "keep"}};
  expect_contains(error_of([&] { parse(json); }), "different runs");
}

TEST(EvalLog, NotANumberOfPythonNamesKeyAndLine) {
  std::string text = eval_log_json(test::small_log(2));
  const std::string key = "\"avg_paraphrased_loss\": {\n            \"0\": ";
  const std::size_t value = text.find(key) + key.size();
  for (const std::string word : {"NaN", "Infinity", "-Infinity"}) {
    std::string bad = text;
    bad.replace(value, bad.find(',', value) - value, word);
    const std::string message = error_of([&] { parse_eval_log(bad, "log.json"); });
    expect_contains(message, "log.json: avg_paraphrased_loss");
    expect_contains(message, word == "NaN" ? "NaN in line" : "Infinity in line");
  }
}

TEST(EvalLog, ForeignTextIsRefused) {
  const std::string text = eval_log_json(test::small_log(2));
  expect_contains(error_of([&] { parse_eval_log(text.substr(0, text.size() / 2), "log.json"); }),
                  "log.json: not valid JSON in line");
  for (const std::string other : {"", "{}", "[1]", "3", "{\"eval_log.json\": 3}"}) {
    expect_contains(error_of([&] { parse_eval_log(other, "log.json"); }), "log.json: ");
  }
  const std::string one_set = set_log_json(test::small_set(2), {});
  expect_contains(error_of([&] { parse_eval_log(one_set, "log.json"); }),
                  "eval_log_aggregated.json");
}

TEST(EvalLog, MissingFileIsAFileSystemError) {
  const auto folder = std::filesystem::temp_directory_path();
  expect_contains(error_of([&] { read_eval_log(folder / "tofu_no_such_log.json"); },
                           ErrorCategory::file_system),
                  "tofu_no_such_log.json");
  error_of([&] { read_eval_log(folder); }, ErrorCategory::file_system);
}

}  // namespace
}  // namespace tofu
