// CrewSession: one run with several workers, as its coordinator sees it: who has joined, how far each
// is, and what they counted.
//
// Path:     Coordinator → [CrewSession] ⇄ MessageWire of each worker
// Runs on:  the coordinator's main thread.
// Owned by: Coordinator::lead().
// Bounds:   Coordinator's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "loadtest/coordinator.hpp"
#include "loadtest/phase_watch.hpp"
#include "loadtest/progress.hpp"
#include "loadtest/time_series.hpp"
#include "loadtest/user_context.hpp"

namespace parley::load {

class CrewSession {
public:
    CrewSession(const CommandLine& line, const CoordinatorConfig& config, int listener,
                const std::atomic<bool>& interrupted);

    [[nodiscard]] Checked<Report> play();

private:
    struct Worker {
        explicit Worker(FileDescriptor fd) : wire(std::move(fd)) {}
        MessageWire wire;
        std::uint64_t pid = 0;
        std::int64_t heard_ns = 0;
        bool welcome = false, ready = false, settled = false, told_books = false, drained = false;
        ProgressCounts counts;
        std::vector<std::uint64_t> accepted;
        std::optional<std::vector<Tally>> tallies;
        std::optional<TimeSeries> series;
        std::int64_t end_ns = 0;
        GeneratorCost cost;
    };

    // Goes on until `done`, or something is wrong: true where it is done.
    template <typename Done>
    [[nodiscard]] bool until(Done done, const std::string& phase);
    template <typename Holds>
    [[nodiscard]] bool all(Holds holds) const;
    void look(const std::string& phase);
    void admit(std::int64_t now_ns);
    void listen_to(std::size_t index, std::int64_t now_ns);
    void take(std::size_t index, const boost::json::object& message);
    void take_hello(Worker& worker, std::size_t index, const boost::json::object& message);
    void take_result(Worker& worker, std::size_t index, const boost::json::object& message);
    void join_books();
    void look_for_dead_children();
    void tell_all(const boost::json::object& message);
    void give_up(std::string why, bool incomplete);
    [[nodiscard]] std::string name_of(std::size_t index) const;
    [[nodiscard]] bool everybody_is_here() const { return workers_.size() == size_; }
    [[nodiscard]] Problem problem() const { return {*problem_, incomplete_}; }

    [[nodiscard]] bool gather();
    [[nodiscard]] bool connect();
    [[nodiscard]] bool publish();
    [[nodiscard]] bool settle_books();
    [[nodiscard]] Report make_report() const;

    const CommandLine& line_;
    const CoordinatorConfig& config_;
    const int listener_;
    const std::atomic<bool>& interrupted_;
    const std::size_t size_;
    Plan plan_;
    Progress progress_;
    std::unique_ptr<ServerWatch> watch_;
    PhaseWatch server_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::optional<std::string> problem_;
    bool incomplete_ = false;
    bool begun_ = false;
    bool cut_short_ = false;
    bool books_changed_ = false;
    std::int64_t run_start_ns_ = 0;
    std::int64_t publish_start_ns_ = 0;
    std::int64_t until_ns_ = 0;
    std::int64_t deadline_ns_ = never_ns;
};

}  // namespace parley::load
