#include "identify/chat_client.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <mutex>

#include "identify/http_server.hpp"
#include "store/file_test_support.hpp"

namespace tofu {
namespace {

using test::HttpRequest;
using test::HttpResponse;
using test::HttpServer;

class ChatClientTest : public testing::Test {
 protected:
  void SetUp() override { setenv("no_proxy", "127.0.0.1", 1); }

  // A client whose requests are their ids, and that takes every answer but "bad".
  ChatClient client(const std::string& endpoint, std::vector<std::string> ids) {
    ChatClientOptions options;
    options.endpoint = endpoint;
    options.api_key = "secret-key";
    options.max_concurrency = concurrency_;
    options.timeout = timeout_;
    options.max_attempts = 3;
    options.first_pause = 0.01;
    return ChatClient(options,
                      {[](const std::string& id) { return id; },
                       [this](const std::string& id, const std::string& response) {
                         accepted_[id] = response;
                         return response == "bad" ? std::string("a bad answer") : std::string();
                       }},
                      std::move(ids));
  }

  // Counts how often each body came, from 1.
  int count(const HttpRequest& request) {
    const std::lock_guard lock(mutex_);
    return ++counts_[request.body];
  }

  int concurrency_ = 2;
  double timeout_ = 30;
  std::map<std::string, std::string> accepted_;
  std::mutex mutex_;
  std::map<std::string, int> counts_;
};

constexpr double kLong = 60;

TEST_F(ChatClientTest, AsksAllWithTheKeyAtTheRightPlace) {
  std::string head;
  HttpServer server([&](const HttpRequest& request) {
    const std::lock_guard lock(mutex_);
    head = request.head;
    return HttpResponse{200, "answer to " + request.body};
  });
  ChatClient asking = client(server.address() + "/v1/", {"a", "b", "c"});
  EXPECT_TRUE(asking.work(kLong));
  EXPECT_TRUE(asking.failures().empty());
  EXPECT_EQ(accepted_.size(), 3u);
  EXPECT_EQ(accepted_["b"], "answer to b");
  EXPECT_TRUE(head.starts_with("POST /v1/chat/completions "));
  EXPECT_NE(head.find("Authorization: Bearer secret-key"), std::string::npos);
}

TEST_F(ChatClientTest, NeverMoreAtOnceThanAllowed) {
  HttpServer server([](const HttpRequest&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return HttpResponse{200, "x"};
  });
  ChatClient asking = client(server.address(), {"a", "b", "c", "d", "e", "f", "g"});
  EXPECT_TRUE(asking.work(kLong));
  EXPECT_EQ(accepted_.size(), 7u);
  EXPECT_LE(server.most_at_once(), 2);
}

TEST_F(ChatClientTest, TriesAgainWhereTheServerIsBusyFailsOrIsSilent) {
  timeout_ = 0.3;
  HttpServer server([&](const HttpRequest& request) {
    if (count(request) >= 2) return HttpResponse{200, "x"};
    if (request.body == "busy") return HttpResponse{429, "slow down", "Retry-After: 0\r\n"};
    if (request.body == "broken") return HttpResponse{500, "oops"};
    if (request.body == "closed") return HttpResponse{0, {}, {}, HttpResponse::Silence::close};
    return HttpResponse{0, {}, {}, HttpResponse::Silence::hang};
  });
  ChatClient asking = client(server.address(), {"busy", "broken", "closed", "silent"});
  EXPECT_TRUE(asking.work(kLong));
  EXPECT_TRUE(asking.failures().empty());
  EXPECT_EQ(accepted_.size(), 4u);
}

TEST_F(ChatClientTest, ABadAnswerIsAskedForAgainAndThenRecorded) {
  HttpServer server([&](const HttpRequest& request) {
    const bool good = request.body == "good" || (request.body == "late" && count(request) == 2);
    return HttpResponse{200, good ? "x" : "bad"};
  });
  ChatClient asking = client(server.address(), {"late", "never", "good"});
  EXPECT_TRUE(asking.work(kLong));
  ASSERT_EQ(asking.failures().size(), 1u);
  EXPECT_NE(asking.failures().at("never").find("a bad answer (after 3 attempts)"),
            std::string::npos);
}

TEST_F(ChatClientTest, ARequestThatIsTurnedDownDoesNotStopTheOthers) {
  HttpServer server([](const HttpRequest& request) {
    return request.body == "a" ? HttpResponse{400, "too long \xFF for secret-key\n"}
                               : HttpResponse{200, "x"};
  });
  ChatClient asking = client(server.address(), {"a", "b"});
  EXPECT_TRUE(asking.work(kLong));
  EXPECT_EQ(accepted_.count("b"), 1u);
  const std::string problem = asking.failures().at("a");
  EXPECT_NE(problem.find("400: too long"), std::string::npos);
  EXPECT_EQ(problem.find("secret-key"), std::string::npos);
}

TEST_F(ChatClientTest, AKeyThatIsTurnedDownIsAnErrorThatDoesNotShowIt) {
  HttpServer server([](const HttpRequest&) { return HttpResponse{401, "wrong key: secret-key"}; });
  ChatClient asking = client(server.address(), {"a"});
  try {
    asking.work(kLong);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), ErrorCategory::usage);
    EXPECT_NE(std::string(error.what()).find("401"), std::string::npos);
    EXPECT_EQ(std::string(error.what()).find("secret-key"), std::string::npos);
  }
}

TEST_F(ChatClientTest, ARedirectionIsNotFollowed) {
  HttpServer elsewhere([](const HttpRequest&) { return HttpResponse{200, "x"}; });
  HttpServer server([&](const HttpRequest&) {
    return HttpResponse{307, "", "Location: " + elsewhere.address() + "/\r\n"};
  });
  ChatClient asking = client(server.address(), {"a"});
  test::expect_error(ErrorCategory::usage, {"307"}, [&] { asking.work(kLong); });
  EXPECT_EQ(elsewhere.most_at_once(), 0);
}

TEST_F(ChatClientTest, AServerThatCannotBeReachedIsAnError) {
  std::string address;
  {
    HttpServer server([](const HttpRequest&) { return HttpResponse{200, "x"}; });
    address = server.address();
  }
  ChatClient asking = client(address, {"a", "b", "c", "d", "e"});
  test::expect_error(ErrorCategory::communication, {address, "does not answer"},
                     [&] { asking.work(kLong); });
}

TEST_F(ChatClientTest, WorkReturnsBeforeAllIsDone) {
  HttpServer server([](const HttpRequest&) {
    return HttpResponse{0, {}, {}, HttpResponse::Silence::hang};
  });
  ChatClient asking = client(server.address(), {"a"});
  EXPECT_FALSE(asking.work(0.05));
}

TEST_F(ChatClientTest, AddressesThatAreNoneAreRefused) {
  for (const char* address : {"", "localhost:8000", "file:///etc/passwd", "ftp://x"}) {
    test::expect_error(ErrorCategory::usage, {"endpoint"}, [&] { client(address, {}); });
  }
  try {
    client("http://me:password@host/v1", {});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find("password@"), std::string::npos);
  }
}

}  // namespace
}  // namespace tofu
