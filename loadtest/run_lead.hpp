// RunLead: who decides when a run goes on, where that is not the process itself.
//
// Path:     run ⇄ [RunLead] ⇄ coordinator
// Runs on:  the main thread.
// Owned by: main.
// Bounds:   none needed.
#pragma once

#include <cstdint>
#include <vector>

#include "loadtest/control.hpp"
#include "loadtest/progress.hpp"
#include "loadtest/target.hpp"

namespace parley::load {

// How far this process is.
struct RunStatus {
    ProgressCounts counts;
    bool settled = false;    // everybody is ready, or has failed
    bool published = false;  // its last message is sent
    bool drained = false;    // and it awaits nothing more
};

class RunLead {
public:
    virtual ~RunLead() = default;

    // Waits until everybody is prepared. When the ramp begins; or why it does not.
    [[nodiscard]] virtual Checked<std::int64_t> await_start() = 0;
    // Tells how far this process is, and takes what the others have told into `control`; at once.
    virtual void exchange(const RunStatus& status, const Scenario& scenario, Control& control) = 0;
    // When the first phase begins; 0: that is not decided yet.
    [[nodiscard]] virtual std::int64_t publish_start_ns() const = 0;
    // The run is to end now, with what was measured so far.
    [[nodiscard]] virtual bool interrupted() const = 0;
    // There is nobody to report to.
    [[nodiscard]] virtual bool given_up() const = 0;
};

}  // namespace parley::load
