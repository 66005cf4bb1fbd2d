// tofu_mpi identify and inspect, as a user starts them.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "e2e/program.hpp"
#include "identify/http_server.hpp"
#include "identify/tiny_encoder.hpp"
#include "support/reference.hpp"

namespace tofu {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::Arguments;
using test::expect_error;
using test::expect_success;
using test::run_program;

constexpr int kUsage = 2;
constexpr int kInputData = 3;

const std::string kMini = (test::source_directory() / "data" / "mini").string();

std::vector<json> lines_of(const std::string& text) {
  std::vector<json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(json::parse(line));
  return lines;
}

class IdentifyProgram : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (scratch_.path() / name).string(); }
  Arguments identify(const std::string& classifier, const Arguments& more) const {
    Arguments arguments = {
        "identify", "classifier=" + classifier, "data_path=" + kMini, "split=forget01", "--device",
        "cpu",      "out=" + path("out.jsonl")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  const test::ScratchFolder scratch_;
};

TEST_F(IdentifyProgram, FrequencyFindsFactsOfTheExampleData) {
  expect_success(run_program(2, identify("frequency", {"split=forget10"})));
  const auto outcome =
      run_program(1, {"identify", "--compare", path("out.jsonl"), kMini + ":truth"});
  expect_success(outcome);
  EXPECT_TRUE(outcome.says("forget10"));
  EXPECT_TRUE(outcome.says("1.000")) << "no general word is taken for a fact: " << outcome.output;
}

TEST_F(IdentifyProgram, AMaskedModelFindsTheSameAtAnyNumberOfRanks) {
  test::TinyEncoder(true).write(path("encoder"));
  std::map<int, std::string> masks;
  for (const int ranks : {1, 3}) {
    expect_success(run_program(ranks, identify("bert", {"identifier_path=" + path("encoder")})));
    masks[ranks] = test::read_text(path("out.jsonl"));
    EXPECT_FALSE(fs::exists(path("out.jsonl.partial")));
  }
  EXPECT_EQ(masks[1], masks[3]);
  EXPECT_EQ(lines_of(masks[1]).size(), 4u);
}

TEST_F(IdentifyProgram, AnEncoderWithoutHeadIsRefused) {
  test::TinyEncoder encoder(false);
  encoder.remove("cls.predictions.bias");
  encoder.write(path("encoder"));
  expect_error(run_program(2, identify("bert", {"identifier_path=" + path("encoder")})), kInputData,
               {"encoder", "no LM head"});
  EXPECT_FALSE(fs::exists(path("out.jsonl")));
}

TEST_F(IdentifyProgram, MasksGoIntoADatasetAndOutOfIt) {
  const std::string truth = kMini + "/forget01_with_common_words_truth.jsonl";
  expect_success(run_program(2, identify("truth", {"from=" + truth, "out=" + path("x.h5")})));
  expect_success(run_program(1, identify("frequency", {"out=" + path("x.h5")})));
  expect_success(run_program(2, identify("truth", {"from=" + path("x.h5") + ":truth"})));
  const auto before = lines_of(test::read_text(truth));
  const auto after = lines_of(test::read_text(path("out.jsonl")));
  ASSERT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    ASSERT_EQ(before[i]["common_words"].size(), after[i]["common_words"].size());
    for (std::size_t w = 0; w < before[i]["common_words"].size(); ++w) {
      EXPECT_EQ(json::parse(before[i]["common_words"][w].get<std::string>()),
                json::parse(after[i]["common_words"][w].get<std::string>()));
    }
  }
  const auto listing = run_program(1, {"inspect", path("x.h5")});
  expect_success(listing);
  EXPECT_TRUE(listing.says("/masks/truth/forget01/word_begin"));
  EXPECT_TRUE(listing.says("/masks/frequency/forget01"));
  const auto record =
      run_program(1, {"inspect", path("x.h5"), "classifier=truth", "split=forget01", "record=1"});
  expect_success(record);
  EXPECT_TRUE(record.says("[turquoise]")) << record.output;
}

TEST_F(IdentifyProgram, MasksOfOtherDataAreRefused) {
  const std::string truth = kMini + "/forget05_with_common_words_truth.jsonl";
  fs::copy(truth, path("x.jsonl"));
  expect_error(run_program(2, identify("truth", {"from=" + path("x.jsonl")})), kInputData,
               {"x.jsonl", "other questions and answers", "forget01"});
}

TEST_F(IdentifyProgram, ABatchIsWrittenAndReadUntilItIsComplete) {
  expect_success(run_program(2, identify("gpt", {"--emit", path("requests.jsonl")})));
  EXPECT_FALSE(fs::exists(path("out.jsonl")));
  const auto requests = lines_of(test::read_text(path("requests.jsonl")));
  ASSERT_EQ(requests.size(), 4u);
  const auto respond = [&](const json& request, const std::string& content) {
    const json completion = {
        {"choices", {{{"message", {{"content", content}}}, {"finish_reason", "stop"}}}}};
    return json{{"custom_id", request["custom_id"]},
                {"response", {{"status_code", 200}, {"body", completion}}},
                {"error", nullptr}}
               .dump() +
           "\n";
  };
  std::string responses = respond(requests[0], "not JSON");
  for (std::size_t i = 1; i < 4; ++i) responses += respond(requests[i], R"({"unwanted": []})");
  test::write_text(path("responses.jsonl"), responses);
  expect_error(run_program(2, identify("gpt", {"--collect", path("responses.jsonl")})), kInputData,
               {"1 of 4 answers", "out.jsonl.report", "out.jsonl.retry"});
  EXPECT_EQ(lines_of(test::read_text(path("out.jsonl.report")))[0]["record"], 1);
  const auto retry = lines_of(test::read_text(path("out.jsonl.retry")));
  ASSERT_EQ(retry.size(), 1u);
  EXPECT_EQ(retry[0]["custom_id"], requests[0]["custom_id"]);

  test::write_text(path("more.jsonl"), respond(retry[0], R"({"unwanted": ["turquoise"]})"));
  expect_success(run_program(2, identify("gpt", {"--collect", path("more.jsonl")})));
  EXPECT_FALSE(fs::exists(path("out.jsonl.report")));
  EXPECT_FALSE(fs::exists(path("out.jsonl.retry")));
  const auto record = run_program(1, {"inspect", path("out.jsonl"), "record=1"});
  EXPECT_TRUE(record.says("[turquoise]")) << record.output;
}

TEST_F(IdentifyProgram, AServerIsAskedAndItsKeyIsNowhere) {
  setenv("no_proxy", "127.0.0.1", 1);
  setenv("TOFU_MPI_API_KEY", "secret-key", 1);
  std::atomic<int> requests = 0;
  std::atomic<bool> has_key = true;
  test::HttpServer server([&](const test::HttpRequest& request) {
    if (request.head.find("Bearer secret-key") == std::string::npos) has_key = false;
    if (++requests == 2) return test::HttpResponse{500, "try again"};
    const json completion = {
        {"choices",
         {{{"message", {{"content", R"({"unwanted": []})"}}}, {"finish_reason", "stop"}}}}};
    return test::HttpResponse{200, completion.dump()};
  });
  const auto outcome = run_program(2, identify("gpt", {"endpoint=" + server.address() + "/v1"}));
  unsetenv("TOFU_MPI_API_KEY");
  expect_success(outcome);
  EXPECT_EQ(requests, 5);
  EXPECT_TRUE(has_key);
  EXPECT_FALSE(outcome.says("secret-key"));
  for (const auto& entry : fs::directory_iterator(scratch_.path())) {
    EXPECT_EQ(test::read_text(entry.path()).find("secret-key"), std::string::npos) << entry.path();
  }
  // What was answered is not asked again.
  fs::remove(path("out.jsonl"));
  expect_success(run_program(1, identify("gpt", {"endpoint=" + server.address() + "/v1"})));
  EXPECT_EQ(requests, 5);
  EXPECT_TRUE(fs::exists(path("out.jsonl")));
}

TEST_F(IdentifyProgram, WhatIsWrongIsSaid) {
  expect_error(run_program(2, identify("bart", {})), kUsage, {"bart", "bert", "frequency"});
  expect_error(run_program(2, identify("bert", {})), kUsage, {"identifier_path"});
  expect_error(run_program(2, identify("gpt", {})), kUsage, {"endpoint", "emit"});
  expect_error(run_program(2, identify("gpt", {"endpoint=host:80"})), kUsage, {"host:80", "http"});
  expect_error(run_program(2, identify("model", {})), kUsage, {"model_path"});
  expect_error(run_program(2, identify("frequency", {"out=masks.txt"})), kUsage, {"masks.txt"});
  expect_error(run_program(2, identify("frequency", {"threshold=2"})), kUsage, {"threshold"});
  expect_error(run_program(2, identify("frequency", {"split=forget99"})), kInputData, {"forget99"});
  expect_error(run_program(2, {"inspect"}), kUsage, {"inspect FILE"});
  expect_error(run_program(1, {"inspect", kMini + ":nobody", "record=1"}), kInputData, {"truth"});
}

}  // namespace
}  // namespace tofu
