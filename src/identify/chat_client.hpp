// Asks an OpenAI-compatible server many things at once over HTTP: bounded concurrency, and another
// try after a pause where the server is busy, fails or says nothing.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tofu {

struct ChatClientOptions {
  std::string endpoint;  // "http://host:port/v1", with or without /chat/completions
  std::string api_key;   // sent as a bearer token if it is not empty; never shown
  int max_concurrency = 8;
  double timeout = 120;    // seconds for an answer
  int max_attempts = 6;    // of one request
  double first_pause = 1;  // seconds before the second attempt; doubled for each further one
};

// How requests are made and answers are taken.
struct ChatExchange {
  // The JSON body of a request, in the words for this attempt.
  std::function<std::string(const std::string& id)> request;
  // Takes the JSON of an answer; returns what is wrong with it, empty if it is good.
  std::function<std::string(const std::string& id, const std::string& response)> accept;
};

class ChatClient {
 public:
  // Error{usage} if the endpoint is not an http or https address, or holds a name and password.
  ChatClient(ChatClientOptions options, ChatExchange exchange, std::vector<std::string> ids);
  ~ChatClient();
  ChatClient(const ChatClient&) = delete;
  ChatClient& operator=(const ChatClient&) = delete;

  // Works for about so many seconds; true when nothing is left to do. Error{usage} if the server
  // turns the key or the address down, Error{communication} if it cannot be reached at all.
  bool work(double seconds);
  // What is wrong with the requests that were given up, by id.
  const std::map<std::string, std::string>& failures() const;

 private:
  class Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace tofu
