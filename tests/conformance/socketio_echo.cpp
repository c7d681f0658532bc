#include "conformance/socketio_echo.hpp"

#include <vector>

#include "core/ids.hpp"
#include "protocol/json_scan.hpp"
#include "protocol/socketio.hpp"
#include "transports/socketio/socketio_connection.hpp"

namespace parley::conformance {
namespace {

using transports::SocketLink;
using transports::SocketMessage;

constexpr std::size_t sid_chars = 20;

// A suite that waits for one message after the other loses the second of two that its WebSocket
// library reads at once, as it does of one segment: `auth` comes in one of its own.
constexpr std::chrono::milliseconds auth_delay{20};

// `["name",...]` of a compact array of arguments.
std::string event(std::string_view name, std::string_view args) {
    std::string text = "[\"";
    text.append(name).append("\"");
    if (args.size() > 2) text.append(",").append(args.substr(1, args.size() - 2));
    text.append("]");
    return text;
}

// The arguments of an event as an array of their own, without its name.
std::string arguments_of(const SocketMessage& message) {
    const std::string compact = protocol::compact_json(message.args);
    protocol::JsonItems items(compact);
    if (!items.next()) return "[]";
    const auto end = static_cast<std::size_t>(items.value().end() - compact.data());
    const auto rest = std::string_view(compact).substr(end);
    std::string args = "[";
    args.append(rest.starts_with(',') ? rest.substr(1) : rest);
    return args;
}

class EchoSocket final : public transports::SocketHandler, private core::Timer {
public:
    EchoSocket(core::Shard& shard, std::string_view auth)
        : Timer([](Timer& timer) noexcept { static_cast<EchoSocket&>(timer).say_auth(); }),
          shard_(&shard),
          auth_("[") {
        auth_.append(auth.empty() ? "{}" : protocol::compact_json(auth)).append("]");
    }

    void on_open(SocketLink& link) override {
        link_ = &link;
        link.accept(core::random_id(shard_->random(), sid_chars), {});
        shard_->timers().arm(*this, shard_->now().mono + auth_delay);
    }
    void on_event(const SocketMessage& message) override {
        const std::string name = protocol::event_name(message.args);
        const std::string args = arguments_of(message);
        const std::vector<std::string_view> attachments(message.attachments.begin(),
                                                        message.attachments.end());
        if (name == "message") {
            link_->emit(event("message-back", args), attachments);
        } else if (name == "message-with-ack" && message.id) {
            link_->acknowledge(*message.id, args, attachments);
        } else if (name == "emit-with-ack") {
            link_->emit(event("message", args), attachments, next_id_++);
        }
    }
    void on_ack(const SocketMessage& ack) override {
        const std::vector<std::string_view> attachments(ack.attachments.begin(),
                                                        ack.attachments.end());
        link_->emit(event("emit-with-ack-back", protocol::compact_json(ack.args)), attachments);
    }
    // Its answers wait in what carries it, which takes no more meanwhile than it may keep.
    bool ready() const noexcept override { return said_auth_; }
    void on_writable() override {}
    void on_writer_changed() override {}
    void on_drain() override {}
    void on_closed(const core::CloseReason&, transports::SocketEnd) noexcept override { cancel(); }

private:
    void say_auth() noexcept {
        said_auth_ = true;
        link_->emit(event("auth", auth_));
        link_->resume();
    }

    core::Shard* shard_;
    std::string auth_;  // as an array of arguments
    SocketLink* link_ = nullptr;
    bool said_auth_ = false;
    std::uint64_t next_id_ = 0;
};

class EchoNamespaces final : public transports::SocketApplication {
public:
    explicit EchoNamespaces(core::Shard& shard) : shard_(&shard) {}

    bool has(std::string_view name) const noexcept override {
        return name == "/" || name == "/custom";
    }
    std::unique_ptr<transports::SocketHandler> connect(std::string_view, std::string_view auth,
                                                       const transports::EngineOpening&) override {
        return std::make_unique<EchoSocket>(*shard_, auth);
    }

private:
    core::Shard* shard_;
};

// Both layers of it, in the order in which they need each other.
class SocketIoEcho final : public transports::EngineApplication {
public:
    SocketIoEcho(core::Shard& shard, const transports::SocketIoConfig& config,
                 std::size_t attachment_bytes_max)
        : namespaces_(shard), connections_(shard, namespaces_, config, attachment_bytes_max) {}

    std::unique_ptr<transports::EngineHandler> open(
        const transports::EngineOpening& opening) override {
        return connections_.open(opening);
    }

private:
    EchoNamespaces namespaces_;
    transports::SocketIoApplication connections_;
};

}  // namespace

std::unique_ptr<transports::EngineApplication> make_socketio_echo(
    core::Shard& shard, const transports::SocketIoConfig& config,
    std::size_t attachment_bytes_max) {
    return std::make_unique<SocketIoEcho>(shard, config, attachment_bytes_max);
}

}  // namespace parley::conformance
