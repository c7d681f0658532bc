#include "loadtest/worker_link.hpp"

#include <unistd.h>

#include <boost/json.hpp>
#include <utility>

#include "loadtest/clock.hpp"
#include "loadtest/tally_json.hpp"
#include "loadtest/time_series_json.hpp"

namespace parley::load {
namespace {

namespace json = boost::json;

constexpr std::int64_t live_every_ns = 200 * ns_per_ms;
constexpr int wait_ms = 1000;

}  // namespace

Checked<json::object> WorkerLink::await(std::string_view type) {
    for (;;) {
        const bool whole = wire_.pump();
        if (auto message = wire_.take()) {
            if (type_of(*message) == type) return std::move(*message);
            return Problem{"the coordinator said '" + std::string(type_of(*message)) + "' where '" +
                               std::string(type) + "' was expected",
                           true};
        }
        if (!whole || wire_.broken()) {
            return Problem{"the coordinator is gone: " + wire_.why(), true};
        }
        wire_.wait(wait_ms);
    }
}

Checked<WorkOrder> WorkerLink::await_order() {
    wire_.send({{"type", "hello"}, {"protocol", crew_protocol}, {"pid", ::getpid()}});
    const auto message = await("welcome");
    if (!message) return message.error();
    const json::value* const arguments = message->if_contains("arguments");
    const auto worker = number_in(*message, "worker");
    const auto workers = number_in(*message, "workers");
    if (number_in(*message, "protocol") != crew_protocol || !worker || !workers ||
        *worker >= *workers || arguments == nullptr || !arguments->is_array()) {
        return Problem{"the coordinator speaks another protocol: use one version of parley-load"};
    }
    WorkOrder order{static_cast<unsigned>(*worker),
                    static_cast<unsigned>(*workers),
                    text_in(*message, "folder"),
                    {}};
    for (const json::value& argument : arguments->get_array()) {
        if (argument.is_string()) order.arguments.emplace_back(argument.get_string().c_str());
    }
    return order;
}

Checked<std::int64_t> WorkerLink::await_start() {
    wire_.send({{"type", "ready"}});
    const auto message = await("go");
    if (!message) return message.error();
    return static_cast<std::int64_t>(number_in(*message, "run_start_ns").value_or(0));
}

void WorkerLink::exchange(const RunStatus& status, const Scenario& scenario, Control& control) {
    const std::int64_t now_ns = monotonic_ns();
    if (now_ns >= next_live_ns_) {
        next_live_ns_ = now_ns + live_every_ns;
        wire_.send({{"type", "live"},
                    {"ready", status.counts.ready},
                    {"failed", status.counts.failed},
                    {"published", status.counts.published},
                    {"received", status.counts.received},
                    {"settled", status.settled}});
    }
    if (status.published) send_books(status, scenario, control);
    (void)wire_.pump();
    while (const auto message = wire_.take()) {
        const std::string_view type = type_of(*message);
        if (type == "publish") {
            publish_start_ns_ =
                static_cast<std::int64_t>(number_in(*message, "start_ns").value_or(0));
        } else if (type == "end") {
            interrupted_ = true;
        } else if (type == "others") {
            take_others(*message, scenario, control);
        }
    }
}

void WorkerLink::send_books(const RunStatus& status, const Scenario& scenario,
                            const Control& control) {
    // Drained is told with what was counted after it: given-up messages are no longer due.
    control.count_accepted_here(scenario, accepted_);
    if (told_ && told_drained_ == status.drained && accepted_ == told_accepted_) return;
    wire_.send(
        {{"type", "books"}, {"accepted", rooms_to_json(accepted_)}, {"drained", status.drained}});
    told_ = true;
    told_drained_ = status.drained;
    told_accepted_ = accepted_;
}

void WorkerLink::take_others(const json::object& message, const Scenario& scenario,
                             Control& control) {
    const auto accepted = rooms_from_json(message, scenario.rooms);
    if (!accepted) return wire_.fail("books that cannot be read");
    for (std::size_t room = 0; room < control.accepted_elsewhere.size(); ++room) {
        control.accepted_elsewhere[room].store((*accepted)[room], std::memory_order_relaxed);
    }
    const json::value* const drained = message.if_contains("drained");
    control.others_published.store(true, std::memory_order_release);
    if (drained != nullptr && drained->is_bool() && drained->get_bool()) {
        control.others_drained.store(true, std::memory_order_release);
    }
}

void WorkerLink::send_result(const Report& report) {
    wire_.send({{"type", "result"},
                {"tallies", tallies_to_json(report.counted())},
                {"cost", cost_to_json(report.generator)},
                {"series", time_series_to_json(report.series)},
                {"end_ns", report.end_ns}});
    send_all();
}

void WorkerLink::send_problem(const std::string& problem) {
    wire_.send({{"type", "failed"}, {"problem", problem}});
    send_all();
}

void WorkerLink::send_all() {
    while (wire_.pump() && wire_.unsent()) wire_.wait(wait_ms);
}

}  // namespace parley::load
