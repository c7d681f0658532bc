// isolated: runs something in a process of its own, so that its memory begins with nothing of what
// was measured before.
//
// Path:     million → [isolated] → Population
// Runs on:  the main thread, while it is the only one.
// Owned by: nobody; no state.
// Bounds:   one child at a time.
#pragma once

#include <functional>
#include <string>

namespace parley::bench {

// What `work` returned in a child process. Throws std::runtime_error with what it threw, or with how
// the child died.
[[nodiscard]] std::string in_own_process(const std::function<std::string()>& work);

}  // namespace parley::bench
