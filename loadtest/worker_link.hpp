// WorkerLink: a worker's end of its connection to the coordinator.
//
// Path:     run ⇄ [WorkerLink] ⇄ MessageWire ⇄ Coordinator
// Runs on:  the worker's main thread.
// Owned by: main.
// Bounds:   MessageWire's; a `live` each live_every_ns.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "loadtest/report.hpp"
#include "loadtest/run_lead.hpp"
#include "loadtest/worker_message.hpp"

namespace parley::load {

// What a worker is told to do.
struct WorkOrder {
    unsigned worker = 0;
    unsigned workers = 1;
    std::string folder;                  // where the names of files begin
    std::vector<std::string> arguments;  // the coordinator's
};

class WorkerLink final : public RunLead {
public:
    explicit WorkerLink(FileDescriptor fd) : wire_(std::move(fd)) {}

    // Presents itself, and waits for its order.
    [[nodiscard]] Checked<WorkOrder> await_order();

    [[nodiscard]] Checked<std::int64_t> await_start() override;
    void exchange(const RunStatus& status, const Scenario& scenario, Control& control) override;
    [[nodiscard]] std::int64_t publish_start_ns() const override { return publish_start_ns_; }
    [[nodiscard]] bool interrupted() const override { return interrupted_; }
    [[nodiscard]] bool given_up() const override { return wire_.broken(); }

    // At the end, either of them; waits until it is sent.
    void send_result(const Report& report);
    void send_problem(const std::string& problem);

private:
    // The next message of this type; or why it does not come.
    [[nodiscard]] Checked<boost::json::object> await(std::string_view type);
    void take_others(const boost::json::object& message, const Scenario& scenario,
                     Control& control);
    void send_books(const RunStatus& status, const Scenario& scenario, const Control& control);
    void send_all();

    MessageWire wire_;
    std::int64_t publish_start_ns_ = 0;
    bool interrupted_ = false;
    std::int64_t next_live_ns_ = 0;
    bool told_ = false;          // of the books
    bool told_drained_ = false;  // and that nothing more is awaited
    std::vector<std::uint64_t> told_accepted_;
    std::vector<std::uint64_t> accepted_;  // scratch
};

}  // namespace parley::load
