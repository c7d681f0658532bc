#include "transports/socketio/socketio_connection.hpp"

#include <utility>

#include "protocol/json_append.hpp"
#include "transports/log.hpp"

namespace parley::transports {
namespace {

using core::Metric;
using protocol::SocketPacket;
using protocol::SocketType;

constexpr core::CloseReason connect_timeout{core::close_reasons::policy.code,
                                            core::close_reasons::policy.name, "no CONNECT in time"};

// Kept of the text that packets are encoded in; more is given back.
constexpr std::size_t scratch_capacity_max = 64 * 1024;

// The JSON of CONNECT_ERROR; `data` is JSON, or empty.
std::string error_json(std::string_view message, std::string_view data) {
    std::string json;
    protocol::append_string(json, R"({"message":)", message);
    if (!data.empty()) json.append(R"(,"data":)").append(data);
    json.push_back('}');
    return json;
}

}  // namespace

// One namespace of the connection.
class SocketIoConnection::Socket final : public SocketLink {
public:
    enum class State : std::uint8_t { undecided, accepted, ended };

    Socket(SocketIoConnection& connection, std::string_view name,
           std::unique_ptr<SocketHandler> handler)
        : connection_(&connection), name_(name), handler_(std::move(handler)) {}

    // SocketLink
    void accept(std::string_view sid, std::string_view pid) noexcept override {
        if (state_ != State::undecided) return;
        state_ = State::accepted;
        std::string json;
        protocol::append_string(json, R"({"sid":)", sid);
        if (!pid.empty()) protocol::append_string(json, R"(,"pid":)", pid);
        json.push_back('}');
        send(SocketType::connect, {}, json);
        connection_->accepted();
    }
    void refuse(std::string_view message, std::string_view data) noexcept override {
        if (state_ != State::undecided) return;
        connection_->context_->shard.metrics().add(Metric::socketio_connects_refused);
        send(SocketType::connect_error, {}, error_json(message, data));
        end();
    }
    void emit(std::string_view args, std::span<const std::string_view> attachments,
              std::optional<std::uint64_t> id) noexcept override {
        if (state_ != State::accepted) return;
        const bool binary = !attachments.empty();
        send(binary ? SocketType::binary_event : SocketType::event, id, args, attachments);
    }
    void acknowledge(std::uint64_t id, std::string_view args,
                     std::span<const std::string_view> attachments) noexcept override {
        if (state_ != State::accepted) return;
        const bool binary = !attachments.empty();
        send(binary ? SocketType::binary_ack : SocketType::ack, id, args, attachments);
    }
    core::FrameWriter& writer() noexcept override { return connection_->link_->writer(); }
    void disconnect() noexcept override {
        if (state_ == State::ended) return;
        send(SocketType::disconnect, {}, {});
        end();
    }
    void close(const core::CloseReason& reason) noexcept override {
        connection_->link_->close(reason);
    }
    void resume() noexcept override { connection_->link_->resume(); }

    [[nodiscard]] State state() const noexcept { return state_; }
    [[nodiscard]] std::string_view name() const noexcept { return name_; }
    [[nodiscard]] SocketHandler& handler() noexcept { return *handler_; }
    [[nodiscard]] bool ready() const noexcept {
        return state_ == State::accepted && handler_->ready();
    }
    [[nodiscard]] SocketPtr& next() noexcept { return next_; }

private:
    void send(SocketType type, std::optional<std::uint64_t> id, std::string_view json,
              std::span<const std::string_view> attachments = {}) noexcept {
        const auto count = static_cast<std::uint32_t>(attachments.size());
        connection_->send({type, count, name_, id, json}, attachments);
    }
    void end() noexcept {
        state_ = State::ended;
        connection_->ended();
    }

    SocketIoConnection* connection_;
    std::string name_;
    std::unique_ptr<SocketHandler> handler_;
    SocketPtr next_;
    State state_ = State::undecided;
};

SocketIoConnection::SocketIoConnection(SocketIoContext& context, const EngineOpening& opening)
    : Timer([](Timer& timer) noexcept { static_cast<SocketIoConnection&>(timer).on_timer(); }),
      context_(&context),
      opening_(opening) {}

SocketIoConnection::~SocketIoConnection() = default;

void SocketIoConnection::on_open(EngineLink& link) {
    link_ = &link;
    connect_due_ = now() + context_->connect_timeout;
    context_->shard.timers().arm(*this, connect_due_);
}

// ---- what the peer says ----------------------------------------------------------------------

void SocketIoConnection::on_message(MessageKind kind, std::string_view payload) {
    using Step = protocol::SocketDecoder::Step;
    if (failed_) return;
    protocol::SocketDecoder fresh(context_->limits);
    protocol::SocketDecoder& decoder = assembling_ ? *assembling_ : fresh;
    switch (kind == MessageKind::text ? decoder.feed_text(payload) : decoder.feed_binary(payload)) {
        case Step::failed:
            return refuse(decoder.error());
        case Step::need_more:
            if (!assembling_) {
                assembling_ = std::make_unique<protocol::SocketDecoder>(std::move(fresh));
            }
            return;
        case Step::packet:
            break;
    }
    const auto whole = std::move(assembling_);  // which the packet may point into
    handing_ = true;
    take(decoder.packet(), decoder.attachments());
    handing_ = false;
}

void SocketIoConnection::take(const SocketPacket& packet,
                              std::span<const std::string> attachments) {
    SocketPtr& place = place_of(packet.name_space);
    if (packet.type == SocketType::connect) return take_connect(packet, place);
    if (!place || place->state() != Socket::State::accepted) {
        return refuse("a packet for a namespace that is not connected");
    }
    const SocketMessage message{packet.json, attachments, packet.id};
    switch (packet.type) {
        case SocketType::event:
        case SocketType::binary_event:
            return place->handler().on_event(message);
        case SocketType::ack:
        case SocketType::binary_ack:
            return place->handler().on_ack(message);
        case SocketType::disconnect:
            return take_disconnect(place);
        case SocketType::connect:
        case SocketType::connect_error:
            return refuse("CONNECT_ERROR from a client");
    }
}

void SocketIoConnection::take_connect(const SocketPacket& packet, SocketPtr& place) {
    if (place) return refuse("CONNECT to a namespace that is connected already");
    const auto name = packet.name_space;
    if (!context_->application.has(name)) {
        context_->shard.metrics().add(Metric::socketio_connects_refused);
        return send({SocketType::connect_error, 0, name, {}, error_json("Invalid namespace", {})});
    }
    auto handler = context_->application.connect(name, packet.json, opening_);
    place = std::make_unique<Socket>(*this, name, std::move(handler));
    place->handler().on_open(*place);
}

// From the loop: nothing of the handler is under way.
void SocketIoConnection::take_disconnect(SocketPtr& place) noexcept {
    const SocketPtr gone = std::move(place);
    place = std::move(gone->next());
    gone->handler().on_closed(core::close_reasons::normal, SocketEnd::disconnected);
}

void SocketIoConnection::refuse(std::string_view what) noexcept {
    failed_ = true;
    assembling_.reset();
    context_->shard.metrics().add(Metric::socketio_packets_refused);
    log::debug("socket.io packet refused", {{"address", opening_.address}, {"error", what}});
    link_->close(core::close_reasons::protocol_error);
}

bool SocketIoConnection::ready() const noexcept {
    for (Socket* socket = sockets_.get(); socket != nullptr; socket = socket->next().get()) {
        if (!socket->ready()) return false;
    }
    return true;
}

// ---- what its sockets say --------------------------------------------------------------------

void SocketIoConnection::send(const SocketPacket& packet,
                              std::span<const std::string_view> attachments) noexcept {
    std::string& text = context_->scratch;
    text.clear();
    protocol::append_socket_packet(text, packet);
    link_->send(MessageKind::text, text);
    if (text.capacity() > scratch_capacity_max) text = {};
    for (const std::string_view attachment : attachments) {
        link_->send(MessageKind::binary, attachment);
    }
}

void SocketIoConnection::accepted() noexcept {
    connected_ = true;
    // It may still be wanted to drop those that have ended; then it finds nothing else to do.
    if (!handing_) link_->resume();
}

// Its handler may be the caller: it goes with the next round of the loop.
void SocketIoConnection::ended() noexcept {
    context_->shard.timers().arm(*this, now());
}

// ---- time, and the end -----------------------------------------------------------------------

void SocketIoConnection::on_timer() noexcept {
    drop_ended();
    if (connected_ || failed_) return;
    if (now() < connect_due_) return context_->shard.timers().arm(*this, connect_due_);
    failed_ = true;
    context_->shard.metrics().add(Metric::socketio_connect_timeouts);
    link_->close(connect_timeout);
}

void SocketIoConnection::drop_ended() noexcept {
    bool dropped = false;
    for (SocketPtr* place = &sockets_; *place;) {
        if ((*place)->state() != Socket::State::ended) {
            place = &(*place)->next();
            continue;
        }
        take_disconnect(*place);
        dropped = true;
    }
    if (dropped) link_->resume();
}

template <typename F>
void SocketIoConnection::each_socket(F f) {
    for (Socket* socket = sockets_.get(); socket != nullptr; socket = socket->next().get()) {
        if (socket->state() != Socket::State::ended) f(socket->handler());
    }
}

void SocketIoConnection::on_writable() {
    each_socket([](SocketHandler& handler) { handler.on_writable(); });
}

void SocketIoConnection::on_writer_changed() {
    each_socket([](SocketHandler& handler) { handler.on_writer_changed(); });
}

void SocketIoConnection::on_drain() {
    each_socket([](SocketHandler& handler) { handler.on_drain(); });
}

void SocketIoConnection::on_closed(const core::CloseReason& reason) noexcept {
    cancel();
    failed_ = true;
    while (sockets_) {
        const SocketPtr gone = std::move(sockets_);
        sockets_ = std::move(gone->next());
        if (gone->state() == Socket::State::ended) {
            gone->handler().on_closed(core::close_reasons::normal, SocketEnd::disconnected);
        } else {
            gone->handler().on_closed(reason, SocketEnd::lost);
        }
    }
}

SocketIoConnection::SocketPtr& SocketIoConnection::place_of(std::string_view name) noexcept {
    SocketPtr* place = &sockets_;
    while (*place && (*place)->name() != name) place = &(*place)->next();
    return *place;
}

}  // namespace parley::transports
