#include "loadtest/handshake.hpp"

#include <utility>

#include "loadtest/http_answer.hpp"
#include "loadtest/socketio_dialogue.hpp"
#include "loadtest/websocket_line.hpp"
#include "protocol/websocket_handshake.hpp"

namespace parley::load {

Handshake::Result Handshake::begin(const Plan& plan, const Addresses& addresses,
                                   const TlsContext* tls, std::uint32_t number,
                                   std::int64_t intended_ns, Luck& luck) {
    intended_ns_ = intended_ns;
    stage_ = Stage::connecting;
    status_ = 0;
    request_.clear();
    head_.clear();
    const auto kind = plan.scenario.handshakes->kind;
    if (kind == Handshakes::Kind::upgrade) {
        key_ = make_websocket_key(luck);
        protocol::ClientUpgrade upgrade;
        upgrade.host = plan.host;
        const bool socketio = plan.speaks_socketio();
        const Target& target = socketio ? plan.socketio : plan.target;
        append_filled(upgrade.path, target.path, {plan.room_name(0), number, {}});
        if (socketio) upgrade.path = engine_path(upgrade.path, "websocket", {});
        upgrade.key = key_;
        upgrade.subprotocol = target.subprotocol;
        protocol::append_upgrade_request(request_, upgrade);
    }
    const bool secured = kind != Handshakes::Kind::tcp;
    if (stream_.connect(addresses, secured ? tls : nullptr, number) == Stream::Result::failed) {
        return fail("connect: " + stream_.describe_error());
    }
    return Result::wants_write;
}

Handshake::Result Handshake::fail(std::string why) {
    why_ = std::move(why);
    return Result::failed;
}

// For what is not done yet.
Handshake::Result Handshake::on_stream(Stream::Result result, const char* doing) {
    switch (result) {
        case Stream::Result::want_read:
            return Result::wants_read;
        case Stream::Result::done:
        case Stream::Result::want_write:
            return Result::wants_write;
        case Stream::Result::ended:
            return fail(std::string(doing) + ": the server closed the connection");
        case Stream::Result::failed:
            return fail(std::string(doing) + ": " + stream_.describe_error());
    }
    return Result::failed;
}

Handshake::Result Handshake::go_on(const Plan& plan, std::span<char> buffer) {
    if (stage_ == Stage::connecting) {
        if (stream_.finish_connecting() == Stream::Result::failed) {
            return fail("connect: " + stream_.describe_error());
        }
        if (plan.scenario.handshakes->kind == Handshakes::Kind::tcp) return Result::done;
        stage_ = Stage::securing;
    }
    if (stage_ == Stage::securing) {
        const Stream::Result result = stream_.secure();
        if (result != Stream::Result::done) return on_stream(result, "secure");
        if (plan.scenario.handshakes->kind == Handshakes::Kind::tls) return Result::done;
        stage_ = Stage::asking;
    }
    if (stage_ == Stage::asking) {
        const Result result = ask();
        if (stage_ == Stage::asking) return result;
    }
    return take_answer(buffer);
}

Handshake::Result Handshake::ask() {
    while (!request_.empty()) {
        const auto [result, bytes] = stream_.write(request_);
        request_.erase(0, bytes);
        if (result != Stream::Result::done) return on_stream(result, "write");
    }
    stage_ = Stage::answered;
    return Result::wants_read;
}

Handshake::Result Handshake::take_answer(std::span<char> buffer) {
    constexpr std::string_view empty_line = "\r\n\r\n";
    for (;;) {
        const auto [result, bytes] = stream_.read(buffer);
        if (result != Stream::Result::done) return on_stream(result, "read");
        head_.append(buffer.data(), bytes);
        const std::size_t end = head_.find(empty_line);
        if (end == std::string::npos) {
            if (head_.size() > upgrade_head_bytes_max) return fail("the answer has no end");
            continue;
        }
        std::string error;
        head_.resize(end + empty_line.size());
        if (protocol::check_upgrade_response(head_, key_, error)) return Result::done;
        status_ = status_of(head_);
        return fail("upgrade: " + error + " (" + head_.substr(0, head_.find("\r\n")).substr(0, 80) +
                    ")");
    }
}

}  // namespace parley::load
