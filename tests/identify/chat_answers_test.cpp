#include "identify/chat_answers.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "store/file_test_support.hpp"

namespace tofu {
namespace {

using nlohmann::json;

const std::vector<Record> kRecords = {
    {"Where?", "In Elvas.", {}, {}}, {"When?", "In 1947.", {}, {}}, {"Who?", "Zoë.", {}, {}}};

std::vector<json> lines_of(const std::string& text) {
  std::vector<json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(json::parse(line));
  return lines;
}

json completion(const std::string& content) {
  return {{"choices", {{{"message", {{"content", content}}}, {"finish_reason", "stop"}}}}};
}

std::string response(const std::string& id, const std::string& content) {
  const json line = {{"custom_id", id},
                     {"response", {{"status_code", 200}, {"body", completion(content)}}},
                     {"error", nullptr}};
  return line.dump() + "\n";
}

class ChatAnswersTest : public testing::Test {
 protected:
  ChatAnswers open(const std::string& instruction = "instruct") const {
    return ChatAnswers("forget01", kRecords, {instruction, "model-1"}, folder_ / "x.answers");
  }
  void collect(ChatAnswers* answers, const std::string& text) const {
    test::write_bytes(folder_ / "responses.jsonl", text);
    answers->collect(folder_ / "responses.jsonl");
  }

  test::TemporaryFolder folder_;
};

TEST_F(ChatAnswersTest, RequestsAreOfTheBatchFormat) {
  const auto requests = lines_of(open().requests());
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[1]["method"], "POST");
  EXPECT_EQ(requests[1]["url"], "/v1/chat/completions");
  EXPECT_EQ(requests[1]["body"]["model"], "model-1");
  EXPECT_EQ(requests[1]["body"]["messages"][0]["content"], "instruct");
  EXPECT_EQ(requests[1]["body"]["messages"][1]["content"], "Question: When?\nAnswer: In 1947.");
  EXPECT_TRUE(requests[1]["custom_id"].get<std::string>().starts_with("forget01-0002-"));
}

TEST_F(ChatAnswersTest, GoodAnswersInAnyOrderBecomeMasks) {
  ChatAnswers answers = open();
  const auto ids = answers.missing();
  collect(&answers, response(ids[2], R"({"unwanted": ["Zoë"]})") +
                        response(ids[0], R"({"unwanted": ["Elvas"]})") +
                        response(ids[1], R"({"unwanted": ["1947"]})"));
  EXPECT_TRUE(answers.missing().empty());
  const AnswerMasks expected = {{{0, 2}, {8, 9}}, {{0, 2}, {7, 8}}, {{4, 5}}};
  EXPECT_EQ(answers.masks(), expected);
}

TEST_F(ChatAnswersTest, BadAnswersAreReportedAndAskedForAgain) {
  ChatAnswers answers = open();
  const auto ids = answers.missing();
  const json failed = {{"custom_id", ids[2]}, {"response", nullptr}, {"error", {{"code", "x9"}}}};
  collect(&answers, response(ids[0], R"({"unwanted": ["Elvas"]})") +
                        response(ids[1], R"({"unwanted": ["1948"]})") + failed.dump() + "\n");
  EXPECT_EQ(answers.missing(), (std::vector<std::string>{ids[1], ids[2]}));
  const auto report = lines_of(answers.report());
  ASSERT_EQ(report.size(), 2u);
  EXPECT_EQ(report[0]["record"], 2);
  EXPECT_NE(report[0]["problem"].get<std::string>().find("1948"), std::string::npos);
  EXPECT_NE(report[1]["problem"].get<std::string>().find("x9"), std::string::npos);
  // The model is told what was wrong.
  const auto requests = lines_of(answers.requests());
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0]["body"]["messages"].size(), 4u);
  EXPECT_EQ(requests[0]["body"]["messages"][2]["role"], "assistant");
  EXPECT_NE(requests[0]["body"]["messages"][3]["content"].get<std::string>().find("1948"),
            std::string::npos);
  EXPECT_EQ(requests[1]["body"]["messages"].size(), 2u);
  // A good answer is not lost to a later bad one.
  collect(&answers, response(ids[0], "garbage") + response(ids[1], R"({"unwanted": []})"));
  EXPECT_EQ(answers.missing(), std::vector<std::string>{ids[2]});
}

TEST_F(ChatAnswersTest, GoodAnswersAreKeptForTheNextStart) {
  std::string first_id;
  {
    ChatAnswers answers = open();
    first_id = answers.missing()[0];
    EXPECT_EQ(answers.accept(first_id, completion(R"({"unwanted": ["Elvas"]})").dump()), "");
  }
  EXPECT_EQ(open().missing().size(), 2u);
  // With another instruction everything is asked anew, and the old answers stay.
  EXPECT_EQ(open("another").missing().size(), 3u);
  EXPECT_EQ(open().missing().size(), 2u);
}

TEST_F(ChatAnswersTest, ForeignAndBrokenLinesAreNoAnswers) {
  ChatAnswers answers = open();
  const std::string good = response(answers.missing()[0], R"({"unwanted": []})");
  collect(&answers, "\n" + response("forget01-0001-0000000000000000", "{}") + "[3]\n{}\n" +
                        good.substr(0, good.size() / 2));
  EXPECT_EQ(answers.missing().size(), 3u);
  const json no_body = {{"custom_id", answers.missing()[0]}};
  const json failed = {{"custom_id", answers.missing()[1]},
                       {"response", {{"status_code", 500}, {"body", "oops"}}}};
  collect(&answers, no_body.dump() + "\n" + failed.dump() + "\r\n");
  const auto report = lines_of(answers.report());
  EXPECT_NE(report[0]["problem"].get<std::string>().find("no response"), std::string::npos);
  EXPECT_NE(report[1]["problem"].get<std::string>().find("500"), std::string::npos);
  EXPECT_NE(report[2]["problem"].get<std::string>().find("no answer"), std::string::npos);
  test::expect_error(ErrorCategory::file_system, {"nowhere"},
                     [&] { answers.collect(folder_ / "nowhere"); });
}

}  // namespace
}  // namespace tofu
