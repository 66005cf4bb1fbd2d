#include "identify/http_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace tofu::test {
namespace {

// Reads until the headers and the body that they announce are there. Empty if the peer leaves.
HttpRequest read_request(int connection) {
  std::string text;
  char buffer[4096];
  while (true) {
    const std::size_t end = text.find("\r\n\r\n");
    if (end != std::string::npos) {
      const std::string head = text.substr(0, end);
      const std::size_t length_at = head.find("Content-Length: ");
      const std::size_t length =
          length_at == std::string::npos ? 0 : std::stoul(head.substr(length_at + 16));
      if (text.size() >= end + 4 + length) return {head, text.substr(end + 4, length)};
    }
    const ssize_t count = recv(connection, buffer, sizeof buffer, 0);
    if (count <= 0) return {};
    text.append(buffer, static_cast<std::size_t>(count));
  }
}

}  // namespace

HttpServer::HttpServer(std::function<HttpResponse(const HttpRequest&)> answer)
    : answer_(std::move(answer)), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, 64) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no port on the loopback interface can be had");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_connections(); });
}

HttpServer::~HttpServer() {
  stopping_ = true;
  acceptor_.join();
  for (std::thread& worker : workers_) worker.join();
  close(listener_);
}

std::string HttpServer::address() const {
  return "http://127.0.0.1:" + std::to_string(port_);
}

void HttpServer::accept_connections() {
  while (!stopping_) {
    pollfd waiting{listener_, POLLIN, 0};
    if (poll(&waiting, 1, 20) <= 0) continue;
    const int connection = accept(listener_, nullptr, nullptr);
    if (connection < 0) continue;
    const std::lock_guard lock(mutex_);
    workers_.emplace_back([this, connection] { serve(connection); });
  }
}

void HttpServer::serve(int connection) {
  const HttpRequest request = read_request(connection);
  const int now = ++at_once_;
  for (int most = most_at_once_; now > most && !most_at_once_.compare_exchange_weak(most, now);) {
  }
  const HttpResponse response = request.head.empty()
                                    ? HttpResponse{0, {}, {}, HttpResponse::Silence::close}
                                    : answer_(request);
  if (response.silence == HttpResponse::Silence::none) {
    const std::string text = "HTTP/1.1 " + std::to_string(response.status) + " x\r\n" +
                             response.headers +
                             "Content-Length: " + std::to_string(response.body.size()) +
                             "\r\nConnection: close\r\n\r\n" + response.body;
    send(connection, text.data(), text.size(), MSG_NOSIGNAL);
  }
  if (response.silence == HttpResponse::Silence::hang) {
    // Until the client gives up.
    pollfd waiting{connection, POLLIN, 0};
    while (!stopping_ && poll(&waiting, 1, 20) == 0) {
    }
  }
  --at_once_;
  close(connection);
}

}  // namespace tofu::test
