// Progress: the line that tells during a run how it goes; on a terminal it rewrites itself once a
// second, elsewhere it is a line each 5 s.
//
// Path:     Live of each LoadThread → [Progress] → stderr
// Runs on:  the main thread.
// Owned by: run().
// Bounds:   one line.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include "loadtest/scenario.hpp"

namespace parley::load {

struct ProgressCounts {
    std::uint64_t ready = 0, failed = 0, published = 0, received = 0;
};

class Progress {
public:
    // `out` nullptr: nothing is shown.
    Progress(std::FILE* out, const Scenario& scenario);

    // Shows a line when its time has come.
    void update(const std::string& phase, const ProgressCounts& counts, std::int64_t now_ns);
    // Shows a line that stays.
    void line(const std::string& text);
    // Leaves the cursor at a fresh line.
    void finish();

private:
    std::FILE* out_;
    std::uint32_t connections_;
    bool terminal_;
    bool line_open_ = false;
    std::int64_t next_ns_ = 0;
    std::int64_t last_ns_ = 0;
    ProgressCounts last_;
};

}  // namespace parley::load
