// Requests to stop: SIGTERM and SIGUSR1 (what batch systems send ahead of the end), SIGINT.
#pragma once

namespace tofu {

// From now on these signals are noted instead of ending the process.
void watch_for_stop_signals();
bool stop_was_requested();

}  // namespace tofu
