#include "train/stop_request.hpp"

#include <csignal>

namespace tofu {
namespace {

volatile std::sig_atomic_t requested = 0;

extern "C" void note_request(int) {
  requested = 1;
}

}  // namespace

void watch_for_stop_signals() {
  for (const int signal : {SIGTERM, SIGUSR1, SIGINT}) std::signal(signal, note_request);
}

bool stop_was_requested() {
  return requested != 0;
}

}  // namespace tofu
