// MessageWire: what a coordinator and its workers tell each other: JSON objects with a "type", each
// behind its length in four bytes, the highest first.
//
//     worker → coordinator                      coordinator → worker
//     hello   {protocol, pid}                   welcome {protocol, worker, workers, folder, arguments}
//     ready   {}                                go      {run_start_ns}
//     live    {ready, failed, published,        publish {start_ns}
//              received, settled}               end     {}
//     books   {accepted, drained}               others  {accepted, drained}
//     result  {tallies, cost, series, end_ns}
//     failed  {problem}
//
// `accepted` holds room, count, room, count …, of rooms in which messages were accepted. Instants are
// CLOCK_MONOTONIC, which all processes of a machine share.
//
// Path:     RunLead ⇄ [MessageWire] ⇄ Coordinator
// Runs on:  the main thread of either process.
// Owned by: WorkerLink; Coordinator.
// Bounds:   message_bytes_max each way; what is larger, or is no such message, breaks the wire.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "loadtest/file_descriptor.hpp"
#include "loadtest/target.hpp"

namespace parley::load {

inline constexpr int crew_protocol = 1;
inline constexpr std::size_t message_bytes_max = std::size_t{64} << 20;

// Appends one message as it goes over the wire.
void append_message(std::string& out, const boost::json::object& message);

// Takes bytes and gives messages.
class MessageReader {
public:
    void feed(std::string_view bytes) { bytes_.append(bytes); }
    // The next whole message; nothing, and empty error(): more bytes are needed.
    [[nodiscard]] std::optional<boost::json::object> next();
    // Why nothing that follows can be read.
    [[nodiscard]] const std::string& error() const noexcept { return error_; }

private:
    std::string bytes_;
    std::size_t taken_ = 0;
    std::string error_;
};

class MessageWire {
public:
    // A connected stream socket.
    explicit MessageWire(FileDescriptor fd);

    void send(const boost::json::object& message);
    // Sends and takes what goes without waiting. False: the wire is broken; why() tells.
    bool pump();
    // What has come is not what it should be: the wire is of no use any more.
    void fail(std::string why) {
        if (!broken()) why_ = std::move(why);
    }
    // What has come, in its order.
    [[nodiscard]] std::optional<boost::json::object> take();
    // Waits for `timeout_ms` at most until there is something to take, or the wire breaks.
    void wait(int timeout_ms);

    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    [[nodiscard]] bool broken() const noexcept { return !why_.empty(); }
    [[nodiscard]] const std::string& why() const noexcept { return why_; }
    [[nodiscard]] bool unsent() const noexcept { return sent_ < out_.size(); }

private:
    bool send_some();
    bool take_some();

    FileDescriptor fd_;
    std::string out_;
    std::size_t sent_ = 0;
    MessageReader reader_;
    std::string why_;
};

// The message's type; empty where there is none.
[[nodiscard]] std::string_view type_of(const boost::json::object& message);
// A whole number of 0 or more; nothing where there is none of this name.
[[nodiscard]] std::optional<std::uint64_t> number_in(const boost::json::object& message,
                                                     std::string_view name);
[[nodiscard]] std::string text_in(const boost::json::object& message, std::string_view name);

// `accepted` of a message.
[[nodiscard]] boost::json::array rooms_to_json(const std::vector<std::uint64_t>& rooms);
// Nothing where it names a room beyond `rooms`, or is no such list.
[[nodiscard]] std::optional<std::vector<std::uint64_t>> rooms_from_json(
    const boost::json::object& message, std::size_t rooms);

// "127.0.0.1:7000" or "[::1]:7000": a loopback address and a port, 0 for any where one listens.
struct CrewAddress {
    std::string host;
    std::uint16_t port = 0;
    [[nodiscard]] std::string text() const;
};
[[nodiscard]] Checked<CrewAddress> parse_crew_address(std::string_view text);
// A listening socket; `address` gets the port. Or one that is connected.
[[nodiscard]] Checked<FileDescriptor> listen_at(CrewAddress& address);
[[nodiscard]] Checked<FileDescriptor> connect_to(const CrewAddress& address);

}  // namespace parley::load
