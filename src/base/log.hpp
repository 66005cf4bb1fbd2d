// Plain lines on stderr. Rank 0 speaks; another rank only when it fails, with its number in front.
#pragma once

#include <fmt/format.h>

#include <string_view>

namespace tofu {

// Sets which rank this process is; until then it counts as rank 0.
void set_log_rank(int rank, int world_size);

// Writes a line from rank 0; nothing on the others.
void log_line(std::string_view line);

template <typename... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log_line(fmt::format(format, std::forward<Args>(args)...));
}

template <typename... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
  log_line("warning: " + fmt::format(format, std::forward<Args>(args)...));
}

// Writes "error: MESSAGE" from whichever rank calls it.
void log_error(std::string_view message);

}  // namespace tofu
