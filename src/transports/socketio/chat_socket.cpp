#include "transports/socketio/chat_socket.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "core/accounts.hpp"
#include "core/hub.hpp"
#include "core/session.hpp"
#include "core/shard.hpp"
#include "core/visitor.hpp"
#include "protocol/direct_room.hpp"
#include "protocol/json_append.hpp"
#include "protocol/rest_codec.hpp"
#include "transports/log.hpp"
#include "transports/socketio/chat_restoring.hpp"

namespace parley::transports {
namespace {

using protocol::append_number;
using protocol::append_string;
using protocol::CommandId;

CommandId id_of(const SocketMessage& event) {
    if (!event.id) return {};
    return static_cast<std::int64_t>(*event.id);
}

void append_error(std::string& out, const protocol::Error& error) {
    append_string(out, R"({"code":)", error.code);
    append_string(out, R"(,"message":)", error.message);
    protocol::append_boolean(out, R"(,"temporary":)", error.temporary);
    if (error.retry_after_ms) append_number(out, R"(,"retry_after_ms":)", *error.retry_after_ms);
    out.push_back('}');
}

}  // namespace

ChatSocket::ChatSocket(ChatContext& context, const ChatSpace& space, ChatOpening opening)
    : Transport(space.traits(context.config.recovery && opening.offsets)),
      context_(&context),
      space_(&space),
      opening_(std::make_unique<ChatOpening>(std::move(opening))) {}

ChatSocket::~ChatSocket() {
    if (!pid_.empty()) context_->shard.lost_sessions().let_go(pid_, *this);
}

bool ChatSocket::recoverable() const noexcept {
    return &traits() == &space_->traits(true);
}

// ---- opening ---------------------------------------------------------------------------------

void ChatSocket::on_open(SocketLink& link) {
    link_ = &link;
    if (opening_->refusal) {
        return refuse_opening(opening_->refusal->code, opening_->refusal->message);
    }
    if (opening_->token.empty()) return go_on_opening();
    core::Shard& shard = context_->shard;
    core::Accounts* const accounts = shard.hub().accounts();
    if (accounts == nullptr) {
        return refuse_opening(core::errc::unauthorized,
                              "this server has no accounts: leave out \"token\"");
    }
    if (auto known = accounts->recall(opening_->token, shard.now().wall)) {
        return identified(std::move(*known));
    }
    if (const auto refused = core::Visitor(shard, opening_->address).admit_unknown()) {
        return refuse_opening(core::errc::rate_limited, refused->message);
    }
    opening_->alive = std::make_shared<ChatSocket*>(this);
    accounts->identify(shard, opening_->token,
                       [weak = std::weak_ptr(opening_->alive)](core::Identified&& answer) {
                           if (const auto self = weak.lock())
                               (*self)->identified(std::move(answer));
                       });
}

void ChatSocket::identified(core::Identified&& answer) {
    opening_->alive.reset();
    if (answer) {
        opening_->user = std::move(*answer);
        return go_on_opening();
    }
    const auto& error = answer.error();
    // Nobody said it: one that is over makes a guest, and keeps no browser out.
    if (opening_->by_cookie && !error.temporary) return go_on_opening();
    refuse_opening(error.temporary ? core::errc::unavailable : core::errc::unauthorized,
                   error.message);
}

void ChatSocket::go_on_opening() {
    const core::Hub& hub = context_->shard.hub();
    if (!opening_->user) {
        if (!hub.config().access.anonymous) {
            return refuse_opening(core::errc::unauthorized,
                                  "sign in first: this server knows no guests");
        }
        const auto taken = opening_->name ? hub.refuse_anonymous(*opening_->name) : std::nullopt;
        if (taken) return refuse_opening(core::errc::forbidden, taken->message);
    }
    if (recoverable() && opening_->pid) return recover();
    begin();
}

void ChatSocket::refuse_opening(core::errc code, std::string_view message) {
    std::string data;
    append_string(data, R"({"code":)", core::row_of(code).name);
    data.push_back('}');
    context_->shard.metrics().count_error(code);
    link_->refuse(message, data);
}

void ChatSocket::begin() {
    subscriber_ = core::Subscriber::open(
        context_->shard, *this,
        {opening_->address, std::move(opening_->name), false, std::move(opening_->user)});
    try {
        sid_ = new_id(context_->shard.index());
        if (recoverable()) pid_ = new_id(context_->shard.index());
    } catch (const std::exception& error) {
        // Here, since the core may have called.
        log::error("socket.io session failed", {{"error", error.what()}});
        return link_->close(core::close_reasons::internal);
    }
    accept();
    auto room = opening_->room ? std::move(*opening_->room) : context_->config.default_room;
    opening_.reset();
    if (room.empty()) return;
    protocol::Join join;
    join.room = room_known(room);
    join.presence = true;
    subscriber_->handle({{}, std::move(join)});
}

// From here on frames go straight to what carries them.
void ChatSocket::accept() {
    accepted_ = true;
    link_->accept(sid_, pid_);
    if (!pid_.empty()) context_->shard.lost_sessions().hold(pid_, *this);
    set_writer(link_->writer());
    subscriber_->writer_changed();
    subscriber_->take_directs();
}

bool ChatSocket::ready() const noexcept {
    return accepted_ && subscriber_->ready();
}

core::WriteResult ChatSocket::write_some(std::span<const core::Frame* const> frames) noexcept {
    // What is missed goes out first.
    if (!accepted_) return {0, true};
    return link_->writer().write_some(frames);
}

void ChatSocket::on_writable() {
    if (accepted_) subscriber_->writable();
}

void ChatSocket::on_writer_changed() {
    if (!accepted_) return;
    set_writer(link_->writer());
    subscriber_->writer_changed();
}

void ChatSocket::on_drain() {
    if (accepted_) subscriber_->announce_drain();
}

void ChatSocket::resume() noexcept {
    if (restoring_) return restore_rooms();
    link_->resume();
}

void ChatSocket::on_closed(const core::CloseReason& reason, SocketEnd end) noexcept {
    const bool comes_back = reason.code < 4000 || core::may_reconnect(reason);
    const bool known = restoring_ ? !restoring_->asking : accepted_ && !surrendered_;
    if (opening_) opening_->alive.reset();
    if (end == SocketEnd::lost && comes_back && known && recoverable()) keep(state());
    if (subscriber_) subscriber_->closed(reason);
}

// ---- events ----------------------------------------------------------------------------------

void ChatSocket::on_event(const SocketMessage& event) {
    const CommandId id = id_of(event);
    // Judged by its rate before it is read.
    if (auto refusal = subscriber_->admit()) return subscriber_->refuse(id, std::move(*refusal));
    auto request =
        protocol::decode_chat_event(context_->config, event.args, event.attachments, rooms_);
    if (!request) return refuse(id, request.error());
    if (request->username) {
        if (auto refused = subscriber_->take_name(*request->username)) {
            return subscriber_->refuse(id, std::move(*refused));
        }
    }
    if (const auto* join = std::get_if<protocol::Join>(&request->command)) {
        if (std::ranges::find(rooms_, join->room) != rooms_.end()) {
            return join_again(id, join->room);
        }
    }
    std::visit(
        [this](auto& command) {
            if constexpr (requires { command.room; }) command.room = room_known(command.room);
        },
        request->command);
    subscriber_->handle({id, std::move(request->command)});
}

// Who is told "no" for an event that nobody here knows may well mean another server: it is said, and
// does not count towards too many errors.
void ChatSocket::refuse(const CommandId& id, const protocol::ChatRefusal& refusal) {
    using Why = protocol::ChatRefusal::Why;
    switch (refusal.why) {
        case Why::bad_request:
            return subscriber_->refuse(id, core::errc::bad_request, refusal.message);
        case Why::not_joined:
            return subscriber_->refuse(id, core::errc::not_joined, refusal.message);
        case Why::unknown_event:
            context_->shard.metrics().count_error(core::errc::not_found);
            return reply({id, core::make_error(core::errc::not_found, refusal.message)});
    }
}

// It is in the room: it is told what a newcomer is, and nobody else anything.
void ChatSocket::join_again(const CommandId& id, const std::string& room) {
    std::rotate(std::ranges::find(rooms_, room), std::ranges::find(rooms_, room) + 1, rooms_.end());
    protocol::History history;
    history.room = room_known(rooms_.back());
    subscriber_->handle({id, std::move(history)});
}

// ---- answers ---------------------------------------------------------------------------------

// What the core says to this socket alone.
struct ChatSocket::Answer {
    ChatSocket& self;
    const CommandId& id;

    void operator()(const protocol::Welcome&) const {}
    void operator()(const protocol::Pong&) const {}
    void operator()(const protocol::MyRooms&) const {}  // no event asks for them
    void operator()(const core::JoinedReply& reply) const {
        if (self.restoring_) return self.restoring_->joined.push_back(reply);
        self.joined(id, reply);
    }
    void operator()(const protocol::Left& left) const {
        self.left(left.room);
        std::string object = R"({"room":")";
        object.append(self.room_heard(left.room)).append("\"}");
        const bool asked = !std::holds_alternative<std::monostate>(id);
        if (!asked) return self.emit_json("left", object);
        self.acknowledge(id, object);
    }
    void operator()(const protocol::Ack& ack) const {
        std::string& object = self.context_->scratch;
        object = R"({"room":")";
        object.append(self.room_heard(ack.room)).append("\"");
        if (ack.cursor.offset != 0) {
            append_number(object, R"(,"offset":)", ack.cursor.offset);
            protocol::append_cursor(object, R"(,"cursor":)", ack.cursor);
            append_string(object, R"(,"at":)", ack.at);
        }
        object.push_back('}');
        self.acknowledge(id, object);
    }
    // The two steps of join_again().
    void operator()(const core::HistoryReply& reply) const {
        self.emit(protocol::history_event(self.voice(), texts_of(reply.messages), std::nullopt));
        self.subscriber_->handle({id, protocol::Members{reply.room}});
    }
    void operator()(const protocol::MemberList& list) const {
        self.emit(
            protocol::users_event(self.voice(), list.room, list.count, list.members, std::nullopt));
        const auto cursor = self.subscriber_->cursor_in(list.room);
        self.acknowledge_join(id, list.room, cursor.value_or(protocol::Cursor{}), list.count);
    }
    void operator()(const protocol::Error& error) const {
        if (self.restoring_) {
            self.restoring_->failed = true;
            return;
        }
        const bool asked = !std::holds_alternative<std::monostate>(id);
        std::string object = asked ? R"({"error":)" : "";
        append_error(object, error);
        if (!asked) return self.emit_json("error", object);
        object.push_back('}');
        self.acknowledge(id, object);
    }
    void operator()(const protocol::Gap& gap) const {
        std::string object = R"({"room":")";
        object.append(self.room_heard(gap.room)).append("\"");
        append_number(object, R"(,"from":)", gap.from);
        append_number(object, R"(,"to":)", gap.to);
        protocol::append_cursor(object, R"(,"cursor":)", gap.cursor);
        object.push_back('}');
        self.emit_json("gap", object);
    }
    void operator()(const protocol::RolePush& role) const {
        // It is in no frame that is sent again: it begins afresh, and asks.
        if (self.restoring_) {
            self.restoring_->failed = true;
            return;
        }
        self.emit(protocol::role_event(self.voice(), role));
    }
    void operator()(const protocol::Removed& removed) const {
        // Out of a room that it is coming back to: it begins afresh, and knows.
        if (self.restoring_) {
            self.restoring_->failed = true;
            return;
        }
        self.left(removed.room);
        self.emit(protocol::removed_event(self.voice(), removed));
    }
    void operator()(const protocol::RoomInfo& room) const {
        std::string object;
        protocol::append_rest_room(object, room);
        self.acknowledge(id, object);
    }
    void operator()(const protocol::Drain& drain) const {
        std::string object;
        append_number(object, R"({"retry_after_ms":)", drain.retry_after_ms);
        object.push_back('}');
        self.emit_json("drain", object);
    }
};

void ChatSocket::reply(const core::Reply& reply) noexcept {
    std::visit(Answer{*this, reply.id}, reply.message);
}

void ChatSocket::joined(const CommandId& id, const core::JoinedReply& reply) {
    if (recoverable() && rooms_.size() == 1) note_single_room();
    // One that it did not ask for is not where it speaks when it names no room.
    rooms_.emplace(reply.direct ? rooms_.begin() : rooms_.end(), room_heard(reply.room));
    follow_trail();
    tell_joined(id, reply);
}

// What was said there, who is there, and that it is in: in this order.
void ChatSocket::tell_joined(const CommandId& id, const core::JoinedReply& reply) {
    std::optional<protocol::RecoveryOffset> last;
    if (recoverable()) last = {reply.cursor, 0, trail_.joined(reply.room, reply.cursor)};
    const auto messages = texts_of(reply.history);
    if (protocol::is_direct_room(reply.room)) {
        const auto* const with = reply.direct ? &*reply.direct : nullptr;
        emit(protocol::direct_joined_event(voice(), reply.room, with, messages, last));
        return acknowledge_join(id, reply.room, reply.cursor, reply.count);
    }
    emit(protocol::history_event(voice(), messages, std::nullopt));
    emit(protocol::users_event(voice(), reply.room, reply.count,
                               reply.members ? std::span<const protocol::User>(*reply.members)
                                             : std::span<const protocol::User>(),
                               last));
    acknowledge_join(id, reply.room, reply.cursor, reply.count);
}

void ChatSocket::left(const std::string& room) {
    std::erase(rooms_, room_heard(room));
    if (!recoverable()) return;
    trail_.left(room);
    follow_trail();
}

void ChatSocket::acknowledge_join(const CommandId& id, std::string_view room,
                                  const protocol::Cursor& cursor, std::uint64_t count) {
    std::string object = R"({"room":")";
    object.append(room_heard(room)).append("\"");
    protocol::append_cursor(object, R"(,"cursor":)", cursor);
    append_number(object, R"(,"count":)", count);
    append_string(object, R"(,"username":)", subscriber_->session().user()->who.name);
    object.push_back('}');
    acknowledge(id, object);
}

void ChatSocket::emit(const protocol::ChatEvent& event) {
    const std::vector<std::string_view> attachments(event.attachments.begin(),
                                                    event.attachments.end());
    link_->emit(event.args, attachments);
}

void ChatSocket::emit_json(std::string_view name, std::string_view object) {
    std::string args = "[\"";
    args.append(name).append("\",").append(object).push_back(']');
    link_->emit(args);
}

// Nothing where it was not asked for.
void ChatSocket::acknowledge(const CommandId& id, std::string_view object) {
    const auto* number = std::get_if<std::int64_t>(&id);
    if (number == nullptr) return;
    std::string args = "[";
    args.append(object).push_back(']');
    link_->acknowledge(static_cast<std::uint64_t>(*number), args);
}

std::string ChatSocket::room_known(std::string_view heard) const {
    // Two users are the same two in every namespace.
    if (protocol::is_direct_room(heard)) return std::string(heard);
    return space_->prefix() + std::string(heard);
}

std::string_view ChatSocket::room_heard(std::string_view known) const noexcept {
    return protocol::room_heard(space_->prefix(), known);
}

const protocol::ChatVoice& ChatSocket::voice() const noexcept {
    return space_->voice(recoverable());
}

// ---- ChatApplication -------------------------------------------------------------------------

const ChatSpace* ChatApplication::find(std::string_view name) const noexcept {
    const auto found = std::ranges::find(context_.spaces, name, &ChatSpace::name);
    return found == context_.spaces.end() ? nullptr : &*found;
}

std::unique_ptr<SocketHandler> ChatApplication::connect(std::string_view name,
                                                        std::string_view auth,
                                                        const EngineOpening& opening) {
    const auto name_bytes_max = context_.shard.config().limits.name_bytes;
    return std::make_unique<ChatSocket>(context_, *find(name),
                                        read_chat_opening(auth, opening, name_bytes_max));
}

}  // namespace parley::transports
