// A small HTTP server on the loopback interface, for the tests of what talks to one.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tofu::test {

struct HttpRequest {
  std::string head;  // request line and headers
  std::string body;
};

struct HttpResponse {
  int status = 200;
  std::string body;
  std::string headers = {};  // more of them, each with its end of line
  // What follows is not said: the connection is closed, or left open without a word.
  enum class Silence { none, close, hang } silence = Silence::none;
};

class HttpServer {
 public:
  // `answer` is called by several threads at once.
  explicit HttpServer(std::function<HttpResponse(const HttpRequest&)> answer);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string address() const;  // "http://127.0.0.1:PORT"
  int most_at_once() const { return most_at_once_; }

 private:
  void accept_connections();
  void serve(int connection);

  std::function<HttpResponse(const HttpRequest&)> answer_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> at_once_ = 0;
  std::atomic<int> most_at_once_ = 0;
  std::mutex mutex_;
  std::vector<std::thread> workers_;
  std::thread acceptor_;
};

}  // namespace tofu::test
