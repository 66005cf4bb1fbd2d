#include "identify/chat_client.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "text/unicode.hpp"

namespace tofu {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kLongestResponse = std::size_t{16} << 20;
constexpr double kLongestPause = 60;
constexpr long kConnectSeconds = 20;
// After so many requests in a row that got no answer at all, the server counts as unreachable.
constexpr int kUnreachableAfter = 3;
constexpr std::string_view kPath = "/chat/completions";

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct MultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

// A request under way.
struct Transfer {
  std::string id;
  std::string body;
  std::string response;
  std::unique_ptr<CURL, EasyDeleter> easy;
  std::unique_ptr<curl_slist, ListDeleter> headers;
};

std::size_t append_response(char* data, std::size_t size, std::size_t count, void* transfer) {
  std::string& response = static_cast<Transfer*>(transfer)->response;
  if (response.size() + size * count > kLongestResponse) return 0;  // ends the transfer
  response.append(data, size * count);
  return size * count;
}

// A request that waits for its turn.
struct Waiting {
  std::string id;
  int attempts = 0;  // made before
  Clock::time_point not_before;
};

std::string chat_address(std::string endpoint) {
  while (endpoint.ends_with('/')) endpoint.pop_back();
  const bool is_http = endpoint.starts_with("http://") || endpoint.starts_with("https://");
  if (!is_http) {
    fail(ErrorCategory::usage, "endpoint is {}; an http:// or https:// address is expected",
         endpoint);
  }
  const std::size_t host = endpoint.find("://") + 3;
  if (endpoint.substr(0, endpoint.find('/', host)).find('@') != std::string::npos) {
    fail(ErrorCategory::usage,
         "endpoint holds a name or password: put the key into the environment variable "
         "TOFU_MPI_API_KEY instead");
  }
  return endpoint.ends_with(kPath) ? endpoint : endpoint + std::string(kPath);
}

void start_curl() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) fail(ErrorCategory::communication, "libcurl cannot be started");
}

bool is_busy(long status) {
  return status == 408 || status == 409 || status == 429 || status >= 500;
}

}  // namespace

class ChatClient::Engine {
 public:
  Engine(ChatClientOptions options, ChatExchange exchange, std::vector<std::string> ids)
      : options_(std::move(options)),
        exchange_(std::move(exchange)),
        address_(chat_address(options_.endpoint)) {
    start_curl();
    multi_.reset(curl_multi_init());
    if (!multi_) fail(ErrorCategory::communication, "libcurl cannot be started");
    for (std::string& id : ids) waiting_.push_back({std::move(id), 0, Clock::now()});
  }

  ~Engine() {
    for (const auto& [easy, transfer] : active_) curl_multi_remove_handle(multi_.get(), easy);
  }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  bool work(double seconds) {
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    while (!done()) {
      start_what_is_due();
      int running = 0;
      check(curl_multi_perform(multi_.get(), &running));
      finish_what_ended();
      if (done() || Clock::now() >= end) break;
      check(curl_multi_poll(multi_.get(), nullptr, 0, 100, nullptr));
    }
    return done();
  }

  const std::map<std::string, std::string>& failures() const { return failures_; }

 private:
  bool done() const { return waiting_.empty() && active_.empty(); }

  static void check(CURLMcode code) {
    if (code != CURLM_OK) {
      fail(ErrorCategory::communication, "libcurl: {}", curl_multi_strerror(code));
    }
  }

  void start_what_is_due() {
    const auto now = Clock::now();
    for (std::size_t left = waiting_.size();
         left > 0 && active_.size() < static_cast<std::size_t>(options_.max_concurrency); --left) {
      Waiting next = std::move(waiting_.front());
      waiting_.pop_front();
      if (next.not_before <= now) {
        start(next);
      } else {
        waiting_.push_back(std::move(next));
      }
    }
  }

  void start(const Waiting& next) {
    auto transfer = std::make_unique<Transfer>();
    transfer->id = next.id;
    transfer->body = exchange_.request(next.id);
    transfer->easy.reset(curl_easy_init());
    CURL* easy = transfer->easy.get();
    if (easy == nullptr) fail(ErrorCategory::communication, "libcurl cannot make a request");
    add_header(transfer.get(), "Content-Type: application/json");
    if (!options_.api_key.empty()) {
      add_header(transfer.get(), "Authorization: Bearer " + options_.api_key);
    }
    curl_easy_setopt(easy, CURLOPT_URL, address_.c_str());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers.get());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer->body.c_str());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(transfer->body.size()));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, append_response);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer.get());
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(options_.timeout * 1000));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    // A redirection would carry the key elsewhere.
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    check(curl_multi_add_handle(multi_.get(), easy));
    attempts_[next.id] = next.attempts + 1;
    active_[easy] = std::move(transfer);
  }

  static void add_header(Transfer* transfer, const std::string& line) {
    curl_slist* longer = curl_slist_append(transfer->headers.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    static_cast<void>(transfer->headers.release());  // it is part of the longer one
    transfer->headers.reset(longer);
  }

  void finish_what_ended() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      CURL* easy = message->easy_handle;
      const std::unique_ptr<Transfer> transfer = std::move(active_.at(easy));
      check(curl_multi_remove_handle(multi_.get(), easy));
      active_.erase(easy);
      finish(*transfer, code);
    }
  }

  void finish(const Transfer& transfer, CURLcode code) {
    if (code != CURLE_OK) {
      try_again(transfer, curl_easy_strerror(code), 0, true);
      return;
    }
    long status = 0;
    curl_off_t retry_after = 0;
    curl_easy_getinfo(transfer.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(transfer.easy.get(), CURLINFO_RETRY_AFTER, &retry_after);
    if (status == 200) {
      unreachable_ = 0;
      const std::string problem = exchange_.accept(transfer.id, transfer.response);
      if (!problem.empty()) try_again(transfer, problem, 0, false);
    } else if (is_busy(status)) {
      try_again(transfer, describe(status, transfer.response), static_cast<double>(retry_after),
                true);
    } else if (status == 400 || status == 413 || status == 422) {
      // Something about this one request.
      failures_[transfer.id] = describe(status, transfer.response);
    } else {
      fail(ErrorCategory::usage,
           "{} answers {}; check endpoint, chat_model, and the key in TOFU_MPI_API_KEY or "
           "OPENAI_API_KEY",
           address_,
           status == 401 || status == 403 ? fmt::format("HTTP status {}", status)
                                          : describe(status, transfer.response));
    }
  }

  void try_again(const Transfer& transfer, const std::string& problem, double least_pause,
                 bool is_transport) {
    const int attempts = attempts_.at(transfer.id);
    if (attempts < options_.max_attempts) {
      double pause = options_.first_pause;
      for (int i = 1; i < attempts; ++i) pause *= 2;
      pause = std::min(std::max(pause, least_pause), kLongestPause);
      waiting_.push_back({transfer.id, attempts,
                          Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                             std::chrono::duration<double>(pause))});
      return;
    }
    failures_[transfer.id] = fmt::format("{} (after {} attempts)", problem, attempts);
    if (is_transport && ++unreachable_ >= kUnreachableAfter) {
      fail(ErrorCategory::communication,
           "{} does not answer: {}; what it answered before is kept, start again to go on",
           address_, problem);
    }
  }

  // A status with the beginning of what the server says about it, without the key.
  std::string describe(long status, std::string text) const {
    for (std::size_t at = 0; !options_.api_key.empty() &&
                             (at = text.find(options_.api_key, at)) != std::string::npos;) {
      text.replace(at, options_.api_key.size(), "***");
    }
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
    return fmt::format("HTTP status {}: {}", status, replace_invalid_utf8(text.substr(0, 200)));
  }

  ChatClientOptions options_;
  ChatExchange exchange_;
  std::string address_;
  std::unique_ptr<CURLM, MultiDeleter> multi_;
  std::deque<Waiting> waiting_;
  std::map<CURL*, std::unique_ptr<Transfer>> active_;
  std::map<std::string, int> attempts_;
  std::map<std::string, std::string> failures_;
  int unreachable_ = 0;
};

ChatClient::ChatClient(ChatClientOptions options, ChatExchange exchange,
                       std::vector<std::string> ids)
    : engine_(std::make_unique<Engine>(std::move(options), std::move(exchange), std::move(ids))) {}

ChatClient::~ChatClient() = default;

bool ChatClient::work(double seconds) {
  return engine_->work(seconds);
}

const std::map<std::string, std::string>& ChatClient::failures() const {
  return engine_->failures();
}

}  // namespace tofu
